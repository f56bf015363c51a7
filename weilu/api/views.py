"""Pages of one's own tokens."""

from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from weilu.api.forms import TokenForm
from weilu.api.models import ApiToken
from weilu.api.services import TokenError, make_token, revoke_token
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission


@requires(Permission.VIEW)
@require_safe
def tokens(request: AccountRequest) -> HttpResponse:
    """The tokens of one's account."""
    rows = list(ApiToken.objects.filter(user=request.user)[:50])
    now, mark = timezone.now(), ApiToken.mark_of(request.user)
    shown = [
        (row, row.revoked_at is None and row.expires_at > now and bytes(row.password_mark) == mark) for row in rows
    ]
    return render(request, "api/tokens.html", {"rows": shown})


@requires(Permission.VIEW)
@reauthentication_required
@never_cache
def token_new(request: AccountRequest) -> HttpResponse:
    """Make a token; its secret is shown on this page only."""
    form = TokenForm(request.POST or None)
    context = {"form": form, "secret": "", "row": None}
    if request.method == "POST" and form.is_valid():
        records = get_authentication_records(request, request.user)
        factor = any(record.get("method") == "mfa" for record in records)
        try:
            row, secret = make_token(request.user, second_factor=factor, **form.cleaned_data)
            return render(request, "api/token_new.html", {"form": form, "secret": secret, "row": row})
        except TokenError as error:
            form.add_error(None, str(error))
    return render(request, "api/token_new.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW)
@require_POST
def token_revoke(request: AccountRequest, pk: str) -> HttpResponse:
    """Revoke one of one's tokens."""
    row = get_object_or_404(ApiToken.objects.filter(user=request.user), pk=pk)
    revoke_token(row, by=request.user)
    messages.success(request, _("The token was revoked."))
    return redirect("api_tokens")

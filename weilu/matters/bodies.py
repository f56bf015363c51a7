"""What a body has to do: the matters handed to it, as far as the reader may see them."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from weilu.matters.models import Matter
from weilu.matters.queries import count_up_to, rows_of, settled_since
from weilu.matters.workflow import DONE
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Organisation
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope

OPEN_SHOWN, DONE_SHOWN, DAYS = 50, 20, 90


@requires(Permission.VIEW)
@require_safe
def organisation_matters(request: AccountRequest, pk: str) -> HttpResponse:
    """The open matters in the hands of a body, and those it settled lately."""
    scope = organisations_in_scope(request.user, Permission.VIEW)
    body = get_object_or_404(Organisation.objects.filter(scope), pk=pk)
    rows = Matter.objects.visible_to(request.user).filter(handler=body)
    done = rows.filter(state__in=sorted(DONE))
    context = {
        "organisation": body,
        "open_count": count_up_to(rows.open()),
        "settled_count": count_up_to(settled_since(rows, DAYS)),
        "days": DAYS,
        "rows": rows_of(rows.open().for_lists().order_by("due_at")[:OPEN_SHOWN]),
        "done": rows_of(done.for_lists().order_by("-settled_at")[:DONE_SHOWN]),
    }
    return render(request, "matters/body.html", context)

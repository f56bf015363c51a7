"""Pages on which an account gets its person, and its grants go to a successor."""

import datetime as dt

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.accounts import handing, linking
from weilu.accounts.forms import HandOverForm, PersonForm
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.forms import AccountForm
from weilu.orgs.managing import ELSEWHERE, managed, wholly_managed
from weilu.orgs.roles import Permission
from weilu.people.models import Person


@requires(Permission.MANAGE)
def hand_over(request: AccountRequest, username: str) -> HttpResponse:
    """Hand the grants of an account to its successor; what it has in hand is listed."""
    mine = managed(request.user)
    user = get_object_or_404(mine, username__iexact=username)
    candidates = mine.filter(is_active=True).exclude(pk__in=[user.pk, request.user.pk]).order_by("name", "username")
    form = HandOverForm(request.POST or None, candidates=candidates)
    if request.method == "POST" and form.is_valid():
        to, day = form.cleaned_data["successor"], form.cleaned_data["day"]
        try:
            given = handing.hand_over(user, to=to, day=day, by=request.user)
            words = {"count": len(given), "name": to.name, "day": day}
            messages.success(request, _("%(count)s grants go to %(name)s from %(day)s.") % words)
            return redirect("account_edit", to.username)
        except handing.HandOverError as error:
            form.add_error(None, str(error))
    day = _day(form)
    context = {
        "subject": user, "form": form, "day": day, "open_work": handing.open_work(user),
        "grants": handing.grants_to_hand(user, by=request.user, day=day),
    }  # fmt: skip
    return render(request, "accounts/hand_over.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE)
def account_person(request: AccountRequest, username: str) -> HttpResponse:
    """The person to whom an account belongs; with them come the grants of their posts."""
    user = get_object_or_404(managed(request.user), username__iexact=username)
    found = linking.candidates(user, by=request.user)
    if request.method == "POST":
        if not wholly_managed(request.user, user):
            messages.error(request, ELSEWHERE)
            return redirect("account_edit", user.username)
        form = PersonForm(request.POST, candidates=found)
        if form.is_valid():
            try:
                given = linking.link(user, form.cleaned_data["person"], by=request.user)
                messages.success(request, _("Linked. %(count)s grants came with posts.") % {"count": len(given)})
                return redirect("account_edit", user.username)
            except linking.LinkError as error:
                messages.error(request, str(error))
        else:
            messages.error(request, _("Choose the person."))
    context = {"subject": user, "person": getattr(user, "person", None), "candidates": found[:50]}
    return render(request, "accounts/person.html", context, status=422 if request.method == "POST" else 200)


@requires(Permission.MANAGE)
def person_account(request: AccountRequest, pk: str) -> HttpResponse:
    """An account for a person, which may do what their posts bring and nothing else: both or neither."""
    person = get_object_or_404(Person.objects.visible_to(request.user).current().select_related("user"), pk=pk)
    if person.user:
        return redirect("account_edit", person.user.username)
    posts = [row for row in linking.held_by(person) if row.post.role]
    form = AccountForm(request.POST or None, initial={"name": person.name})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = form.make()
                if not linking.link(user, person, by=request.user):
                    raise linking.LinkError(_("No post of this person brings a role."))
            messages.success(request, _("The account %(name)s is ready.") % {"name": user.username})
            invited = form.cleaned_data["invite"]
            return redirect("account_invite" if invited else "account_edit", user.username)
        except linking.LinkError as error:
            form.add_error(None, str(error))
        except IntegrityError:
            form.refuse_name()
    context = {"person": person, "form": form, "posts": posts}
    return render(request, "accounts/person_account.html", context, status=422 if form.errors else 200)


def _day(form: HandOverForm) -> dt.date:
    data = getattr(form, "cleaned_data", None) or {}
    return data.get("day") or timezone.localdate()

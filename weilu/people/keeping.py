"""Pages on which clerks and administrators keep bodies and posts: make, rename, close, appoint, end."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.bodies import BodyError, change_body, make_body
from weilu.orgs.models import Jurisdiction, Organisation, Place, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope, places_in_scope
from weilu.people import appointments as verbs
from weilu.people.appointments import AppointmentError
from weilu.people.closing import close_with_people, ending_with, reopen_with_people
from weilu.people.finding import find
from weilu.people.keeping_forms import (
    AppointForm,
    BodyForm,
    BodyNewForm,
    DayForm,
    HandOverUndoForm,
    PostChangeForm,
    PostNewForm,
)
from weilu.people.models import Appointment, Membership, Person, Post

CANDIDATES = 30


def _bodies(request: AccountRequest):
    return Organisation.objects.filter(organisations_in_scope(request.user, Permission.KEEP))


def _body(request: AccountRequest, pk: str) -> Organisation:
    return get_object_or_404(_bodies(request).filter(valid_to=None).select_related("place", "parent"), pk=pk)


def _post(request: AccountRequest, pk: str) -> Post:
    rows = Post.objects.filter(organisation__in=_bodies(request)).select_related("organisation__place")
    return get_object_or_404(rows, pk=pk)


def _appointment(request: AccountRequest, pk: str) -> Appointment:
    rows = Appointment.objects.filter(post__organisation__in=_bodies(request))
    return get_object_or_404(rows.select_related("post__organisation__place", "person"), pk=pk)


def _posts_page(body: Organisation) -> str:
    return f"{reverse('organisation', args=[body.pk])}?part=posts"


def _refuse(form: Any, error: AppointmentError | BodyError) -> None:
    """Put what a verb refused beside the field it lies in."""
    form.add_error(error.column if error.column in form.fields else None, error.message)


def _save(form: Any, verb: Callable[..., Any]) -> bool:
    """Do what a form asks; False if the form or the verb refuses, and then the form says why."""
    if not form.is_valid():
        return False
    try:
        verb(**form.given)
    except (AppointmentError, BodyError) as error:
        _refuse(form, error)
        return False
    return True


def _form_page(request: AccountRequest, form: Any, title: str, back: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, "button": _("Save"), "about": "", "more": None} | more
    return render(request, "people/keep.html", context, status=422 if form.errors else 200)


@requires(Permission.KEEP)
def organisation_new(request: AccountRequest, code: str) -> HttpResponse:
    """A new body at a place of one's scope."""
    mine = Place.objects.filter(places_in_scope(request.user, Permission.KEEP), valid_on(timezone.localdate()))
    place = get_object_or_404(mine, code=code)
    if Jurisdiction.of(place) is None:
        return redirect("place", place.code)
    form = BodyNewForm(request.POST or None, place=place)
    if request.method == "POST" and _save(form, lambda **given: make_body(place=place, by=request.user, **given)):
        messages.success(request, _("%(name)s was entered.") % {"name": form.cleaned_data["name"]})
        return redirect("place", place.code)
    title = _("New body at %(place)s") % {"place": place}
    return _form_page(request, form, title, reverse("place", args=[place.code]), button=_("Enter it"))


@requires(Permission.KEEP)
def organisation_edit(request: AccountRequest, pk: str) -> HttpResponse:
    """Rename a body, put it below another, or correct it."""
    body = _body(request, pk)
    form = BodyForm(request.POST or None, place=body.place, body=body)
    if request.method == "POST" and _save(form, lambda **given: change_body(body, by=request.user, **given)):
        messages.success(request, _("Saved."))
        return redirect("organisation", body.pk)
    about = _("A name that it had is kept, so that rosters which still use it are understood.")
    return _form_page(
        request,
        form,
        _("Rename or correct: %(name)s") % {"name": body},
        reverse("organisation", args=[body.pk]),
        about=about,
    )


@requires(Permission.KEEP)
def organisation_close(request: AccountRequest, pk: str) -> HttpResponse:
    """Close a body with its posts, appointments and memberships."""
    body = _body(request, pk)
    form = DayForm(request.POST or None)
    if request.method == "POST" and _save(form, lambda **given: close_with_people(body, by=request.user, **given)):
        messages.success(request, _("%(name)s was closed.") % {"name": body})
        return redirect("organisation", body.pk)
    about = _(
        "Its posts, appointments and memberships end on this day, with the roles that came of them. The history stays."
    )
    counts = {name: rows.count() for name, rows in ending_with(body, timezone.localdate()).items()}
    about += " " + _(
        "Today that are %(memberships)s members, %(posts)s posts, %(appointments)s holders and %(grants)s roles. "
        "A closing of today can be taken back."
    ) % counts  # fmt: skip
    title = _("Close %(name)s") % {"name": body}
    return _form_page(
        request, form, title, reverse("organisation", args=[body.pk]), button=_("Close it"), about=about
    )  # fmt: skip


@requires(Permission.KEEP)
@require_POST
def organisation_reopen(request: AccountRequest, pk: str) -> HttpResponse:
    """Take back a closing that was entered today, or whose day lies ahead."""
    body = get_object_or_404(_bodies(request), pk=pk)
    try:
        reopen_with_people(body, by=request.user)
        messages.success(request, _("The closing was taken back, with all that ended with it."))
    except BodyError as error:
        messages.error(request, error.message)
    return redirect("organisation", body.pk)


@requires(Permission.KEEP)
def post_new(request: AccountRequest, pk: str) -> HttpResponse:
    """A new post of a body."""
    body = _body(request, pk)
    form = PostNewForm(request.POST or None, initial={"since": body.valid_from})
    if request.method == "POST" and _save(form, lambda **given: verbs.make_post(body, by=request.user, **given)):
        messages.success(request, _("The post was made."))
        return redirect(_posts_page(body))
    return _form_page(request, form, _("New post of %(name)s") % {"name": body}, _posts_page(body))


@requires(Permission.KEEP)
def post_edit(request: AccountRequest, pk: str) -> HttpResponse:
    """Correct a post."""
    post = _post(request, pk)
    initial = {name: getattr(post, name) for name in (*verbs.POST_COLUMNS, "valid_from")}
    form = PostChangeForm(request.POST or None, initial=initial)
    if request.method == "POST" and _save(form, lambda **given: verbs.change_post(post, by=request.user, **given)):
        messages.success(request, _("Saved."))
        return redirect(_posts_page(post.organisation))
    more = {"address": reverse("post_close", args=[post.pk]), "word": _("Close the post"), "form": DayForm()}
    return _form_page(request, form, str(post), _posts_page(post.organisation), more=more)


@requires(Permission.KEEP)
@require_POST
def post_close(request: AccountRequest, pk: str) -> HttpResponse:
    """Close a post, and end the appointments to it."""
    post = _post(request, pk)
    form = DayForm(request.POST)
    if _save(form, lambda on, document: verbs.close_post(post, by=request.user, on=on)):
        messages.success(request, _("The post was closed."))
        return redirect(_posts_page(post.organisation))
    return _form_page(request, form, _("Close the post"), _posts_page(post.organisation), button=_("Close the post"))


def _candidates(request: AccountRequest, post: Post, text: str) -> list[Person]:
    """Return the people to choose from: those that a text may mean, or without one the body's own."""
    rows = Person.objects.visible_to(request.user).current().filter(jurisdiction=post.jurisdiction_id)
    if text:
        return find(rows.select_related("home__parent", "work"), text, user=request.user).rows[:CANDIDATES]
    members = Membership.objects.filter(valid_on(timezone.localdate()), organisation=post.organisation)
    rows = rows.filter(pk__in=members.values("person")).select_related("home__parent", "work")
    return list(rows.order_by("name", "id")[:CANDIDATES])


def _appoint_page(
    request: AccountRequest, post: Post, title: str, verb: Callable[..., Any], **more: Any
) -> HttpResponse:
    text = (request.GET.get("q") or request.POST.get("q") or "").strip()[:40]
    people = _candidates(request, post, text)
    seen = Person.objects.visible_to(request.user).current()
    form = AppointForm(request.POST or None, people=seen, initial={"since": timezone.localdate()})
    if request.method == "POST" and _save(form, verb):
        messages.success(request, _("%(name)s was appointed.") % {"name": form.cleaned_data["person"]})
        return redirect(_posts_page(post.organisation))
    context = {
        "form": form,
        "post": post,
        "title": title,
        "people": people,
        "q": text,
        "chosen": request.POST.get("person", ""),
        "back": _posts_page(post.organisation),
        "more_people": len(people) == CANDIDATES,
    }
    return render(request, "people/appoint.html", context | more, status=422 if form.errors else 200)


@requires(Permission.KEEP)
def post_appoint(request: AccountRequest, pk: str) -> HttpResponse:
    """Appoint somebody to a post: find the person, say from when."""
    post = _post(request, pk)
    title = _("Appoint: %(post)s") % {"post": post}
    return _appoint_page(request, post, title, lambda **given: verbs.appoint(post, by=request.user, **given))


@requires(Permission.KEEP)
def appointment_hand_over(request: AccountRequest, pk: str) -> HttpResponse:
    """Hand a seat over to somebody else on one day."""
    row = _appointment(request, pk)

    def verb(*, person, since, document, rank, until=None):
        return verbs.hand_over(
            row, to=person, by=request.user, on=since, until=until, document=document, rank=rank
        )  # fmt: skip

    title = _("%(name)s hands over: %(post)s") % {"name": row.person, "post": row.post}
    return _appoint_page(request, row.post, title, verb)


@requires(Permission.KEEP)
def appointment_end(request: AccountRequest, pk: str) -> HttpResponse:
    """End an appointment on a day, or take back one that was a mistake."""
    row = _appointment(request, pk)
    form = DayForm(request.POST or None)
    if request.method == "POST" and _save(form, lambda **given: verbs.end_appointment(row, by=request.user, **given)):
        messages.success(request, _("The appointment has ended."))
        return redirect(_posts_page(row.post.organisation))
    title = _("End: %(name)s, %(post)s") % {"name": row.person, "post": row.post}
    about = _("The day is the first on which the person no longer holds the post. A role that came with it ends too.")
    before = verbs.predecessor(row)
    more = {
        "address": reverse("appointment_undo", args=[row.pk]),
        "word": _("It was a mistake: take it back"),
        "form": HandOverUndoForm(before=before) if before else None,
    }
    return _form_page(
        request, form, title, _posts_page(row.post.organisation), button=_("End it"), about=about, more=more
    )  # fmt: skip


@requires(Permission.KEEP)
@require_POST
def appointment_undo(request: AccountRequest, pk: str) -> HttpResponse:
    """Take back an appointment that was entered by mistake."""
    row = _appointment(request, pk)
    try:
        if "restore" in request.POST:
            before = verbs.take_back_hand_over(row, by=request.user)
            name = before.person if before else "–"
            said = _("The appointment was taken back; %(name)s holds the post again.") % {"name": name}
        else:
            verbs.take_back(row, by=request.user)
            said = _("The appointment was taken back.")
    except AppointmentError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect(_posts_page(row.post.organisation))


@requires(Permission.KEEP)
@require_POST
def appointment_reinstate(request: AccountRequest, pk: str) -> HttpResponse:
    """Take back the end of an appointment that was entered by mistake."""
    row = _appointment(request, pk)
    try:
        verbs.reinstate(row, by=request.user)
    except AppointmentError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(name)s holds the post again.") % {"name": row.person})
    return redirect(_posts_page(row.post.organisation))

"""Pages of matters for offices, members and grid workers. Each fetches in scope, binds the form, calls the verb."""

from collections.abc import Callable
from contextlib import nullcontext

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.matters import services
from weilu.matters.forms import (
    DispatchForm,
    NoteForm,
    SettleForm,
    TransferForm,
    active_categories,
    target_groups,
)
from weilu.matters.models import Matter
from weilu.matters.queries import places_for_transfer, similar_to
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission, Role
from weilu.orgs.scope import covers
from weilu.records.attachments import MAX_FILES, BadFile, attach, path_of
from weilu.records.looking import NoReason
from weilu.records.models import Attachment, Event
from weilu.records.moves import Actor, Incomplete, MoveError, NotAllowed, Stale, permitted


def fetch(request: AccountRequest, number: str) -> Matter:
    """Return the matter in the reader's scope; outside it there is none."""
    rows = Matter.objects.visible_to(request.user).select_related(
        "jurisdiction__place",
        "module",
        "category",
        "county",
        "township",
        "village",
        "grid",
        "handler",
        "handler_grid__parent",
        "taken_by",
        "merged_into",
        "created_by",
    )
    return get_object_or_404(rows, number=number)


def _fetch_to_act(request: AccountRequest, number: str) -> Matter:
    """Return the matter in scope without what only its page shows: the verb reads it again under lock."""
    matter = get_object_or_404(Matter.objects.visible_to(request.user), number=number)
    for grant in request.user.grants_now:
        if grant.jurisdiction_id == matter.jurisdiction_id:
            matter.jurisdiction = grant.jurisdiction  # read already, with the account
    return matter


def _went_elsewhere(request: AccountRequest, number: str) -> bool:
    """Tell whether a matter out of the reader's scope was transferred from it: they had it open, so they may know."""
    transfers = Event.objects.filter(record_id__in=Matter.objects.filter(number=number).values("pk"), move="transfer")
    last = transfers.order_by("at").last()
    path = last.changes.get("from", "") if last else ""
    return any(path.startswith(grant.place.path) for grant in request.user.grants_for(Permission.TRIAGE))


def _still_seen(request: AccountRequest, matter: Matter) -> bool:
    """Tell whether the matter is in the reader's scope after a move; for place roles without a query."""
    if any(covers(grant, matter) for grant in request.user.grants_for(Permission.VIEW)):
        return True
    return Matter.objects.visible_to(request.user).filter(pk=matter.pk).exists()


def _fetch_order(request: AccountRequest, number: str) -> Matter:
    """Return a matter that is or was an order to the reader's branch: who comes second is told, not lost."""
    branches = [grant.organisation_id for grant in request.user.grants_for(Permission.TAKE_ORDERS)]
    return get_object_or_404(Matter, number=number, handler__in=branches)


def timeline(matter: Matter, for_resident: bool = False) -> list[Event]:
    """Return the events of a matter with their files, oldest first."""
    events = Event.objects.of(matter)
    if for_resident:
        events = events.filter(open_to_resident=True)
    found = list(events)
    files = list(Attachment.objects.filter(record_kind="matter", record_id=matter.pk))
    labels = {name: step.label for name, step in Matter.workflow.moves.items()}
    labels |= {"file": _("Raised"), "unmask": _("Contact looked at")}
    for event in found:
        event.files = [file for file in files if file.event_id == event.pk]  # type: ignore[attr-defined]
        event.label = labels.get(event.move, event.move)  # type: ignore[attr-defined]
    return found


def possible_moves(request: AccountRequest, matter: Matter) -> set[str]:
    """Return the names of the moves that the reader may make now."""
    actor = Actor.account(request.user)
    return {
        name
        for name, step in Matter.workflow.moves.items()
        if matter.state in step.sources and permitted(step, actor, matter, Matter.may)
    }


def show(request: AccountRequest, matter: Matter, *, status: int = 200, **extra) -> HttpResponse:
    """Render the page of a matter; ``extra`` carries a bound form with its errors."""
    moves = possible_moves(request, matter)
    triage = "dispatch" in moves
    context = {
        "matter": matter,
        "events": timeline(matter),
        "moves": moves,
        "groups": target_groups(request.user, matter) if triage else [],
        "categories": active_categories(matter.jurisdiction) if triage else [],
        "similar": similar_to(matter, request.user) if "merge" in moves else [],
        "merged": matter.merged.order_by("created_at") if not matter.merged_into_id else [],
        "transfer_places": places_for_transfer(matter).order_by("path") if "transfer" in moves else [],
        "may_unmask": matter.has_contact and Matter.may(request.user, Permission.UNMASK, matter),
        "failed": "",
        "is_member": request.user.roles <= {Role.MEMBER},
        **extra,
    }
    return render(request, "matters/matter.html", context, status=status)


@requires(Permission.VIEW)
@require_safe
def matter(request: AccountRequest, number: str) -> HttpResponse:
    """A matter: what was raised, where it stands, what happened, what can be done."""
    return show(request, fetch(request, number))


def _version(request: AccountRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


Verb = Callable[[AccountRequest, Matter], Matter]
VERBS: dict[str, Verb] = {}


class Invalid(Exception):
    """A form with errors, to be shown with what was typed."""

    def __init__(self, form):
        super().__init__(form)
        self.form = form


def verb(name: str) -> Callable[[Verb], Verb]:
    """Register what a button of the page of a matter does."""

    def register(function: Verb) -> Verb:
        VERBS[name] = function
        return function

    return register


def _cleaned(form) -> dict:
    if not form.is_valid():
        raise Invalid(form)
    return form.cleaned_data


@verb("dispatch")
def _dispatch(request: AccountRequest, matter: Matter) -> Matter:
    data = _cleaned(DispatchForm(request.POST, matter=matter))
    return services.dispatch(matter, by=request.user, version=_version(request), **data)


@verb("transfer")
def _transfer(request: AccountRequest, matter: Matter) -> Matter:
    data = _cleaned(TransferForm(request.POST, places=places_for_transfer(matter)))
    return services.transfer(matter, by=request.user, version=_version(request), **data)


@verb("decline")
def _decline(request: AccountRequest, matter: Matter) -> Matter:
    return services.decline(matter, by=request.user, version=_version(request), **_cleaned(NoteForm(request.POST)))


@verb("merge")
def _merge(request: AccountRequest, matter: Matter) -> Matter:
    number = request.POST.get("into", "").strip().upper()
    into = Matter.objects.visible_to(request.user).filter(number=number, jurisdiction_id=matter.jurisdiction_id).first()
    if into is None:
        raise services.BadTarget(_("There is no matter “%(number)s” in your scope.") % {"number": number})
    return services.merge(matter, into=into, by=request.user, version=_version(request))


@verb("start")
def _start(request: AccountRequest, matter: Matter) -> Matter:
    return services.start(matter, by=request.user, version=_version(request))


@verb("take")
def _take(request: AccountRequest, matter: Matter) -> Matter:
    return services.take(matter, by=request.user)


@verb("progress")
def _progress(request: AccountRequest, matter: Matter) -> Matter:
    data = _cleaned(NoteForm(request.POST))
    done = services.report_progress(matter, by=request.user, version=_version(request), **data)
    return attach_files(request, done)


@verb("return")
def _return(request: AccountRequest, matter: Matter) -> Matter:
    return services.give_back(matter, by=request.user, version=_version(request), **_cleaned(NoteForm(request.POST)))


@verb("ask")
def _ask(request: AccountRequest, matter: Matter) -> Matter:
    return services.ask(matter, by=request.user, version=_version(request), **_cleaned(NoteForm(request.POST)))


@verb("answer")
def _answer(request: AccountRequest, matter: Matter) -> Matter:
    return services.answer(matter, by=request.user, **_cleaned(NoteForm(request.POST)))


@verb("settle")
def _settle(request: AccountRequest, matter: Matter) -> Matter:
    done = services.settle(matter, by=request.user, version=_version(request), **_cleaned(SettleForm(request.POST)))
    return attach_files(request, done)


def attach_files(request: AccountRequest, done: Matter) -> Matter:
    """Attach the files sent along to the event that ``done`` carries.

    Raises:
        BadFile: there are too many, or one is not what we accept.
    """
    uploads = request.FILES.getlist("files")
    if len(uploads) > MAX_FILES:
        raise BadFile(_("At most %(n)s files at once.") % {"n": MAX_FILES})
    for upload in uploads:
        attach(
            upload,
            jurisdiction=done.jurisdiction,
            record_kind="matter",
            record_id=done.pk,
            by=request.user,
            event_id=done.event.pk,  # type: ignore[attr-defined]
        )
    return done


@requires(Permission.VIEW)
@require_POST
def act(request: AccountRequest, number: str, name: str) -> HttpResponse:
    """Make a move on a matter; what cannot be done is said on its page, with what was typed still there."""
    try:
        before = _fetch_order(request, number) if name == "take" else _fetch_to_act(request, number)
    except Http404:
        if name == "take" or not _went_elsewhere(request, number):
            raise
        messages.error(request, _("This matter was transferred to another place in the meantime; nothing was changed."))
        return redirect("queue")
    action = VERBS.get(name)
    if action is None:
        messages.error(request, _("There is no such action."))
        return redirect("matter", number)
    try:
        with transaction.atomic() if request.FILES else nullcontext():  # the verb has its own; files join it
            done = action(request, before)
    except Invalid as error:
        problem = {name: [str(text) for text in texts] for name, texts in error.form.errors.items()}
        return show(request, fetch(request, number), status=422, failed=name, problem=problem, typed=request.POST)
    except Stale as error:
        return show(
            request, fetch(request, number), status=409, failed=name, conflict=error.message, typed=request.POST
        )
    except (MoveError, BadFile) as error:
        problem = {error.field if isinstance(error, Incomplete) else "": [str(error.args[0])]}
        seen = Matter.objects.visible_to(request.user).filter(number=number).exists()
        if not seen:  # another member took the order: it is not ours to see any more
            messages.error(request, str(error.args[0]))
            return redirect("orders")
        # An order that is taken is no more anybody's to take: that is its state, not the reader's role.
        status = 403 if isinstance(error, NotAllowed) and name != "take" else 409
        return show(request, fetch(request, number), status=status, failed=name, problem=problem, typed=request.POST)
    messages.success(request, DONE_WORDS[name]() % {"number": done.number})
    if request.POST.get("next") == "queue" or not _still_seen(request, done):
        return redirect("queue" if Permission.TRIAGE in request.user.permissions else "work_mine")
    return redirect("matter", number)


DONE_WORDS: dict[str, Callable[[], str]] = {
    "dispatch": lambda: _("%(number)s was handed over."),
    "transfer": lambda: _("%(number)s was transferred."),
    "decline": lambda: _("%(number)s was not taken on; the resident reads why."),
    "merge": lambda: _("%(number)s was merged."),
    "start": lambda: _("%(number)s is under way."),
    "take": lambda: _("%(number)s is yours. Thank you."),
    "progress": lambda: _("The progress of %(number)s was noted."),
    "return": lambda: _("%(number)s was given back."),
    "ask": lambda: _("The resident of %(number)s was asked; the clock stands until they answer."),
    "answer": lambda: _("The answer to %(number)s was noted; the clock goes on."),
    "settle": lambda: _("%(number)s is settled; the resident is asked to rate it."),
}


@requires(Permission.UNMASK)
@require_POST
def contact(request: AccountRequest, number: str) -> HttpResponse:
    """Show the resident's contact in full, once, with the reason; who looked and why is kept."""
    found = fetch(request, number)
    if not Matter.may(request.user, Permission.UNMASK, found):
        messages.error(request, _("Your account may not do this here."))
        return redirect("matter", number)
    try:
        seen = services.reveal_contact(found, by=request.user, reason=request.POST.get("reason", ""))
    except NoReason as error:
        return show(request, found, status=422, failed="contact", problem={"reason": [str(error.message)]})
    return show(request, found, contact=seen)


def send_file(file: Attachment, thumbnail: bool) -> HttpResponseBase:
    """Answer with the content of an attachment; a document is saved, never opened in the page."""
    path = path_of(file.sha256, thumbnail and file.kind == Attachment.Kind.PHOTO)
    if not path.exists():
        raise Http404
    response = FileResponse(
        path.open("rb"),
        as_attachment=file.kind == Attachment.Kind.DOCUMENT,
        filename=file.name if file.kind == Attachment.Kind.DOCUMENT else "",
        content_type=file.content_type,
    )
    response["Cache-Control"] = "private, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@requires(Permission.VIEW)
@require_safe
def attachment(request: AccountRequest, number: str, pk: str) -> HttpResponseBase:
    """A photo or document of a matter in scope."""
    found = get_object_or_404(Matter.objects.visible_to(request.user), number=number)
    file = get_object_or_404(Attachment, pk=pk, record_kind="matter", record_id=found.pk)
    return send_file(file, "small" in request.GET)

"""Pages of rosters: sent in, looked at, entered; sent out again."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.lib.import_result import ImportProblem
from weilu.lib.sheets import TYPE
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.roles import Permission
from weilu.people.models import RosterImport
from weilu.people.rosters import jobs, sending
from weilu.people.rosters.correcting import marked
from weilu.people.rosters.forms import ExportForm, RosterForm
from weilu.people.rosters.kinds import KINDS, LABELS
from weilu.people.rosters.papers import changes_book
from weilu.people.rosters.steps import State

LISTED = 50
ERRORS_SHOWN = 200


@requires(Permission.KEEP)
def rosters(request: AccountRequest) -> HttpResponse:
    """Send a roster in; those sent in before; rosters to fill in and to take along."""
    form = RosterForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            found = jobs.send_in(
                given["file"], kind=given["kind"], place=given["place"], by=request.user,
                create=given["create_organisations"],
            )  # fmt: skip
        except jobs.RosterProblem as problem:
            form.add_error("file", str(problem))
        else:
            return redirect("roster", pk=found.pk)
    return _list(request, form, ExportForm(user=request.user))


def _list(request: AccountRequest, form: RosterForm, export: ExportForm) -> HttpResponse:
    rows = jobs.rosters_of(request.user).defer("report", "mapping")[:LISTED]
    context = {
        "form": form,
        "export": export,
        "rows": [(row, KINDS[row.kind].label) for row in rows if row.kind in KINDS],
        "kinds": list(KINDS.values()),
        "may_unmask": Permission.UNMASK in request.user.permissions,
    }
    return render(request, "people/rosters.html", context, status=422 if form.errors or export.errors else 200)


@requires(Permission.KEEP)
@require_safe
def roster(request: AccountRequest, pk: UUID) -> HttpResponse:
    """One roster: under way, to be looked at, with rows to correct, or done."""
    return _page(request, get_object_or_404(jobs.rosters_of(request.user), pk=pk))


@dataclass(frozen=True)
class Said:
    """What somebody filled in that could not be done as it is; they do not fill it in again.

    Attributes:
        ask: what has to be confirmed before many leave.
    """

    problem: str = ""
    ask: str = ""
    reading: jobs.Reading | None = None


def _page(request: AccountRequest, found: RosterImport, said: Said | None = None) -> HttpResponse:
    kind = KINDS[found.kind]
    report: dict[str, Any] = found.report
    reading = said.reading if said else None
    mapping = reading.mapping if reading else report.get("mapping", {})
    headings = [
        (str(index), text, mapping.get(str(index), "")) for index, text in enumerate(report.get("headings", [])) if text
    ]
    errors = report.get("errors", [])
    sheets, other = report.get("sheets", []), KINDS.get(report.get("looks_like", ""))
    under_way = found.state in (State.WAITING, State.APPLYING)
    context = {
        "roster": found,
        "kind": kind,
        "kinds": list(KINDS.values()),
        "chosen_kind": reading.kind if reading and reading.kind in KINDS else kind.code,
        "other": other if other and other is not kind and not report.get("counts") else None,
        "counts": report.get("counts", {}),
        "under_way": under_way,
        "waits_for": _waits_for(request, found) if under_way else "",
        "can_apply": found.state == State.READ and "counts" in report,
        "can_change": found.state in (State.READ, State.REFUSED),
        "headings": headings,
        "used": [(text, kind.by_key[key].heading) for _index, text, key in headings if key in kind.by_key],
        "unused": [text for _index, text, key in headings if key not in kind.by_key],
        "columns": kind.columns,
        "missing": [column for column in kind.required if headings and column.key not in mapping.values()],
        "report": report,
        "header": reading.header if reading else report.get("header"),
        "sheet": reading.sheet if reading else report.get("sheet"),
        "create": reading.create if reading else found.create_organisations,
        "sheets": sheets if len(sheets) > 1 else [],
        "said": said,
        "errors": [(error, _heading(report, kind, error["field"])) for error in errors[:ERRORS_SHOWN]],
        "more_errors": max(0, len(errors) - ERRORS_SHOWN) + report.get("more_errors", 0),
        "changes": [_change(change) for change in report.get("changes", [])],
        "leaving": report.get("leaving", []),
        "more_changes": bool(report.get("all")) and len(report.get("changes", [])) >= jobs.SHOWN,
        "more_leaving": bool(report.get("all")) and len(report.get("leaving", [])) >= jobs.SHOWN,
        "notes": report.get("notes", []),
        "made": report.get("made", []),
        "unknown_bodies": any(error["field"] == "organisation" for error in errors) and not found.create_organisations,
    }  # fmt: skip
    return render(request, "people/roster.html", context, status=422 if said else 200)


def _change(change: list[Any]) -> dict[str, Any]:
    row, name, body, outcome, fields, post = change
    told = [field if isinstance(field, list) else [field, "", ""] for field in fields]
    values = [(LABELS[key][0], old, new) for key, old, new in told if key in LABELS]
    return {"row": row, "name": name, "body": body, "outcome": outcome, "post": post, "fields": values}


def _waits_for(request: AccountRequest, found: RosterImport) -> str:
    """Say which other roster is worked on, for which this one waits."""
    other = jobs.at_work(found.jurisdiction_id)
    if other is None or other.pk == found.pk:
        return ""
    if not jobs.rosters_of(request.user).filter(pk=other.pk).exists():
        return _("Another roster of the county is worked on; one at a time.")
    by = other.created_by or _("by command")
    return _("Waits for “%(name)s” (%(by)s): a county's rosters are worked on one at a time.") % {
        "name": other.name, "by": by,
    }  # fmt: skip


def _heading(report: dict[str, Any], kind: Any, key: str) -> str:
    """Return the heading over the column of ``key`` as the roster writes it."""
    headings = report.get("headings", [])
    for index, name in report.get("mapping", {}).items():
        if name == key and int(index) < len(headings):
            return headings[int(index)]
    return kind.by_key[key].heading if key in kind.by_key else key


@requires(Permission.KEEP)
@require_POST
def roster_act(request: AccountRequest, pk: UUID, name: str) -> HttpResponse:
    """Enter a roster, read it again with other columns, or give it up."""
    found = get_object_or_404(jobs.rosters_of(request.user), pk=pk)
    reading = _reading(request, found) if name == "read" else None
    try:
        if name == "enter":
            given = {key: key in request.POST for key in ("end_missing", "sure")}
            jobs.enter(found, by=request.user, **given)
        elif reading:
            jobs.read_again(found, by=request.user, reading=reading)
        elif name == "cancel":
            jobs.cancel(found, by=request.user)
        else:
            raise Http404
    except jobs.MustAsk as problem:
        return _page(request, found, Said(ask=str(problem)))
    except jobs.RosterProblem as problem:
        if reading and found.state in (State.READ, State.REFUSED):
            return _page(request, found, Said(problem=str(problem), reading=reading))
        messages.error(request, str(problem))
    return redirect("roster", pk=found.pk)


def _reading(request: AccountRequest, found: RosterImport) -> jobs.Reading:
    given = request.POST
    header = given.get("header", "")
    return jobs.Reading(
        {key.removeprefix("column-"): str(value) for key, value in given.items() if key.startswith("column-")},
        sheet=given.get("sheet", found.report.get("sheet", "")),
        header=int(header) if header.isdecimal() else found.report.get("header", 0),
        kind=given.get("kind", found.kind),
        create="create_organisations" in given,
    )


@requires(Permission.KEEP)
@require_safe
def roster_errors(request: AccountRequest, pk: UUID) -> HttpResponse:
    """The same workbook with the reason beside each cell that is refused."""
    found = get_object_or_404(jobs.rosters_of(request.user), pk=pk)
    try:
        content = marked(jobs.workbook_of(found), jobs.all_errors(found))
    except (jobs.RosterProblem, ImportProblem) as problem:
        messages.error(request, str(problem))
        return redirect("roster", pk=found.pk)
    return _file(content, _("to correct") + "-" + found.name.rpartition(".")[0])


@requires(Permission.KEEP)
@require_safe
def roster_changes(request: AccountRequest, pk: UUID) -> HttpResponse:
    """All that a roster changes, and who is missing from it, as a workbook."""
    found = get_object_or_404(jobs.rosters_of(request.user), pk=pk)
    changes, leaving = jobs.all_changes(found)
    content = changes_book([_change(change) for change in changes], leaving)
    return _file(content, _("changes") + "-" + found.name.rpartition(".")[0])


@requires(Permission.KEEP)
@require_safe
def roster_empty(request: AccountRequest, kind: str) -> HttpResponse:
    """A roster to fill in."""
    if kind not in KINDS:
        raise Http404
    return _file(sending.empty(KINDS[kind]), str(KINDS[kind].label))


@requires(Permission.KEEP)
def roster_export(request: AccountRequest) -> HttpResponse:
    """The roster of today; numbers in full for a reason that is kept."""
    form = ExportForm(request.POST if request.method == "POST" else request.GET, user=request.user)
    if not form.is_valid():
        raise Http404
    given = form.cleaned_data
    kind, reason = KINDS[given["kind"]], given["reason"] if request.method == "POST" else ""
    try:
        content = sending.send_out(kind, given["place"], by=request.user, reason=reason)
    except jobs.RosterProblem as problem:
        form.add_error("reason", str(problem))
        return _list(request, RosterForm(user=request.user), form)
    return _file(content, f"{given['place']}-{kind.label}")


def _file(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=TYPE)
    answer["Content-Disposition"] = "attachment; filename*=UTF-8''" + quote(f"{name}.xlsx")
    return answer

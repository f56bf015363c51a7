"""Pages of rosters: sent in, looked at, entered; sent out again."""

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
    rows = jobs.rosters_of(request.user).defer("report", "mapping")[:LISTED]
    context = {
        "form": form,
        "rows": [(row, KINDS[row.kind].label) for row in rows if row.kind in KINDS],
        "kinds": list(KINDS.values()),
        "places": form.fields["place"].queryset,  # type: ignore[attr-defined]
        "may_unmask": Permission.UNMASK in request.user.permissions,
    }
    return render(request, "people/rosters.html", context, status=422 if form.errors else 200)


@requires(Permission.KEEP)
@require_safe
def roster(request: AccountRequest, pk: UUID) -> HttpResponse:
    """One roster: under way, to be looked at, with rows to correct, or done."""
    return _page(request, get_object_or_404(jobs.rosters_of(request.user), pk=pk))


def _page(request: AccountRequest, found: RosterImport) -> HttpResponse:
    kind = KINDS[found.kind]
    report: dict[str, Any] = found.report
    mapping = report.get("mapping", {})
    headings = [
        (str(index), text, mapping.get(str(index), "")) for index, text in enumerate(report.get("headings", [])) if text
    ]
    errors = report.get("errors", [])
    context = {
        "roster": found,
        "kind": kind,
        "counts": report.get("counts", {}),
        "under_way": found.state in (State.WAITING, State.APPLYING),
        "can_apply": found.state == State.READ and "counts" in report,
        "can_change": found.state in (State.READ, State.REFUSED),
        "headings": headings,
        "columns": kind.columns,
        "missing": [column for column in kind.required if headings and column.key not in mapping.values()],
        "report": report,
        "sheets": report.get("sheets", []) if len(report.get("sheets", [])) > 1 else [],
        "errors": [(error, _heading(report, kind, error["field"])) for error in errors[:ERRORS_SHOWN]],
        "more_errors": max(0, len(errors) - ERRORS_SHOWN) + report.get("more_errors", 0),
        "changes": [
            {"row": row, "name": name, "body": body, "outcome": outcome, "post": post,
             "fields": [LABELS[key][0] for key in fields if key in LABELS]}
            for row, name, body, outcome, fields, post in report.get("changes", [])
        ],
        "leaving": report.get("leaving", []),
        "notes": report.get("notes", []),
        "made": report.get("made", []),
        "unknown_bodies": any(error["field"] == "organisation" for error in errors) and not found.create_organisations,
    }  # fmt: skip
    return render(request, "people/roster.html", context)


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
    try:
        if name == "enter":
            jobs.enter(found, by=request.user, end_missing="end_missing" in request.POST)
        elif name == "read":
            mapping = {
                key.removeprefix("column-"): str(value)
                for key, value in request.POST.items()
                if key.startswith("column-")
            }
            jobs.read_again(
                found, by=request.user, mapping=mapping, create="create_organisations" in request.POST,
                sheet=request.POST.get("sheet", found.report.get("sheet", "")),
            )  # fmt: skip
        elif name == "cancel":
            jobs.cancel(found, by=request.user)
        else:
            raise Http404
    except jobs.RosterProblem as problem:
        messages.error(request, str(problem))
    return redirect("roster", pk=found.pk)


@requires(Permission.KEEP)
@require_safe
def roster_errors(request: AccountRequest, pk: UUID) -> HttpResponse:
    """The same workbook with the reason beside each cell that is refused."""
    found = get_object_or_404(jobs.rosters_of(request.user), pk=pk)
    try:
        content = marked(jobs.workbook_of(found), found.report.get("errors", []))
    except (jobs.RosterProblem, ImportProblem) as problem:
        messages.error(request, str(problem))
        return redirect("roster", pk=found.pk)
    return _file(content, _("to correct") + "-" + found.name.rpartition(".")[0])


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
        messages.error(request, str(problem))
        return redirect("rosters")
    return _file(content, f"{given['place']}-{kind.label}")


def _file(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=TYPE)
    answer["Content-Disposition"] = "attachment; filename*=UTF-8''" + quote(f"{name}.xlsx")
    return answer

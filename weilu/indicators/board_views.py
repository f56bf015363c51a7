"""Pages of boards: for the office that keeps one, for those who are ranked, for everybody once it is published."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from weilu.indicators import boards
from weilu.indicators.asked import offered_periods
from weilu.indicators.boards import BoardError
from weilu.indicators.catalogue import catalogue
from weilu.indicators.choose import NotThere, period_of
from weilu.indicators.models import Board, Edition, EditionRow, Objection
from weilu.indicators.suppression import counted_people, is_small, suppressed
from weilu.lib.indicators import Indicator
from weilu.lib.period import Period
from weilu.orgs.access import AccountRequest, public, requires
from weilu.orgs.models import Jurisdiction, Level, Place
from weilu.orgs.rate_limit import limited
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope

RANKED = (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE, Level.GRID)
LINES = 4
USUAL_LEAST = 10


class BoardForm(forms.Form):
    """A new board: its title, what is ranked, and up to four indicators with their weight."""

    title = forms.CharField(label=_lazy("Title"), max_length=60)
    level = forms.TypedChoiceField(label=_lazy("What is ranked"), coerce=int)
    least = forms.IntegerField(
        label=_lazy("Fewest records"),
        min_value=0,
        max_value=10_000,
        initial=USUAL_LEAST,
        help_text=_lazy("Of shares and averages: a place with fewer records is shown, and not ranked."),
    )

    def __init__(self, *args: Any, place: Place, board: Board | None = None, **kwargs: Any):
        super().__init__(*args, initial=self.kept(board) if board else None, **kwargs)
        below = [(level.value, level.label) for level in RANKED if level > place.level]
        self.fields["level"].choices = below  # type: ignore[attr-defined]
        if board:  # places of another level would be another board
            self.fields["level"].disabled = True
        choices = [("", "—"), *((item.code, item.name) for item in catalogue().values() if not item.by_now)]
        for line in range(1, LINES + 1):
            self.fields[f"code{line}"] = forms.ChoiceField(
                label=_("Indicator %(n)s") % {"n": line}, choices=choices, required=line == 1
            )
            self.fields[f"weight{line}"] = forms.IntegerField(
                label=_("Weight"), min_value=1, max_value=10, initial=1, required=False
            )
            self.fields[f"better{line}"] = forms.ChoiceField(
                label=_("Better is"), choices=[("more", _("more")), ("less", _("less"))], required=False
            )

    @staticmethod
    def kept(board: Board) -> dict[str, Any]:
        """Return what the form shows of a board that is there."""
        found: dict[str, Any] = {"title": board.title, "level": board.level, "least": board.least}
        for line, each in enumerate(board.measures[:LINES], 1):
            better = "more" if each["more"] else "less"
            found |= {f"code{line}": each["code"], f"weight{line}": each["weight"], f"better{line}": better}
        return found

    @property
    def lines(self) -> list[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        """The fields of each indicator, as the page sets them beside each other."""
        return [(self[f"code{line}"], self[f"weight{line}"], self[f"better{line}"]) for line in range(1, LINES + 1)]

    @property
    def measures(self) -> list[dict[str, Any]]:
        """The rule, as a board keeps it."""
        data = self.cleaned_data
        return [
            {
                "code": data[f"code{line}"],
                "weight": data[f"weight{line}"] or 1,
                "more": data[f"better{line}"] != "less",
            }
            for line in range(1, LINES + 1)
            if data[f"code{line}"]
        ]


def _kept_place(request: AccountRequest) -> Place:
    grants = request.user.grants_for(Permission.MANAGE) or request.user.grants_for(Permission.TRIAGE)
    return min((grant.place for grant in grants), key=lambda place: place.level)


def quarter_before(day: dt.date) -> Period:
    """Return the last quarter that is over: what a board is usually computed for."""
    return Period.of(f"{day.year}Q{(day.month + 2) // 3}").before


@requires(Permission.VIEW)
@require_safe
def board_list(request: AccountRequest) -> HttpResponse:
    """The boards that the reader's places stand on, with their latest editions."""
    rows = Board.objects.visible_to(request.user).select_related("place").prefetch_related("editions__board")
    for board in rows:
        board.computed = boards.may_keep(request.user, board)  # type: ignore[attr-defined]
        board.kept = Permission.MANAGE in request.user.permissions and boards.may_keep(request.user, board)  # type: ignore[attr-defined]
        board.columns = _columns(board)  # type: ignore[attr-defined]
        drafts = [] if board.computed else [Edition.State.DRAFT]  # type: ignore[attr-defined]
        board.readable = [each for each in board.editions.all() if each.state not in drafts]  # type: ignore[attr-defined]
    keeps = Permission.MANAGE in request.user.permissions
    today = timezone.localdate()
    periods = [each for each in offered_periods(quarter_before(today), today) if each.start <= today]
    context = {"boards": rows, "keeps": keeps, "periods": periods}
    return render(request, "indicators/boards.html", context)


@requires(Permission.MANAGE)
def board_new(request: AccountRequest) -> HttpResponse:
    """A new board for the administrator's place."""
    place = _kept_place(request)
    form = BoardForm(request.POST or None, place=place)

    def make() -> None:
        boards.check_measures(form.measures, form.cleaned_data["level"])
        Board.objects.create(
            jurisdiction=Jurisdiction.of(place),
            place=place,
            title=form.cleaned_data["title"],
            level=form.cleaned_data["level"],
            measures=form.measures,
            least=form.cleaned_data["least"],
            created_by=request.user,
        )

    if request.method == "POST" and _saved(form, make):
        messages.success(request, _("The board is there. Compute its first edition."))
        return redirect("boards")
    return _form_page(request, form, place)


@requires(Permission.MANAGE)
def board_edit(request: AccountRequest, pk: str) -> HttpResponse:
    """Title and rule of a board, for editions computed from now on."""
    board = _kept(request, pk)
    form = BoardForm(request.POST or None, place=board.place, board=board)

    def change() -> None:
        data = form.cleaned_data
        boards.change(board, title=data["title"], measures=form.measures, least=data["least"], by=request.user)

    if request.method == "POST" and _saved(form, change):
        messages.success(request, _("The board was changed. What was published stays as it was."))
        return redirect("boards")
    # As it is kept: a change that was refused may stand in the one at hand.
    return _form_page(request, form, board.place, board=Board.objects.get(pk=pk))


@requires(Permission.MANAGE)
@require_POST
def board_remove(request: AccountRequest, pk: str) -> HttpResponse:
    """Remove a board of which nothing was shown yet."""
    board = _kept(request, pk)
    try:
        boards.remove(board, by=request.user)
    except BoardError as error:
        messages.error(request, str(error.message))
        return redirect("board_edit", pk)
    messages.success(request, _("“%(title)s” was removed.") % {"title": board.title})
    return redirect("boards")


def _kept(request: AccountRequest, pk: str) -> Board:
    board = get_object_or_404(Board.objects.visible_to(request.user).select_related("place"), pk=pk)
    if not boards.may_keep(request.user, board):
        raise Http404
    return board


def _saved(form: BoardForm, save: Callable[[], None]) -> bool:
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            save()
    except BoardError as error:
        form.add_error(None, str(error.message))
    except IntegrityError:
        form.add_error("title", _("There is a board of this title already."))
    return not form.errors


def _form_page(request: AccountRequest, form: BoardForm, place: Place, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "indicators/board_new.html", {"form": form, "place": place, **context}, status=status)


@requires(Permission.VIEW)
@require_POST
def edition_new(request: AccountRequest, pk: str) -> HttpResponse:
    """Compute a board for a period."""
    board = get_object_or_404(Board.objects.visible_to(request.user).select_related("place"), pk=pk)
    try:
        edition = boards.start_edition(board, period=period_of(request.POST.get("period", "")), by=request.user)
    except (NotThere, BoardError) as error:
        messages.error(request, str(error))
        return redirect("boards")
    return redirect("edition", edition.pk)


def _edition(request: AccountRequest, pk: str) -> Edition:
    rows = Edition.objects.filter(board__in=Board.objects.visible_to(request.user)).select_related("board__place")
    found = get_object_or_404(rows, pk=pk)
    if found.state == Edition.State.DRAFT and not boards.may_keep(request.user, found.board):
        return get_object_or_404(rows, pk=None)  # a draft is for those who keep the board
    return found


def _columns(ranked_by: Edition | Board) -> list[tuple[Indicator, dict[str, Any]]]:
    known = catalogue()
    return [(known[each["code"]], each) for each in ranked_by.measures if each["code"] in known]


def _context(edition: Edition) -> dict[str, Any]:
    corrections = list(edition.corrections.select_related("place").order_by("at"))
    for row in corrections:
        row.indicator = known = catalogue().get(row.code)  # type: ignore[attr-defined]
        if known and not known.is_fraction:  # kept as floats, and counts all the same
            row.was, row.now = (value if value is None else int(value) for value in (row.was, row.now))
    return {
        "edition": edition,
        "board": edition.board,
        "columns": _columns(edition),
        "fractions": any(indicator.is_fraction for indicator, _measure in _columns(edition)),
        "rows": list(edition.rows.select_related("place")),
        "corrections": corrections,
        "whole": edition.seal == boards.seal_of(edition) if edition.seal else True,
    }


@requires(Permission.VIEW)
@require_safe
def edition(request: AccountRequest, pk: str) -> HttpResponse:
    """An edition with the reasons behind each place, its objections and what can be done next."""
    return _page(request, _edition(request, pk))


def _page(request: AccountRequest, found: Edition, typed: dict[str, str] | None = None) -> HttpResponse:
    """Show an edition; with what was typed, where a step was refused."""
    keeps = boards.may_keep(request.user, found.board)
    objections = found.objections.select_related("place", "by", "answered_by")
    mine = Place.objects.filter(
        places_in_scope(request.user, Permission.TRIAGE), pk__in=found.rows.values("place")
    ).order_by("code")
    context = _context(found) | {
        "keeps": keeps,
        "objections": objections,
        "mine": mine[:100] if found.state == Edition.State.SHOWN else [],
        "over": bool(found.object_until and timezone.localdate() > found.object_until),
        "typed": typed or {},
        "not_public": len({place for place, _code in kept_back(list(found.rows.all()))}) if keeps else 0,
        "opened": set(
            Place.objects.filter(
                places_in_scope(request.user, Permission.VIEW), pk__in=found.rows.values("place")
            ).values_list("pk", flat=True)
        ),
    }
    return render(request, "indicators/edition.html", context, status=422 if typed else 200)


def _objection(found: Edition, request: AccountRequest) -> Objection:
    try:
        pk = UUID(request.POST.get("objection", ""))
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(found.objections, pk=pk)


def _object(found: Edition, request: AccountRequest) -> str:
    place = get_object_or_404(
        Place.objects.filter(places_in_scope(request.user, Permission.TRIAGE)), code=request.POST.get("place", "")
    )
    boards.object_to(found, place=place, by=request.user, text=request.POST.get("text", ""))
    return _("The objection was noted.")


def _answer(found: Edition, request: AccountRequest) -> str:
    boards.answer(_objection(found, request), by=request.user, text=request.POST.get("text", ""))
    return _("The objection was answered.")


def _correct(found: Edition, request: AccountRequest) -> str:
    rows = boards.correct(found, by=request.user, reason=request.POST.get("text", ""))
    if not rows:
        return _("The records still say what was published; nothing was added.")
    return _("%(n)s values differ now; they stand beside the published ones.") % {"n": len(rows)}


def _compute(found: Edition, request: AccountRequest) -> str:
    before = found.object_until
    after = boards.compute(found, by=request.user).object_until
    if after == before:
        return _("The edition was computed again from the records.")
    return _("Computed again: something changed, so objections are possible until %(day)s.") % {"day": after}


def _show(found: Edition, request: AccountRequest) -> str:
    boards.show(found, by=request.user)
    return _("Those who are ranked can read it now and object.")


def _publish(found: Edition, request: AccountRequest) -> str:
    boards.publish(found, by=request.user)
    return _("The edition is published and sealed.")


STEPS = {
    "compute": _compute, "show": _show, "object": _object, "answer": _answer, "publish": _publish, "correct": _correct,
}  # fmt: skip


@requires(Permission.VIEW)
@require_POST
def edition_act(request: AccountRequest, pk: str, name: str) -> HttpResponse:
    """Make a step with an edition; what cannot be done is said on its page."""
    found = _edition(request, pk)
    try:
        messages.success(request, STEPS[name](found, request))
    except KeyError:
        messages.error(request, _("There is no such action."))
    except BoardError as error:
        messages.error(request, str(error.message))
        return _page(request, found, {"step": name, **request.POST.dict()})
    return redirect("edition", found.pk)


def for_everybody(context: dict[str, Any]) -> dict[str, Any]:
    """Return an edition's page without small numbers about people, and without what would give them away.

    A rank gives them away where few values are possible: places with such a number come last, without rank and points.
    """
    known, kept = catalogue(), kept_back(context["rows"])
    for row in context["rows"]:
        row.values = [
            value | ({"small": True, "value": None} if (row.place_id, value["code"]) in kept else {"small": False})
            for value in row.values
            if value["code"] in known
        ]
        row.kept = any(value["small"] for value in row.values)
    context["kept_back"] = any(row.kept for row in context["rows"])
    context["rows"].sort(key=lambda row: (row.kept, row.place.code if row.kept else ""))
    for row in context["corrections"]:
        people = row.indicator is not None and row.indicator.people
        row.small = people and ((row.place_id, row.code) in kept or is_small(row.was) or is_small(row.now))
    return context


def kept_back(rows: list[EditionRow]) -> set[tuple[UUID, str]]:
    """Return the values that the public does not see, by place and code of the indicator."""
    kept: set[tuple[UUID, str]] = set()
    for code, indicator in catalogue().items():
        if indicator.people:
            values = {row.place_id: value for row in rows for value in row.values if value["code"] == code}
            kept |= {
                (place, code)
                for place in suppressed({place: counted_people(indicator, value) for place, value in values.items()})
            }
    return kept


@public
@limited("read")
@require_safe
def public_board(request: HttpRequest, pk: str) -> HttpResponse:
    """A published edition as it was sealed, with later corrections beside it."""
    rows = Edition.objects.filter(state=Edition.State.PUBLISHED).select_related("board__place", "jurisdiction__place")
    found = get_object_or_404(rows, pk=pk)
    context = for_everybody(_context(found))
    return render(request, "indicators/public_board.html", context | {"jurisdiction": found.jurisdiction})


@public
@limited("read")
@require_safe
def public_boards(request: HttpRequest) -> HttpResponse:
    """Boards that were published, the newest first."""
    rows = Edition.objects.filter(state=Edition.State.PUBLISHED).select_related("board__place", "jurisdiction__place")
    found = list(rows.order_by("-published_at")[:50])
    jurisdiction = found[0].jurisdiction if found else Jurisdiction.objects.select_related("place").first()
    return render(request, "indicators/public_boards.html", {"editions": found, "jurisdiction": jurisdiction})

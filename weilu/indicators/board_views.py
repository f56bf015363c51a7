"""Pages of boards: for the office that keeps one, for those who are ranked, for everybody once it is published."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
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
from weilu.indicators.models import Board, Edition, Objection
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


class BoardForm(forms.Form):
    """A new board: its title, what is ranked, and up to four indicators with their weight."""

    title = forms.CharField(label=_lazy("Title"), max_length=60)
    level = forms.TypedChoiceField(label=_lazy("What is ranked"), coerce=int)

    def __init__(self, *args: Any, place: Place, **kwargs: Any):
        super().__init__(*args, **kwargs)
        below = [(level.value, level.label) for level in RANKED if level > place.level]
        self.fields["level"].choices = below  # type: ignore[attr-defined]
        choices = [("", "—"), *((item.code, item.name) for item in catalogue().values())]
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
    rows = Board.objects.visible_to(request.user).select_related("place").prefetch_related("editions")
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
    if request.method == "POST" and form.is_valid():
        try:
            boards.check_measures(form.measures, form.cleaned_data["level"])
            with transaction.atomic():
                Board.objects.create(
                    jurisdiction=Jurisdiction.of(place),
                    place=place,
                    title=form.cleaned_data["title"].strip(),
                    level=form.cleaned_data["level"],
                    measures=form.measures,
                    created_by=request.user,
                )
        except BoardError as error:
            form.add_error(None, str(error.message))
        except IntegrityError:
            form.add_error("title", _("There is a board of this title already."))
        else:
            messages.success(request, _("The board is there. Compute its first edition."))
            return redirect("boards")
    return render(
        request, "indicators/board_new.html", {"form": form, "place": place}, status=422 if form.errors else 200
    )


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


def _columns(edition: Edition) -> list[tuple[Indicator, dict[str, Any]]]:
    known = catalogue()
    return [(known[each["code"]], each) for each in edition.measures if each["code"] in known]


def _context(edition: Edition) -> dict[str, Any]:
    corrections = list(edition.corrections.select_related("place").order_by("at"))
    for row in corrections:
        row.indicator = catalogue().get(row.code)  # type: ignore[attr-defined]
    return {
        "edition": edition,
        "board": edition.board,
        "columns": _columns(edition),
        "rows": list(edition.rows.select_related("place")),
        "corrections": corrections,
        "whole": edition.seal == boards.seal_of(edition) if edition.seal else True,
    }


@requires(Permission.VIEW)
@require_safe
def edition(request: AccountRequest, pk: str) -> HttpResponse:
    """An edition with the reasons behind each place, its objections and what can be done next."""
    found = _edition(request, pk)
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
    }
    return render(request, "indicators/edition.html", context)


def _objection(found: Edition, request: AccountRequest) -> Objection:
    return get_object_or_404(found.objections, pk=request.POST.get("objection") or None)


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
    return _("%(n)s values differ now; they stand beside the published ones.") % {"n": len(rows)}


def _compute(found: Edition, request: AccountRequest) -> str:
    boards.compute(found, by=request.user)
    return _("The edition was computed again from the records.")


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
    return redirect("edition", found.pk)


def for_everybody(context: dict[str, Any]) -> dict[str, Any]:
    """Return an edition's page without small numbers about people, and without what would give them away."""
    known, kept = catalogue(), set()
    for code, indicator in known.items():
        if indicator.people:
            values = {row.place_id: value for row in context["rows"] for value in row.values if value["code"] == code}
            kept |= {
                (place, code)
                for place in suppressed({place: counted_people(indicator, value) for place, value in values.items()})
            }
    for row in context["rows"]:
        row.values = [
            value | ({"small": True, "value": None} if (row.place_id, value["code"]) in kept else {"small": False})
            for value in row.values
            if value["code"] in known
        ]
    for row in context["corrections"]:
        people = row.indicator is not None and row.indicator.people
        row.small = people and ((row.place_id, row.code) in kept or is_small(row.was) or is_small(row.now))
    return context


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

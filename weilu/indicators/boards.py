"""The verbs of boards: compute, show for objections, object, answer, publish and seal, correct."""

import datetime as dt
import json
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from weilu.indicators.below import nothing, places_of
from weilu.indicators.catalogue import catalogue
from weilu.indicators.contributions import by_path
from weilu.indicators.models import Board, Correction, Edition, EditionRow, Objection
from weilu.indicators.reading import LEVELS, Part, read
from weilu.indicators.words import period_words
from weilu.lib.period import Period
from weilu.orgs.attribution import counting
from weilu.orgs.models import Level, Place, User
from weilu.orgs.roles import Permission
from weilu.orgs.sharding import key_of

MOST_MEASURES = 8
OBJECTION_DAYS = 5
WORDS, REASON = 500, 200  # characters
S = Edition.State


class BoardError(Exception):
    """A step that cannot be made; the message says why and what to do."""

    def __init__(self, message: str | Promise):
        super().__init__(message)
        self.message = message


def may_keep(user: User, board: Board) -> bool:
    """Tell whether ``user`` keeps the board: an administrator or dispatcher of its place."""
    return any(
        board.place.path.startswith(grant.place.path) and not grant.by_organisation
        for permission in (Permission.MANAGE, Permission.TRIAGE)
        for grant in user.grants_for(permission)
    )


def check_measures(measures: list[dict[str, Any]], level: int) -> None:
    """Refuse a rule that cannot be computed.

    Raises:
        BoardError: no indicator, too many, one that is not there, one named twice, or a weight that is none.
    """
    if not 1 <= len(measures) <= MOST_MEASURES:
        raise BoardError(_("A board ranks by one to %(n)s indicators.") % {"n": MOST_MEASURES})
    codes = [measure["code"] for measure in measures]
    if len(set(codes)) < len(codes):
        raise BoardError(_("An indicator stands twice in the rule."))
    for measure in measures:
        if measure["code"] not in catalogue():
            raise BoardError(_("There is no indicator “%(code)s”.") % {"code": measure["code"]})
        if catalogue()[measure["code"]].by_now:
            raise BoardError(
                _("“%(name)s” hangs on the moment it is read: no board of a period can be ranked by it.")
                % {"name": catalogue()[measure["code"]].name}
            )
        if not 1 <= measure["weight"] <= 10:
            raise BoardError(_("A weight is a whole number from 1 to 10."))
    if level not in (Level.CITY, Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE, Level.GRID):
        raise BoardError(_("Cities, counties, townships, villages or grids can be ranked."))


@dataclass
class Standing:
    """A place while a board is computed."""

    place: Place
    values: list[dict[str, Any]]
    # Exact: who is level is not told apart by what is lost in rounding.
    score: Fraction = Fraction(0)

    @property
    def few(self) -> bool:
        """Whether it has too few records to be ranked."""
        return any(value["rank"] is None for value in self.values)


def _ranked(places: list[Place], parts: dict[str, Part], more: bool, least: int) -> dict[str, tuple[Any, Fraction]]:
    """Return rank and points of each place by its code: points are the share of places it is ahead of or level with.

    Places without a value come last together and get no points: nothing to judge is no merit. Those with fewer than
    ``least`` records have no rank, and nobody is ahead of them.
    """
    few = {place.code for place in places if parts[place.code].rows < least}
    values = {place.code: parts[place.code].value for place in places}
    known = [value for code, value in values.items() if value is not None and code not in few]
    found: dict[str, tuple[Any, Fraction]] = dict.fromkeys(few, (None, Fraction(0)))
    for code, value in values.items():
        if code in few:
            continue
        if value is None:
            found[code] = (len(known) + 1, Fraction(0))
            continue
        ahead = sum(other > value if more else other < value for other in known)
        found[code] = (ahead + 1, Fraction(100 * (len(known) - ahead), len(known)))
    return found


def standings(
    board_place: Place, level: int, measures: list[dict[str, Any]], period: Period, least: int = 0
) -> list[Standing]:
    """Compute a board: every place of the level, by weighted points, best first; at the end those with too few records.

    Args:
        least: of shares and averages, the number of records below which a place is not ranked.
    """
    # The places of today: what was merged or renamed since is counted in what goes on from it.
    places = places_of(board_place, Level(level))
    found = {place.code: Standing(place, []) for place in places}
    weights = sum(measure["weight"] for measure in measures)
    by = next(name for name, each in LEVELS.items() if each == level)
    for measure in measures:
        indicator = catalogue()[measure["code"]]
        parts = {str(place.code): nothing(indicator, str(place.code), "") for place in places}
        parts |= {part.key: part for part in read(indicator, board_place, period, by).parts}
        fewest = least if indicator.is_fraction else 0
        for code, (rank, points) in _ranked(places, parts, measure["more"], fewest).items():
            part = parts[code]
            found[code].values.append(
                {
                    "code": indicator.code,
                    "version": indicator.version,
                    "value": part.value,
                    "numerator": part.numerator,
                    "denominator": part.denominator,
                    "rows": part.rows,
                    "rank": rank,
                    "points": round(float(points), 2),
                }
            )
            found[code].score += points * measure["weight"] / weights
    return sorted(found.values(), key=lambda each: (each.few, 0 if each.few else -each.score, each.place.code))


def _locked(edition: Edition, *states: str) -> Edition:
    rows = Edition.objects.select_for_update(of=("self",)).select_related("board__place")
    locked = rows.get(**key_of(edition))
    if locked.state not in states:
        raise BoardError(
            _("This edition is “%(state)s” now; the step is not open.") % {"state": locked.get_state_display()}
        )
    return locked


@transaction.atomic
def change(board: Board, *, title: str, measures: list[dict[str, Any]], least: int, by: User) -> Board:
    """Change title and rule of a board for editions that are computed from now on.

    Raises:
        BoardError: the rule cannot be computed, or ``by`` does not keep the board.
    """
    _require(by, board)
    check_measures(measures, board.level)
    board.title, board.measures, board.least = title, measures, least
    board.save(update_fields=["title", "measures", "least"])
    return board


@transaction.atomic
def remove(board: Board, *, by: User) -> None:
    """Remove a board that nobody but those who keep it has seen, with its drafts.

    Raises:
        BoardError: an edition of it was shown or published, or ``by`` does not keep the board.
    """
    _require(by, board)
    Board.objects.select_for_update(of=("self",)).get(**key_of(board))
    if board.was_shown:
        raise BoardError(_("An edition of it was shown to those who are ranked: the board stays."))
    board.editions.all().delete()
    board.delete()


@transaction.atomic
def start_edition(board: Board, *, period: Period, by: User) -> Edition:
    """Begin the edition of a period and compute it; the one that is there is returned as it stands.

    Raises:
        BoardError: the period has not begun, or ``by`` does not keep the board.
    """
    _require(by, board)
    if period.is_days:
        raise BoardError(_("A board is for a month, a quarter, a year or some years."))
    if period.start > timezone.localdate():
        raise BoardError(_("%(period)s has not begun.") % {"period": period_words(period)})
    edition, fresh = Edition.objects.get_or_create(
        board=board, period=period.text, defaults={"jurisdiction_id": board.jurisdiction_id}
    )
    return compute(edition, by=by) if fresh else edition


def said(text: str, most: int, without: str | Promise) -> str:
    """Return what was written, without space around it.

    Raises:
        BoardError: nothing was, or more than there is room for: nothing is cut.
    """
    text = text.strip()
    if not text:
        raise BoardError(without)
    if len(text) > most:
        raise BoardError(_("Too long: %(n)s characters, there is room for %(most)s.") % {"n": len(text), "most": most})
    return text


def _require(by: User, board: Board) -> None:
    if not may_keep(by, board):
        raise BoardError(_("Your account may not do this here."))


@transaction.atomic
def compute(edition: Edition, *, by: User) -> Edition:
    """Compute an edition that is not published, from the records as they are now.

    One that is only a draft takes the board's rule of today. One that was shown keeps the rule it was shown with, and
    where anything in it changed, those who are ranked have the time for objections anew: what is published is what
    they could object to.
    """
    edition = _locked(edition, S.DRAFT, S.SHOWN)
    _require(by, edition.board)
    board, before = edition.board, said_of(edition)
    if edition.state == S.DRAFT:
        edition.title, edition.measures, edition.least = board.title, board.measures, board.least
    edition.rows.all().delete()
    EditionRow.objects.bulk_create(_rows(edition))
    edition.computed_at = timezone.now()
    if edition.state == S.SHOWN and said_of(edition) != before:
        until = timezone.localdate() + dt.timedelta(days=OBJECTION_DAYS)
        edition.object_until = max(until, edition.object_until or until)
    edition.save(update_fields=["computed_at", "object_until", "title", "measures", "least"])
    return edition


def _rows(edition: Edition) -> list[EditionRow]:
    board, period = edition.board, Period.of(edition.period)
    rows: list[EditionRow] = []
    last: Standing | None = None
    for number, standing in enumerate(standings(board.place, board.level, edition.measures, period, edition.least), 1):
        level = last is not None and last.score == standing.score
        rank = rows[-1].rank if level else number  # 1, 2, 2, 4
        last = standing
        rows.append(
            EditionRow(
                jurisdiction_id=board.jurisdiction_id,
                edition=edition,
                place=standing.place,
                rank=None if standing.few else rank,
                score=0 if standing.few else round(float(standing.score), 4),
                values=standing.values,
            )
        )
    return rows


@transaction.atomic
def show(edition: Edition, *, by: User, until: dt.date | None = None) -> Edition:
    """Open an edition to those who are ranked: they may object until a day."""
    edition = _locked(edition, S.DRAFT)
    _require(by, edition.board)
    edition.state = S.SHOWN
    edition.object_until = until or timezone.localdate() + dt.timedelta(days=OBJECTION_DAYS)
    edition.save(update_fields=["state", "object_until"])
    return edition


@transaction.atomic
def object_to(edition: Edition, *, place: Place, by: User, text: str) -> Objection:
    """Object for a place that is ranked.

    Raises:
        BoardError: the time is over, nothing is said, or ``by`` does not work for the place.
    """
    edition = _locked(edition, S.SHOWN)
    if edition.object_until and timezone.localdate() > edition.object_until:
        raise BoardError(_("The time for objections is over."))
    text = said(text, WORDS, _("Say what is wrong: which value, and which record shows it."))
    mine = any(place.path.startswith(grant.place.path) for grant in by.grants_for(Permission.TRIAGE))
    if not mine or not edition.rows.filter(place=place).exists():
        raise BoardError(_("Only a place that is ranked here can object, through one of its clerks."))
    # Pressed twice, it is one objection.
    same = edition.objections.filter(place=place, text=text, answered_at=None).first()
    return same or Objection.objects.create(
        jurisdiction_id=edition.jurisdiction_id, edition=edition, place=place, by=by, text=text
    )


@transaction.atomic
def answer(objection: Objection, *, by: User, text: str) -> Objection:
    """Answer an objection, once; recorded work is corrected where it stands, and the edition computed again."""
    edition = _locked(objection.edition, S.SHOWN)
    _require(by, edition.board)
    text = said(text, WORDS, _("An answer needs words."))
    changed = Objection.objects.filter(pk=objection.pk, answered_at=None).update(
        answer=text, answered_at=timezone.now(), answered_by=by
    )
    if not changed:
        raise BoardError(_("This objection was answered in the meantime."))
    objection.refresh_from_db()
    return objection


def said_of(edition: Edition) -> list[Any]:
    """Return what an edition says of each place, as its seal holds it."""
    rows = edition.rows.select_related("place").order_by("rank", "place__code")
    return [[row.place.code, row.rank, row.score, row.values] for row in rows]


def seal_of(edition: Edition) -> str:
    """Return the hash of what an edition says: whoever recounts it sees whether it was changed."""
    rows_said = said_of(edition)
    what: list[Any] = [str(edition.board_id), edition.period, edition.measures, rows_said]
    if edition.title:  # those of before titles were kept were sealed without
        what += [edition.title, edition.least]
    text = json.dumps(what, sort_keys=True)
    return sha256(text.encode()).hexdigest()


@transaction.atomic
def publish(edition: Edition, *, by: User) -> Edition:
    """Publish and seal an edition.

    Raises:
        BoardError: the period is not over or was not when the edition was computed; objections are not answered yet, or
            their time is not over.
    """
    edition = _locked(edition, S.SHOWN)
    _require(by, edition.board)
    last = Period.of(edition.period).last_day
    if last >= timezone.localdate():
        raise BoardError(
            _("%(period)s is not over: publish it after %(day)s.")
            % {"period": period_words(Period.of(edition.period)), "day": last}
        )
    if timezone.localdate(edition.computed_at) <= last:
        raise BoardError(_("It was computed before the period was over: compute it again."))
    if open_ones := edition.objections.filter(answered_at=None).count():
        raise BoardError(_("%(n)s objections are not answered yet.") % {"n": open_ones})
    if edition.object_until and timezone.localdate() <= edition.object_until:
        raise BoardError(_("Objections are possible until %(day)s.") % {"day": edition.object_until})
    edition.state, edition.published_at, edition.published_by = S.PUBLISHED, timezone.now(), by
    edition.seal = seal_of(edition)
    edition.save(update_fields=["state", "published_at", "published_by", "seal"])
    return edition


def _values_now(edition: Edition, board: Board, period: Period) -> dict[tuple[Any, str], float | int | None]:
    """Return what the records say now of each place that was published, by its key and the code of the indicator.

    A place that was renamed since is what it is called today. Of one that was merged, split or put elsewhere what was
    recorded for it is read by itself: the value of what it is part of today is no correction. What bodies and people at
    it say goes on elsewhere then, and is not compared any more.
    """
    today = {
        (standing.place.pk, value["code"]): value["value"]
        for standing in standings(board.place, board.level, edition.measures, period)
        for value in standing.values
    }
    published = list(edition.rows.select_related("place"))
    places = counting(row.place_id for row in published)
    found: dict[tuple[Any, str], float | int | None] = {}
    for row in published:
        now, mine = places[row.place_id], {row.place_id, *row.place.formerly}
        same = set(now.formerly) <= mine
        alone = copy(row.place)
        alone.split_away, alone.valid_to = None, None  # all that was recorded for it, whatever it is part of today
        for measure in edition.measures:
            key, there = (row.place_id, measure["code"]), (now.pk, measure["code"])
            if same and there in today:
                found[key] = today[there]
            elif measure["code"] in catalogue() and not by_path(catalogue()[measure["code"]]):
                found[key] = read(catalogue()[measure["code"]], alone, period).whole.value
    return found


@transaction.atomic
def correct(edition: Edition, *, by: User, reason: str) -> list[Correction]:
    """Put what the records say now beside what was published, where it differs; the published rows stay.

    Returns:
        the corrections that are new.
    """
    edition = _locked(edition, S.PUBLISHED)
    _require(by, edition.board)
    reason = said(reason, REASON, _("A correction needs a reason."))
    board, period = edition.board, Period.of(edition.period)
    now = _values_now(edition, board, period)
    last = {(row.place_id, row.code): row.now for row in edition.corrections.order_by("at")}
    found = []
    for row in edition.rows.all():
        for value in row.values:
            key = (row.place_id, value["code"])
            if key in now and last.get(key, value["value"]) != now[key]:
                found.append(
                    Correction(
                        jurisdiction_id=edition.jurisdiction_id,
                        edition=edition,
                        place_id=row.place_id,
                        code=value["code"],
                        was=last.get(key, value["value"]),
                        now=now[key],
                        reason=reason,
                        by=by,
                    )
                )
    return Correction.objects.bulk_create(found)

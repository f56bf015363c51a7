"""Who uses a definition: dashboards, boards, published editions and the figures that were published."""

from dataclasses import dataclass

from weilu.indicators.dashboard import CARDS, COMPARED
from weilu.indicators.models import Board, Edition, EditionRow
from weilu.lib.indicators import Indicator
from weilu.orgs.models import User


@dataclass(frozen=True)
class Uses:
    """Where a figure is read.

    Attributes:
        boards: those that the reader may open.
        editions: published ones, with the version of the definition by which they were computed.
        others: how many boards lie outside the reader's scope.
    """

    on_cards: bool
    compared: bool
    boards: list[Board]
    others: int
    editions: list[tuple[Edition, int]]

    @property
    def any(self) -> bool:
        """Whether it is used at all."""
        return self.on_cards or self.compared or bool(self.boards) or self.others > 0


def _version(edition: Edition, code: str) -> int:
    values = (EditionRow.objects.filter(edition=edition).values_list("values", flat=True).first()) or []
    return next((value["version"] for value in values if value["code"] == code), 1)


def uses_of(indicator: Indicator, user: User) -> Uses:
    """Return who uses an indicator."""
    named = [{"code": indicator.code}]
    all_boards = Board.objects.filter(measures__contains=named)
    boards = list(all_boards.visible_to(user).select_related("place"))  # type: ignore[attr-defined]
    editions = Edition.objects.filter(
        board__in=[board.pk for board in boards], measures__contains=named, state=Edition.State.PUBLISHED
    )
    recent = list(editions.select_related("board").order_by("-published_at")[:6])
    return Uses(
        indicator.code in CARDS,
        indicator.code in COMPARED,
        boards,
        all_boards.count() - len(boards),
        [(edition, _version(edition, indicator.code)) for edition in recent],
    )

"""The rows that a county begins with."""

from weilu.orgs.models import Jurisdiction
from weilu.venues.models import Zone

# Eight functional zones of a service centre, as places that describe theirs name them; a county edits the rows.
ZONES = [
    ("party", "党群活动", "Party and community"),
    ("services", "政务服务", "Public services"),
    ("deliberation", "协商议事", "Deliberation"),
    ("mediation", "矛盾调解", "Mediation"),
    ("culture", "文化学习", "Culture and learning"),
    ("children", "托幼助学", "Children and pupils"),
    ("elderly", "健康养老", "Health and the elderly"),
    ("convenience", "便民互助", "Everyday help"),
]


def begin_zones(jurisdiction: Jurisdiction) -> None:
    """Give a county its functional zones, if it has none."""
    if not Zone.objects.filter(jurisdiction=jurisdiction).exists():
        rows = [
            Zone(jurisdiction=jurisdiction, code=code, name=name, name_en=name_en, position=position)
            for position, (code, name, name_en) in enumerate(ZONES)
        ]
        Zone.objects.bulk_create(rows, ignore_conflicts=True)  # another clerk may open the page at the same moment

"""What changed on the demo county's map: two villages merged into one, another took a new name. Invented."""

import datetime as dt

from weilu.demo.county import County, in_town, is_community
from weilu.orgs.changes import NewPlace, merge, rename
from weilu.orgs.models import Place, PlaceChange

MERGED, RENAMED = 6, 3  # days ago


def change_map(county: County, now: dt.datetime) -> None:
    """Merge the first two villages of the last township that has three, and rename the third."""
    by = county.shown.get("admin")
    for township in reversed(county.townships):
        rows = Place.objects.filter(parent=township, valid_to=None).order_by("code")
        villages = [village for village in rows if not in_town(village) and not is_community(village)]
        if len(villages) < 3:
            continue
        first, second, third = villages[:3]
        merge(
            [first, second], into=NewPlace(first.code, f"{first.short_name[:1]}{second.short_name[:1]}村村民委员会"),
            on=now.date() - dt.timedelta(days=MERGED), by=by, document="苍府函〔2026〕18号", note="合村并组",
        )  # fmt: skip
        rename(
            third, name=f"新{third.name}", on=now.date() - dt.timedelta(days=RENAMED), by=by,
            document="苍府函〔2026〕21号",
        )  # fmt: skip
        for days in (MERGED, RENAMED):
            moment = now - dt.timedelta(days=days)
            PlaceChange.objects.filter(day=moment.date()).update(created_at=moment)
        return

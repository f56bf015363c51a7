"""Places are found by what people call them: a part of the name, names above before it, or the code."""

from uuid import UUID

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat

from weilu.lib.sought import OFFERED
from weilu.orgs.models import Level, Place
from weilu.orgs.names import full_name

BETWEEN = " · "
# Above a building lie grid, village, township and county; above a village, county, city and province too.
ABOVE = [F(f"{'parent__' * up}short_name") for up in range(4, 0, -1)]


def whole_name(place: Place) -> str:
    """Return the name with what lies above it, up to the township: ``陵江镇 · 金穗社区 · 第一网格``."""
    names, up = [place.short_name], place
    while up.level > Level.TOWNSHIP and up.parent:
        up = up.parent
        names.insert(0, up.short_name)
    return BETWEEN.join(names)


def places_called(among: QuerySet[Place], text: str) -> tuple[list[Place], bool]:
    """Return those of ``among`` that a text may mean, one more than are offered at most, and whether it names them.

    A name may have those above before it, with blanks between them or without: ``金穗社区第一网格``. A part of a name
    may have parts of those above before it, with blanks between them: ``金穗 1号``.
    """
    words = [word for word in full_name(text).split() if word != BETWEEN.strip()]
    if not words:
        return [], False
    joined = "".join(words)
    rows = among.annotate(said=Value(joined), whole=Concat(*ABOVE, "short_name"))
    named = Q(code=joined) | Q(short_name=joined) | Q(name=joined) | Q(name=full_name(text)) | _key(joined)
    # What a place is called itself comes first: it needs none of those above, which are then looked up for few.
    itself, above = named | Q(said__endswith=F("short_name")), named | Q(whole__endswith=joined)
    if found := _first(rows.filter(itself).filter(above)):
        return found, True
    rows = rows.filter(Q(short_name__icontains=words[-1]) | Q(name__icontains=words[-1]))
    for word in words[:-1]:
        rows = rows.filter(whole__icontains=word)
    return _first(rows), False


def _first(rows: QuerySet[Place]) -> list[Place]:
    keys = rows.order_by("level", "path").values("pk")[: OFFERED + 1]
    found = Place.objects.filter(pk__in=keys).select_related("parent__parent__parent")
    return list(found.order_by("level", "path"))


def _key(text: str) -> Q:
    try:
        return Q(pk=UUID(text))
    except ValueError:
        return Q()

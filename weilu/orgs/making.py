"""New grids and buildings: made on the page of the place that they lie in."""

import re
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs.changes import CODE, LONGEST_NAME, LONGEST_PATH, ChangeError, refuse_taken
from weilu.orgs.models import Level, Place
from weilu.orgs.names import full_name
from weilu.orgs.outlines import set_outline

# Which levels may be made, and in what each may lie.
ABOVE = {Level.GRID: (Level.VILLAGE,), Level.BUILDING: (Level.GRID, Level.VILLAGE)}
NUMBERED = re.compile(r"(.*?)(\d+)$", re.ASCII)
USUAL = {Level.GRID: "-01", Level.BUILDING: "-L01"}
LONGEST_CODE = 24


def next_code(parent: Place, level: Level) -> str:
    """Return a free code that goes on from those beside it; the first is the parent's with a number behind it."""
    there = Place.objects.filter(parent=parent, level=level).values_list("code", flat=True)
    stem, digits = f"{parent.code}{USUAL[level][:-2]}", "00"
    if numbered := [match for code in there if (match := NUMBERED.fullmatch(code))]:
        stem, digits = max((match.groups() for match in numbered), key=lambda pair: int(pair[1]))
    taken = set(Place.objects.filter(code__startswith=stem).values_list("code", flat=True))
    for number in range(int(digits) + 1, int(digits) + 10_000):
        code = f"{stem}{number:0{len(digits)}}"
        if code not in taken:
            return code if len(code) <= LONGEST_CODE else ""
    return ""


def make_place(
    parent: Place, level: Level, *, code: str, name: str, geometry: Any = None, networks: list[str] | None = None,
    households: int | None = None,
) -> Place:  # fmt: skip
    """Make a grid in a village, or a building in a village or grid, from today.

    Args:
        geometry: its outline, as GeoJSON; None where it is not drawn yet.

    Raises:
        ChangeError: it cannot lie there, or its code or name cannot be; see its ``column``.
        BadOutline: the outline is not sound, or reaches beyond ``parent``.
    """
    code, name = code.strip(), full_name(name)
    if parent.valid_to is not None or parent.level not in ABOVE.get(level, ()):
        raise ChangeError(_("%(place)s is of the wrong level to lie above it.") % {"place": parent})
    if not CODE.fullmatch(code):
        raise ChangeError(_("A code is 1 to 24 letters, digits or hyphens, not: %(code)s") % {"code": code}, "code")
    if not name or len(name) > LONGEST_NAME:
        raise ChangeError(_("A name has 1 to %(count)s characters.") % {"count": LONGEST_NAME}, "name")
    refuse_taken(code)
    path = f"{parent.path}{code}/"
    if len(path) > LONGEST_PATH:
        raise ChangeError(_("The codes down to this place are too long together."), "code")
    place = Place(
        code=code, name=name, short_name=name, level=level, parent=parent, path=path, valid_from=timezone.localdate(),
        networks=sorted(networks or []), households=households,
    )  # fmt: skip
    try:
        with transaction.atomic():
            place.save(force_insert=True)
            if geometry is not None:
                set_outline(place, geometry)
    except IntegrityError:
        refuse_taken(code)
        raise
    return place

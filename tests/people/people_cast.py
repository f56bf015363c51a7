"""Persons for tests: valid ID numbers that nobody bears, and shorthands."""

from stdnum.cn import ric

from weilu.people.persons import make_person


def id_number(born: str, order: int = 1, county: str = "510824") -> str:
    """An ID number whose checksum is right; ``order`` is odd for men."""
    stem = f"{county}{born}{order:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def person(world, name="李芳", **given):
    """A person of the village, unless said otherwise."""
    home = given.pop("home", world.village)
    return make_person(by=given.pop("by", None), home=home, name=name, **given)

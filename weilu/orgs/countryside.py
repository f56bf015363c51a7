"""Villages and communities told apart, by the code of the place that they are.

In the statistical codes of divisions the last three digits of a residents' committee (居委会, a community) begin with 0
or 1, those of a villagers' committee (村委会) with 2 or 3.
"""

from django.db.models import Q

_ABOVE = r"^([0-9]+/){4}[0-9]{9}"
COMMUNITY = _ABOVE + r"[01][0-9]{2}/"
VILLAGE = _ABOVE + r"[23][0-9]{2}/"


def in_communities(path: str = "path") -> Q:
    """Return the condition that a place is a community (社区) or lies in one.

    Args:
        path: the column of the place's path.
    """
    return Q(**{f"{path}__regex": COMMUNITY})


def in_villages(path: str = "path") -> Q:
    """Return the condition that a place is a village (村) or lies in one."""
    return Q(**{f"{path}__regex": VILLAGE})

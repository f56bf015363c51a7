"""Telephone numbers as people type them."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

PHONE = re.compile(r"^(\+?86)?(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})$")


def check_phone(value: str, *, required: bool = False) -> str:
    """Return a telephone number without spaces, or say what is wrong with it.

    Args:
        required: whether it may not be left empty; the message says so otherwise.

    Raises:
        ValidationError: it is neither a mobile number nor one with an area code.
    """
    value = re.sub(r"[\s\-—]", "", value)
    if value and not PHONE.match(value):
        if required:
            raise ValidationError(_("This is not a Chinese telephone number. Check the digits."))
        raise ValidationError(_("This is not a Chinese telephone number. Check the digits or leave it empty."))
    return value

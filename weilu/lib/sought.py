"""A field in which somebody types a part of a name, for lists too long to choose from; it works without JavaScript.

Who is named exactly is taken. Of others the form is shown again with each to choose, and what tells them apart.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

OFFERED = 20
LONGEST = 80
CHECKED = mark_safe(" checked")


class SoughtInput(forms.TextInput):
    """A line to type in; below it, once several are called so, those to choose from."""

    def __init__(self, attrs: dict[str, Any] | None = None):
        super().__init__({"autocomplete": "off", "maxlength": str(LONGEST)} | (attrs or {}))
        self.offered: list[tuple[str, str]] = []

    def value_from_datadict(self, data: Any, files: Any, name: str) -> tuple[str, str]:
        return data.get(name, ""), data.get(f"{name}-chosen", "")

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def format_value(self, value: Any) -> str:
        return str((value[0] if isinstance(value, tuple) else value) or "")

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        line = super().render(name, value, attrs, renderer)
        if not self.offered:
            return line
        chosen = value[1] if isinstance(value, tuple) else ""
        choices = format_html_join(
            "", '<label class="choice"><input type="radio" name="{}-chosen" value="{}"{}><span>{}</span></label>',
            ((name, key, CHECKED if key == chosen else "", label) for key, label in self.offered),
        )  # fmt: skip
        return format_html('{}<div class="choices sought">{}</div>', line, choices)


class SoughtField(forms.Field):
    """One row, by its name or a part of it. Only who was named exactly is taken without asking.

    Attributes:
        search: returns the rows that a text may mean, and whether it names them exactly; the form sets it.
        label_of: what tells the rows apart.
    """

    widget = SoughtInput
    search: Callable[[str], tuple[Iterable[Any], bool]]
    label_of: Callable[[Any], str] = staticmethod(str)

    def clean(self, value: Any) -> Any:
        text, chosen = value if isinstance(value, tuple) else (value or "", "")
        text = " ".join(text.split())[:LONGEST]
        if not text:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        found, exact = self.search(text)
        rows = list(found)
        if exact and len(rows) == 1:
            return rows[0]
        if not rows:
            raise ValidationError(_("Nothing in your scope is called so. Type another part of the name."))
        self.widget.offered = [(str(row.pk), self.label_of(row)) for row in rows[:OFFERED]]
        if picked := [row for row in rows if str(row.pk) == chosen]:
            return picked[0]
        if len(rows) > OFFERED:
            raise ValidationError(_("Many are called so: choose one, or type more of the name."))
        if len(rows) == 1:
            raise ValidationError(_("Is it this one? Choose it, or type another part of the name."))
        raise ValidationError(_("Several are called so: choose one."))

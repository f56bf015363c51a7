"""Columns by the paths in which definitions name them."""

from django.db.models import Model
from django.db.models.fields import Field


def field_of(model: type[Model], path: str) -> Field:
    """Return the column that a path of names with ``__`` between them leads to."""
    found: Field | None = None
    for name in path.split("__"):
        found = model._meta.get_field(name)  # type: ignore[assignment]
        model = getattr(found, "related_model", None) or model
    return found  # type: ignore[return-value]

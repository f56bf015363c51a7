"""Taking back a change of the map that was a mistake: on the same day, while nothing was recorded since."""

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.orgs import memory
from weilu.orgs.changes import ChangeError, lock_map, repath
from weilu.orgs.models import Grant, OrganisationChange, Place, PlaceChange, User
from weilu.orgs.succession import columns_naming_places


@transaction.atomic
def take_back(change: PlaceChange, *, by: User | None) -> PlaceChange:
    """Let the places of before stand again as if the change had not been; it stays in the history, as taken back.

    Raises:
        ChangeError: it was made on another day, was taken back already, its places were changed again, or something
            has been recorded at them since.
    """
    lock_map(change.jurisdiction)
    change = PlaceChange.objects.select_for_update().get(pk=change.pk)
    if change.undone_at:
        raise ChangeError(_("This change was taken back already."))
    if timezone.localdate(change.created_at) != timezone.localdate():
        raise ChangeError(
            _("Only a change that was entered today can be taken back. Enter another change that mends it.")
        )
    old, new = (
        list(Place.objects.select_for_update().filter(pk__in=[row["id"] for row in rows]).order_by("pk"))
        for rows in (change.before, change.after)
    )
    if any(place.valid_to for place in new):
        raise ChangeError(_("Its places were changed again since. Take back the later change first."))
    _refuse_new_rows(change, new)
    _restore(change, old, new)
    for place in old:
        place.successors.clear()
    Place.objects.filter(pk__in=[place.pk for place in new]).delete()
    Place.objects.filter(pk__in=[place.pk for place in old]).update(valid_to=None, ended_by=None, split_away=None)
    change.undone_at, change.undone_by = timezone.now(), by
    change.save(update_fields=["undone_at", "undone_by"])
    transaction.on_commit(memory.forget)
    return change


def _moved_keys(change: PlaceChange) -> dict[str, set[str]]:
    """Return the keys of rows that the change itself put at the new places, by table and column."""
    moved = change.moved
    found = {label: {key for keys in of.values() for key in keys} for label, of in moved["rows"].items()}
    found["orgs.place.parent"] = {key for keys in moved["children"].values() for key in keys}
    found["orgs.grant.place"] = {key for key, *_rest in moved["grants"]}
    return found


def _refuse_new_rows(change: PlaceChange, new: list[Place]) -> None:
    """Refuse if any table names a new place in a row that the change did not put there."""
    known = _moved_keys(change)
    for column in columns_naming_places():
        model = column.model
        label = f"{model._meta.label_lower}.{column.name}"
        if label == "orgs.placeoutline.place":
            continue
        rows = model._base_manager.filter(**{f"{column.name}__in": new}).exclude(pk__in=known.get(label, ()))
        if rows.exists():
            raise ChangeError(_("Something has been recorded at the new place since. Enter another change instead."))


def _restore(change: PlaceChange, old: list[Place], new: list[Place]) -> None:
    moved = change.moved
    places = {str(place.pk): place for place in old}
    for key, children in moved["children"].items():
        place = places[key]
        ended = Place.objects.filter(parent__in=[place.pk, *place.formerly]).exclude(valid_to=None)
        for child in [*Place.objects.filter(pk__in=children), *ended.exclude(pk__in=[place.pk, *place.formerly])]:
            repath(child.path, f"{place.path}{child.code}/")
        Place.objects.filter(pk__in=children).update(parent=place)
    for label, of in moved["rows"].items():
        model, column = label.rsplit(".", 1)
        for key, keys in of.items():
            # What was put elsewhere since stays there.
            rows = apps.get_model(model)._base_manager.filter(**{"pk__in": keys, f"{column}__in": new})
            rows.update(**{column: places[key]})
    OrganisationChange.objects.filter(pk__in=moved.get("noted", ())).delete()
    for pk, place_key, since, copy in moved["grants"]:
        Grant.objects.filter(pk=copy).delete()
        Grant.objects.filter(pk=pk).update(place=places[place_key], valid_from=since)
    for key, keys in moved["above"].items():
        Place.objects.filter(pk=key).update(taken_over=keys)

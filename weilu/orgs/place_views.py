"""Pages of a place's history, outline and grids."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.change_forms import FORMS, ChangeForm, NewPlaceForm, OutlineForm, SplitForm
from weilu.orgs.changes import ChangeError
from weilu.orgs.making import ABOVE, make_place, next_code
from weilu.orgs.models import Level, Network, Place, PlaceChange, PlaceOutline, User
from weilu.orgs.outlines import BadOutline, set_outline
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope
from weilu.orgs.succession import changeable_by, find_place, places_today, predecessors, preview, timeline
from weilu.orgs.taking_back import take_back

MOST_OUTLINES = 3_000


def in_hand(user: User, permission: Permission, code: str) -> Place:
    """Return the place of today that has a code, where ``user`` holds ``permission``; elsewhere there is none."""
    mine = Place.objects.filter(places_in_scope(user, permission), valid_to=None)
    return get_object_or_404(mine.select_related("parent"), code=code)


def history_of(place: Place, user: User) -> dict[str, Any]:
    """Return what a place's page says of its history."""
    return {
        "timeline": list(timeline(place)),
        "predecessors": list(predecessors(place).filter(split_away=None)) if place.valid_to is None else [],
        "split": list(predecessors(place).exclude(split_away=None)) if place.valid_to is None else [],
        "successors": places_today(place) if place.valid_to else [],
        "today": timezone.localdate(),
        "may_change": changeable_by(user).filter(pk=place.pk).exists(),
        "may_take_back": Permission.MANAGE in user.permissions,
        "kinds": [(kind.value, kind.label) for kind in PlaceChange.Kind
                  if kind in FORMS and (kind != PlaceChange.Kind.MOVE or place.level != Level.TOWNSHIP)],
    }  # fmt: skip


@requires(Permission.VIEW)
@require_safe
def place_then(request: AccountRequest, pk: str) -> HttpResponse:
    """A place as it was until it ended: what became of it, and its own records."""
    place = find_place(request.user, Permission.VIEW, str(pk))
    if place is None:
        raise Http404
    if place.valid_to is None:
        return redirect("place", place.code)
    return render(request, "orgs/place_then.html", {"place": place, **history_of(place, request.user)})


@requires(Permission.MANAGE)
def place_change(request: AccountRequest, code: str, kind: str) -> HttpResponse:
    """Change a place: first what it would touch is shown, then it is done."""
    choices = changeable_by(request.user)
    place = get_object_or_404(choices.select_related("parent__parent"), code=code)
    if kind not in FORMS or (kind == PlaceChange.Kind.MOVE and place.level == Level.TOWNSHIP):
        raise Http404
    form = _change_form(request, place, choices, kind)
    context: dict[str, Any] = {"place": place, "kind": kind, "form": form, "title": PlaceChange.Kind(kind).label}
    if form.is_bound and form.is_valid():
        mark = form.mark()
        if form.cleaned_data["seen"] == mark:
            try:
                new = form.make(request.user)
            except ChangeError as error:
                form.refuse(error)
            else:
                messages.success(request, _("The map has changed. A mistake can be taken back today."))
                return redirect("place", new.code)
        elif form.rehearse(request.user):
            form.data = request.POST.copy()
            form.data["seen"] = mark
            context |= {"preview": preview(form.places(), form.day()), "ending": form.places()}
    return render(request, "orgs/place_change.html", context, status=422 if form.errors else 200)


def _change_form(request: AccountRequest, place: Place, choices: Any, kind: str) -> ChangeForm:
    """Return the form; where another number of parts is asked for, with all that was typed and nothing judged yet."""
    more: dict[str, Any] = {"place": place, "choices": choices}
    wanted = request.POST.get("parts_wanted", "")
    if FORMS[kind] is SplitForm:
        more["parts"] = _number(wanted or request.GET.get("parts", ""))
        if wanted:
            return SplitForm(initial=request.POST.dict() | {"seen": ""}, **more)
    return FORMS[kind](request.POST or None, **more)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 2


@requires(Permission.MANAGE)
@require_POST
def place_take_back(request: AccountRequest, pk: str) -> HttpResponse:
    """Take a change of today back."""
    counties = [grant.jurisdiction_id for grant in request.user.grants_for(Permission.MANAGE)
                if grant.jurisdiction.place.path.startswith(grant.place.path)]  # fmt: skip
    change = get_object_or_404(PlaceChange, pk=pk, jurisdiction__in=counties)
    try:
        take_back(change, by=request.user)
        messages.success(request, _("The change was taken back."))
    except ChangeError as error:
        messages.error(request, str(error))
    row = (change.before or change.after)[0]
    now = Place.objects.get(pk=row["id"])
    return redirect("place", now.code) if now.valid_to is None else redirect("place_then", now.pk)


# --- outlines ---------------------------------------------------------------------------------------------------------
def feature(place: Place, geometry: Any, **more: Any) -> dict[str, Any]:
    """Return a place as a feature of GeoJSON that a map opens by its address."""
    names = [str(Network(network).label) for network in place.networks]
    properties = {
        "code": place.code, "name": str(place), "url": reverse("place", args=[place.code]),
        "networks": "、".join(names), "households": place.households,
    }  # fmt: skip
    return {"type": "Feature", "properties": properties | more, "geometry": geometry}


def collection(features: list[dict[str, Any]]) -> JsonResponse:
    """Answer with features of GeoJSON, for nobody else to keep."""
    response = JsonResponse({"type": "FeatureCollection", "features": features}, content_type="application/geo+json")
    response["Cache-Control"] = "private, no-store"
    return response


def shown_below(user: User, place: Place, level: int) -> list[Place]:
    """Return the places of a level in ``place`` that ``user`` may see, in order."""
    rows = Place.objects.filter(places_in_scope(user, Permission.VIEW), valid_to=None, level=level)
    return list(rows.filter(path__startswith=place.path).select_related("outline").order_by("code")[:MOST_OUTLINES])


@requires(Permission.VIEW)
@require_safe
def outlines_json(request: AccountRequest, code: str, level: int) -> HttpResponse:
    """The outlines of a level in a place, for the map."""
    place = in_hand(request.user, Permission.VIEW, code)
    rows = shown_below(request.user, place, level)
    return collection([feature(row, row.outline.geometry) for row in rows if hasattr(row, "outline")])


@requires(Permission.KEEP)
def place_outline(request: AccountRequest, code: str) -> HttpResponse:
    """The outline of a place: drawn on the map, pasted or uploaded; of a grid also its networks and households."""
    place = in_hand(request.user, Permission.KEEP, code)
    if place.level < Level.TOWNSHIP:
        raise Http404
    row = PlaceOutline.objects.filter(place=place).first()
    initial = {
        "geometry": json.dumps(row.geometry) if row else "", "networks": place.networks, "households": place.households,
    }  # fmt: skip
    form = OutlineForm(
        request.POST or None, request.FILES or None, initial=initial, level=place.level, drawn=row is not None
    )
    if request.method == "POST" and form.is_valid():
        try:
            said = _save_outline(place, form)
        except BadOutline as error:
            form.add_error("file" if form.cleaned_data.get("file") else "geometry", str(error))
        else:
            messages.success(request, said % {"place": place})
            return redirect("place", place.code)
    context = {"place": place, "form": form, "box": box_around(place), "tiles": settings.TILES}
    if place.parent:
        context["around"] = reverse("map_outlines", args=[place.parent.code, place.level])
        context["within"] = reverse("map_outlines", args=[place.parent.code, place.parent.level])
    return render(request, "orgs/place_outline.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _save_outline(place: Place, form: OutlineForm) -> str:
    """Keep what was given; return what to say of it."""
    data = form.cleaned_data
    if data.get("remove"):
        PlaceOutline.objects.filter(place=place).delete()
    elif data["outline"] is not None:
        set_outline(place, data["outline"])
    columns = [column for column in ("networks", "households") if column in data]
    for column in columns:
        setattr(place, column, data[column])
    if columns:
        place.save(update_fields=columns)
    if data.get("remove"):
        return _("The outline of %(place)s was removed.")
    return _("The outline of %(place)s is kept.") if data["outline"] is not None else _("%(place)s is kept.")


@requires(Permission.KEEP)
def place_new(request: AccountRequest, code: str, kind: str) -> HttpResponse:
    """A new grid or building in a place: its outline drawn on the map, pasted or uploaded."""
    parent = in_hand(request.user, Permission.KEEP, code)
    level = {"grid": Level.GRID, "building": Level.BUILDING}[kind]
    if parent.level not in ABOVE[level]:
        raise Http404
    initial = {"code": next_code(parent, level)}
    form = NewPlaceForm(request.POST or None, request.FILES or None, initial=initial, level=level, parent=parent)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        given = {column: data[column] for column in ("networks", "households") if column in data}
        try:
            new = make_place(parent, level, code=data["code"], name=data["name"], geometry=data["outline"], **given)
        except ChangeError as error:
            form.add_error(error.column or None, str(error))
        except BadOutline as error:
            form.add_error("file" if data.get("file") else "geometry", str(error))
        else:
            messages.success(request, _("%(place)s is entered.") % {"place": new})
            again = "more" in request.POST
            return redirect(f"place_new_{kind}", parent.code) if again else redirect("place", new.code)
    context = {
        "place": parent, "form": form, "box": box_around(parent), "tiles": settings.TILES, "new": kind,
        "around": reverse("map_outlines", args=[parent.code, int(level)]),
        "within": reverse("map_outlines", args=[parent.code, parent.level]),
    }  # fmt: skip
    return render(request, "orgs/place_outline.html", context, status=422 if form.errors else 200)


def box_around(place: Place) -> str:
    """Return where the map of a place begins: its outline, the one above, or around its position."""
    for row in PlaceOutline.objects.filter(place__in=[place.pk, place.parent_id]).order_by("-place__level"):
        return f"{row.west},{row.south},{row.east},{row.north}"
    if place.latitude is None or place.longitude is None:
        return "105.7,31.4,106.5,32.2"
    return f"{place.longitude - 0.02},{place.latitude - 0.015},{place.longitude + 0.02},{place.latitude + 0.015}"

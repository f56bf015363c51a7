"""Pages of a place's grids: what they carry and cover, and their import."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.change_forms import GridFileForm
from weilu.orgs.import_grids import KIND
from weilu.orgs.imports import jobs
from weilu.orgs.imports.steps import UNFINISHED
from weilu.orgs.models import ImportJob, Level, Network, Place, User
from weilu.orgs.outlines import LARGEST_FILE, cover
from weilu.orgs.place_views import box_around, collection, in_hand
from weilu.orgs.roles import Permission
from weilu.orgs.scope import places_in_scope

LISTED, ERRORS_SHOWN = 5, 200
# What the properties of a feature are called on the page.
FIELDS = {
    "code": _lazy("code"), "name": pgettext_lazy("of a place or body", "name"), "level": _lazy("level"),
    "parent": _lazy("code of the place above"), "networks": _lazy("networks"), "households": _lazy("households"),
    "geometry": _lazy("outline"), "type": _lazy("kind"),
}  # fmt: skip


@requires(Permission.VIEW)
def place_grids(request: AccountRequest, code: str) -> HttpResponse:
    """The grids of a village: what they carry, where two claim the same ground, where none does; and their import."""
    place = in_hand(request.user, Permission.VIEW, code)
    if place.level < Level.COUNTY:
        raise Http404
    keeps = Place.objects.filter(places_in_scope(request.user, Permission.KEEP), pk=place.pk).exists()
    form = GridFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not keeps:
            raise Http404
        if form.is_valid() and _small_enough(form):
            return redirect("import_job", _send_in(form, place, request.user).pk)
    context: dict[str, Any] = {"place": place, "form": form, "keeps": keeps, "tiles": settings.TILES}
    if keeps:
        context["jobs"] = jobs.imports_of(request.user, KIND.code).filter(place=place).defer("report")[:LISTED]
    context |= _grids(place) if place.level == Level.VILLAGE else _villages(request.user, place)
    return render(request, "orgs/place_grids.html", context, status=422 if form.errors else 200)


def _small_enough(form: GridFileForm) -> bool:
    if (form.cleaned_data["file"].size or 0) <= LARGEST_FILE:
        return True
    words = _("The file is larger than %(size)s MB. Cut it by township, or simplify the outlines.")
    form.add_error("file", words % {"size": LARGEST_FILE // 1_000_000})
    return False


def _send_in(form: GridFileForm, place: Place, user: User) -> ImportJob:
    """Keep the file and have the worker read it."""
    file: UploadedFile = form.cleaned_data["file"]
    options = {"place": place.code, "dry_run": form.cleaned_data["dry_run"]}
    job = jobs.file_in(KIND.code, [(file.name or "", file)], options=options, place=place, by=user)
    jobs.queue(job.pk)
    return job


@requires(Permission.KEEP)
@require_safe
def import_job(request: AccountRequest, pk: str) -> HttpResponse:
    """One import: how far it is, what it did, what was refused."""
    job = get_object_or_404(jobs.imports_of(request.user, KIND.code), pk=pk)
    errors = [{**error, "field": FIELDS.get(error["field"], error["field"])} for error in job.report.get("errors", [])]
    context = {
        "job": job, "counts": job.report, "under_way": job.state in UNFINISHED, "errors": errors[:ERRORS_SHOWN],
        "more_errors": max(0, len(errors) - ERRORS_SHOWN) + job.report.get("more_errors", 0),
        "has_file": job.parts.filter(name=jobs.REFUSED).exists(),
    }  # fmt: skip
    return render(request, "orgs/import_job.html", context)


@requires(Permission.KEEP)
@require_safe
def import_refused(request: AccountRequest, pk: str) -> HttpResponse:
    """The features that were refused, each with its reason, to be corrected and sent in again."""
    job = get_object_or_404(jobs.imports_of(request.user, KIND.code), pk=pk)
    content = jobs.refused_of(job)
    if not content:
        raise Http404
    answer = HttpResponse(content, content_type="application/geo+json")
    name = _("to correct") + "-" + job.name.rpartition(".")[0]
    answer["Content-Disposition"] = "attachment; filename*=UTF-8''" + quote(f"{name}.geojson")
    return answer


def _grids(village: Place) -> dict[str, Any]:
    rows = Place.objects.filter(parent=village, valid_to=None, level=Level.GRID).select_related("outline")
    grids = list(rows.order_by("code"))
    for grid in grids:
        grid.labels = [Network(network).label for network in grid.networks]  # type: ignore[attr-defined]
    return {"grids": grids, "cover": cover(village), "box": box_around(village), "villages": None}


def _villages(user: User, place: Place) -> dict[str, Any]:
    rows = Place.objects.filter(places_in_scope(user, Permission.VIEW), path__startswith=place.path, valid_to=None)
    return {
        "villages": rows.filter(level=Level.VILLAGE).order_by("code")[:60],
        "grids": [],
        "cover": None,
        "box": box_around(place),
    }


@requires(Permission.VIEW)
@require_safe
def laps_json(request: AccountRequest, code: str) -> HttpResponse:
    """The overlaps and gaps of a village's grids, for the map."""
    village = in_hand(request.user, Permission.VIEW, code)
    if village.level != Level.VILLAGE:
        raise Http404
    found = cover(village)
    kinds = [("overlap", lap) for lap in found.overlaps] + [("gap", lap) for lap in found.gaps]
    return collection([
        {
            "type": "Feature", "geometry": lap.geometry,
            "properties": {"kind": kind, "area": round(lap.area), "name": " · ".join(str(grid) for grid in lap.grids)},
        }
        for kind, lap in kinds
    ])  # fmt: skip

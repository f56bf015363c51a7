"""Pages of the tree, and the list of bodies that its numbers open."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.lib.sheets import workbook
from weilu.orgs import tree
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Organisation, Place
from weilu.orgs.roles import Permission

PAGE = 20
EXPORT_LIMIT = 20_000


@requires(Permission.VIEW)
@require_safe
def tree_page(request: AccountRequest) -> HttpResponse:
    """The tree, open down to a place or a body; without a script its marks are links to itself."""
    try:
        body = UUID(request.GET["body"]) if request.GET.get("body") else None
    except ValueError:
        return redirect("tree")
    opened = tree.opened_by(request.user, request.GET.get("open", "")[:24], body)
    return render(request, "orgs/tree.html", {"nodes": tree.whole(request.user, opened)})


@requires(Permission.VIEW)
@require_safe
def tree_place(request: AccountRequest, code: str) -> HttpResponse:
    """What lies right below a place, for a script."""
    place = get_object_or_404(tree.my_places(request.user), code=code)
    return render(request, "orgs/_level.html", {"nodes": tree.below_place(request.user, place, set())})


@requires(Permission.VIEW)
@require_safe
def tree_body(request: AccountRequest, pk: str) -> HttpResponse:
    """The bodies right below a body, for a script."""
    body = get_object_or_404(tree.shown_bodies(request.user), pk=pk)
    return render(request, "orgs/_level.html", {"nodes": tree.below_body(request.user, body, set())})


def _narrowed(request: AccountRequest) -> tuple[QuerySet[Organisation], dict[str, Any]]:
    """Return the bodies that the address asks for, and what was asked."""
    rows = tree.shown_bodies(request.user).select_related("place__parent", "parent")
    place: Place | None = None
    if code := request.GET.get("place", "")[:24]:
        place = get_object_or_404(tree.my_places(request.user), code=code)
        rows = rows.filter(place__path__startswith=place.path)
    kind = request.GET.get("kind", "")
    if kind in Organisation.Kind.values:
        rows = rows.filter(kind=kind)
    if text := request.GET.get("q", "").strip()[:80]:
        rows = rows.filter(Q(name__icontains=text) | Q(aliases__contains=[text]))
    return rows.order_by("name", "id"), {"place": place, "kind": kind, "q": text}


def _after(rows: QuerySet[Organisation], cursor: str) -> QuerySet[Organisation]:
    """Narrow to what follows a row, by its name and key; a cursor that is none of ours begins anew."""
    name, _sep, pk = cursor[:140].rpartition("~")
    try:
        return rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=UUID(pk))) if name else rows
    except ValueError:
        return rows


@requires(Permission.VIEW)
@require_safe
def bodies(request: AccountRequest) -> HttpResponse:
    """Bodies by place, kind and name, a page at a time."""
    rows, chosen = _narrowed(request)
    found = list(_after(rows, request.GET.get("after", ""))[: PAGE + 1])
    kept = request.GET.copy()
    kept.pop("after", None)
    export = kept.urlencode()
    kept["after"] = f"{found[PAGE - 1].name}~{found[PAGE - 1].pk}" if len(found) > PAGE else ""
    context = {
        "rows": found[:PAGE],
        "chosen": chosen,
        "kinds": Organisation.Kind.choices,
        "next_page": f"?{kept.urlencode()}" if len(found) > PAGE else "",
        "export": export,
    }
    return render(request, "orgs/bodies.html", context)


@requires(Permission.VIEW)
@require_safe
def bodies_export(request: AccountRequest) -> HttpResponse:
    """The same bodies as an Excel file."""
    rows, _chosen = _narrowed(request)
    headings = [_("name"), _("kind"), _("place"), _("code"), _("body above"), _("estate or address"), _("speciality")]
    headings += [_("unified social credit code"), _("office telephone"), _("valid from")]
    lines = (
        [
            *(row.name, row.get_kind_display(), row.place.short_name, row.place.code, row.parent or ""),
            *(row.serves, row.speciality, row.credit_code, row.phone, row.valid_from),
        ]
        for row in rows[:EXPORT_LIMIT]
    )
    return workbook("bodies", _("Bodies"), headings, lines)

"""What a county's administrator sets: wordings, modules, categories and their days."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from weilu.matters.forms import CategoryForm, JurisdictionForm, ModuleForm
from weilu.matters.models import Category, Module
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Jurisdiction, Level
from weilu.orgs.roles import Permission

DICTIONARIES = {"category": (Category, CategoryForm), "module": (Module, ModuleForm)}


def _jurisdiction(request: AccountRequest) -> Jurisdiction:
    """Return the county to set: one that the reader administers as a whole, the one named in the address if several."""
    rows = Jurisdiction.objects.none()
    for grant in request.user.grants_for(Permission.MANAGE):
        if grant.place.level <= Level.COUNTY:
            rows |= Jurisdiction.objects.filter(place__path__startswith=grant.place.path)
    if code := request.GET.get("county"):
        rows = rows.filter(place__code=code)
    found = rows.select_related("place").order_by("prefix").first()
    if found is None:
        raise PermissionDenied
    return found


def _back(jurisdiction: Jurisdiction) -> HttpResponse:
    return redirect(f"{reverse('settings')}?county={jurisdiction.place.code}")


@requires(Permission.MANAGE)
def settings(request: AccountRequest) -> HttpResponse:
    """The county's settings, and its dictionaries to edit row by row."""
    jurisdiction = _jurisdiction(request)
    form = JurisdictionForm(request.POST or None, instance=jurisdiction)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return _back(jurisdiction)
    context = {
        "jurisdiction": jurisdiction,
        "form": form,
        "categories": Category.objects.filter(jurisdiction=jurisdiction),
        "modules": Module.objects.filter(jurisdiction=jurisdiction),
    }
    return render(request, "matters/settings.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE)
def dictionary_row(request: AccountRequest, kind: str, code: str) -> HttpResponse:
    """One row of a dictionary."""
    if kind not in DICTIONARIES:
        return redirect("settings")
    model, form_class = DICTIONARIES[kind]
    jurisdiction = _jurisdiction(request)
    row = get_object_or_404(model, jurisdiction=jurisdiction, code=code)
    form = form_class(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return _back(jurisdiction)
    return render(
        request, "matters/dictionary_row.html", {"form": form, "row": row}, status=422 if form.errors else 200
    )

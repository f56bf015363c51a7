"""What a county's administrator sets: wordings, modules, categories and their days."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from weilu.matters.forms import CategoryForm, JurisdictionForm, ModuleForm
from weilu.matters.models import Category, Module
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Jurisdiction
from weilu.orgs.roles import Permission

DICTIONARIES = {"category": (Category, CategoryForm), "module": (Module, ModuleForm)}


def _managed(request: AccountRequest) -> list:
    return [grant.jurisdiction_id for grant in request.user.grants_for(Permission.MANAGE)]


@requires(Permission.MANAGE)
def settings(request: AccountRequest) -> HttpResponse:
    """The county's settings, and its dictionaries to edit row by row."""
    jurisdiction = get_object_or_404(Jurisdiction, pk__in=_managed(request)[:1])
    form = JurisdictionForm(request.POST or None, instance=jurisdiction)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("settings")
    context = {
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
    row = get_object_or_404(model, jurisdiction__in=_managed(request), code=code)
    form = form_class(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("settings")
    return render(
        request, "matters/dictionary_row.html", {"form": form, "row": row}, status=422 if form.errors else 200
    )

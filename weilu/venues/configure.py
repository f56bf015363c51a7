"""The functional zones of a county, as its administrator names them."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from weilu.lib.ids import new_id
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.counties import managed_jurisdiction
from weilu.orgs.roles import Permission
from weilu.venues.forms import ZoneForm
from weilu.venues.models import Zone
from weilu.venues.setup import begin_zones


@requires(Permission.MANAGE)
def zones(request: AccountRequest) -> HttpResponse:
    """All zones on one page, each a row; an empty last row takes a new one."""
    jurisdiction = managed_jurisdiction(request)
    begin_zones(jurisdiction)
    given = request.POST if request.method == "POST" else None
    rows = list(Zone.objects.filter(jurisdiction=jurisdiction))
    forms = [ZoneForm(given, instance=row, prefix=row.code) for row in rows]
    fresh = ZoneForm(given, prefix="new", instance=Zone(jurisdiction=jurisdiction), initial={"position": len(rows)})
    fresh.empty_permitted, fresh.use_required_attribute = True, False
    valid = [form.is_valid() for form in [*forms, fresh]]  # all of them, so that each shows what is wrong
    if given is not None and all(valid):
        with transaction.atomic():
            for form in forms:
                form.save()
            if fresh.has_changed() and fresh.cleaned_data.get("name"):
                fresh.instance.code = f"zone-{new_id().hex[-8:]}"
                fresh.save()
        messages.success(request, _("Saved."))
        return redirect("zones")
    faulty = any(form.errors for form in [*forms, fresh])
    context = {"forms": [*forms, fresh], "jurisdiction": jurisdiction}
    return render(request, "venues/zones.html", context, status=422 if faulty else 200)

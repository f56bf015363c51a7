"""The county whose settings an administrator edits."""

from django.core.exceptions import PermissionDenied

from weilu.orgs.access import AccountRequest
from weilu.orgs.models import Jurisdiction, Level
from weilu.orgs.roles import Permission


def managed_jurisdiction(request: AccountRequest) -> Jurisdiction:
    """Return the county that the reader administers as a whole, the one named in the address if several.

    Raises:
        PermissionDenied: they administer no county as a whole.
    """
    for grant in request.user.grants_for(Permission.MANAGE):
        if grant.place.level <= Level.COUNTY:
            rows = Jurisdiction.objects.filter(place__path__startswith=grant.place.path).select_related("place")
            if code := request.GET.get("county"):
                rows = rows.filter(place__code=code)
            if found := rows.order_by("prefix").first():
                return found
    raise PermissionDenied

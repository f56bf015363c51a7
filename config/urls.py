"""All routes, each app's own list under its own names."""

from django.urls import include, path

urlpatterns = [
    # What is asked most stands first: each request tries the routes before its own.
    path("", include("weilu.matters.urls")),
    path("", include("weilu.portal.urls")),
    path("", include("weilu.accounts.urls")),
    path("", include("weilu.orgs.urls")),
    path("", include("weilu.records.urls")),
    path("", include("weilu.people.urls")),
    path("", include("weilu.venues.urls")),
    path("", include("weilu.indicators.urls")),
    path("", include("weilu.api.urls")),
]
handler400 = "weilu.portal.errors.bad_request"
handler403 = "weilu.portal.errors.forbidden"
handler404 = "weilu.portal.errors.not_found"
handler500 = "weilu.portal.errors.server_error"

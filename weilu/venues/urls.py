"""Routes of venues and bookings, for accounts; residents' pages are in the portal."""

from django.urls import path

from weilu.venues import configure, views

urlpatterns = [
    path("desk/venues/", views.manage, name="venues_manage"),
    path("desk/venues/new/", views.venue_new, name="venue_new"),
    path("desk/venues/reach/", views.reach, name="venues_reach_top"),
    path("desk/venues/reach/<str:code>/", views.reach, name="venues_reach"),
    path("desk/venues/of/<str:code>/", views.of_place, name="venues_of_place"),
    path("desk/venues/<uuid:pk>/", views.venue_edit, name="venue_edit"),
    path("desk/venues/<uuid:pk>/hours/", views.venue_hours, name="venue_hours"),
    path("desk/venues/<uuid:pk>/day/", views.venue_day, name="venue_day"),
    path("desk/venues/<uuid:pk>/close/", views.venue_close, name="venue_close"),
    path("desk/venues/<uuid:pk>/book/", views.venue_book, name="venue_book"),
    path("bookings/", views.bookings, name="bookings"),
    path("bookings/<str:number>/", views.booking, name="booking"),
    path("bookings/<str:number>/contact/", views.booking_contact, name="booking_contact"),
    path("bookings/<str:number>/<slug:name>/", views.booking_act, name="booking_act"),
    path("settings/zones/", configure.zones, name="zones"),
]

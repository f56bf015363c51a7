"""Routes of rosters."""

from django.urls import path

from weilu.people import roster_views as views

urlpatterns = [
    path("rosters/", views.rosters, name="rosters"),
    path("rosters/export/", views.roster_export, name="roster_export"),
    path("rosters/empty/<slug:kind>/", views.roster_empty, name="roster_empty"),
    path("rosters/<uuid:pk>/", views.roster, name="roster"),
    path("rosters/<uuid:pk>/errors/", views.roster_errors, name="roster_errors"),
    path("rosters/<uuid:pk>/changes/", views.roster_changes, name="roster_changes"),
    path("rosters/<uuid:pk>/<slug:name>/", views.roster_act, name="roster_act"),
]

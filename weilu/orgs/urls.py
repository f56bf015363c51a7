"""Routes for accounts and places."""

from django.urls import path

from weilu.orgs import grid_views, place_views, views

urlpatterns = [
    path("logout/", views.logout, name="logout"),
    path("language/", views.language, name="language"),
    path("type-size/", views.type_size, name="type_size"),
    path("account/", views.account, name="account"),
    path("places/", views.places, name="places"),
    path("places/then/<uuid:pk>/", place_views.place_then, name="place_then"),
    path("places/changes/<uuid:pk>/take-back/", place_views.place_take_back, name="place_take_back"),
    path("places/<str:code>/", views.places, name="place"),
    path("places/<str:code>/outline/", place_views.place_outline, name="place_outline"),
    path("places/<str:code>/grids/", grid_views.place_grids, name="place_grids"),
    path("places/<str:code>/new/grid/", place_views.place_new, {"kind": "grid"}, name="place_new_grid"),
    path("places/<str:code>/new/building/", place_views.place_new, {"kind": "building"}, name="place_new_building"),
    path("places/<str:code>/change/<slug:kind>/", place_views.place_change, name="place_change"),
    path("imports/<uuid:pk>/", grid_views.import_job, name="import_job"),
    path("imports/<uuid:pk>/refused.geojson", grid_views.import_refused, name="import_refused"),
    path("map/<str:code>/laps.json", grid_views.laps_json, name="map_laps"),
    path("map/<str:code>/outlines/<int:level>.json", place_views.outlines_json, name="map_outlines"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/new/", views.account_new, name="account_new"),
    path("accounts/<str:username>/", views.account_edit, name="account_edit"),
    path("accounts/<str:username>/switch/", views.account_switch, name="account_switch"),
    path("accounts/<str:username>/password/", views.account_password, name="account_password"),
    path("grants/<uuid:pk>/end/", views.grant_end, name="grant_end"),
]

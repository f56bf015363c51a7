"""Routes of matters."""

from django.urls import path

from weilu.matters import bodies, configure, lists, maps, views

urlpatterns = [
    path("desk/", lists.workbench, name="workbench"),
    path("desk/mine/", lists.mine, name="work_mine"),
    path("desk/orders/", lists.orders, name="orders"),
    path("map/", maps.page, name="map"),
    path("map/<str:code>/matters.json", maps.matters_json, name="map_matters"),
    path("map/<str:code>/heat/<int:level>.json", maps.heat_json, name="map_heat"),
    path("matters/", lists.queue, name="queue"),
    path("matters/new/", lists.intake, name="intake"),
    path("matters/bulk/", lists.bulk, name="bulk"),
    path("matters/export/", lists.export, name="export"),
    path("matters/<str:number>/", views.matter, name="matter"),
    path("matters/<str:number>/contact/", views.contact, name="contact"),
    path("matters/<str:number>/files/<uuid:pk>/", views.attachment, name="attachment"),
    path("matters/<str:number>/<slug:name>/", views.act, name="act"),
    path("organisations/<uuid:pk>/matters/", bodies.organisation_matters, name="organisation_matters"),
    path("settings/", configure.settings, name="settings"),
    path("settings/<slug:kind>/<slug:code>/", configure.dictionary_row, name="dictionary_row"),
]

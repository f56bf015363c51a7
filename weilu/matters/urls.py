"""Routes of matters."""

from django.urls import path

from weilu.matters import configure, lists, views

urlpatterns = [
    path("desk/", lists.workbench, name="workbench"),
    path("desk/mine/", lists.mine, name="work_mine"),
    path("desk/orders/", lists.orders, name="orders"),
    path("matters/", lists.queue, name="queue"),
    path("matters/new/", lists.intake, name="intake"),
    path("matters/bulk/", lists.bulk, name="bulk"),
    path("matters/export/", lists.export, name="export"),
    path("matters/<str:number>/", views.matter, name="matter"),
    path("matters/<str:number>/contact/", views.contact, name="contact"),
    path("matters/<str:number>/files/<uuid:pk>/", views.attachment, name="attachment"),
    path("matters/<str:number>/<slug:name>/", views.act, name="act"),
    path("settings/", configure.settings, name="settings"),
    path("settings/<slug:kind>/<slug:code>/", configure.dictionary_row, name="dictionary_row"),
]

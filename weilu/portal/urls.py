"""Routes for residents and the public."""

from django.urls import path

from weilu.portal import following, health, raising, views

urlpatterns = [
    path("", views.home, name="home"),
    path("raise/", raising.what, name="raise_what"),
    path("raise/where/", raising.where, name="raise_where"),
    path("raise/send/", raising.send, name="raise_send"),
    path("raise/done/", raising.done, name="raise_done"),
    path("raise/photos/<uuid:pk>/", raising.photo, name="raise_photo"),
    path("raise/photos/<uuid:pk>/drop/", raising.drop_photo, name="raise_drop_photo"),
    path("at/<str:code>/", raising.at_place, name="raise_at"),
    path("notice/<str:code>/", views.notice, name="notice"),
    path("notice/<str:code>/qr.svg", views.notice_qr, name="notice_qr"),
    path("follow/", following.follow, name="follow"),
    path("follow/leave/", views.leave, name="follow_leave"),
    path("follow/<str:number>/", following.follow_matter, name="follow_matter"),
    path("follow/<str:number>/files/<uuid:pk>/", following.file, name="follow_file"),
    path("follow/<str:number>/<slug:name>/", following.say, name="follow_say"),
    path("results/", views.results, name="results"),
    path("healthz", health.healthz, name="healthz"),
]

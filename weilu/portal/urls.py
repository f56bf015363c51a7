"""Routes for residents and the public."""

from django.urls import path

from weilu.portal import booking_following, following, health, notices, raising, venues, views

urlpatterns = [
    path("", views.home, name="home"),
    path("raise/", raising.what, name="raise_what"),
    path("raise/where/", raising.where, name="raise_where"),
    path("raise/send/", raising.send, name="raise_send"),
    path("raise/done/", raising.done, name="raise_done"),
    path("raise/photos/<uuid:pk>/", raising.photo, name="raise_photo"),
    path("raise/photos/<uuid:pk>/drop/", raising.drop_photo, name="raise_drop_photo"),
    path("at/<str:code>/", raising.at_place, name="raise_at"),
    path("notice/body/<uuid:pk>/", notices.body_notice, name="body_notice"),
    path("notice/body/<uuid:pk>/qr.svg", notices.body_notice_qr, name="body_notice_qr"),
    path("notice/body/<uuid:pk>/print.pdf", notices.body_notice_pdf, name="body_notice_pdf"),
    path("notice/<str:code>/", notices.notice, name="notice"),
    path("notice/<str:code>/qr.svg", notices.notice_qr, name="notice_qr"),
    path("notice/<str:code>/print.pdf", notices.notice_pdf, name="notice_pdf"),
    path("desk/notices/", notices.manage, name="notices"),
    path("desk/notices/prints/", notices.print_new, name="notice_print_new"),
    path("desk/notices/prints/<uuid:pk>/", notices.print_one, name="notice_print"),
    path("desk/notices/prints/<uuid:pk>/file.pdf", notices.print_file, name="notice_print_file"),
    path("desk/notices/bodies/<uuid:pk>/", notices.body_phones, name="body_notice_phones"),
    path("desk/notices/<str:code>/", notices.phones, name="notice_phones"),
    path("settings/notices/", notices.texts, name="notice_texts"),
    path("venues/", venues.venues, name="venues"),
    path("venues/points.json", venues.points, name="venue_points"),
    path("venues/<uuid:pk>/", venues.venue, name="venue"),
    path("venues/<uuid:pk>/ask/", venues.ask, name="venue_ask"),
    path("venues/<uuid:pk>/asked/", venues.asked, name="venue_asked"),
    path("follow/", following.follow, name="follow"),
    path("follow/leave/", views.leave, name="follow_leave"),
    path("follow/bookings/<str:number>/", booking_following.follow_booking, name="follow_booking"),
    path("follow/bookings/<str:number>/cancel/", booking_following.booking_cancel, name="follow_booking_cancel"),
    path("follow/<str:number>/", following.follow_matter, name="follow_matter"),
    path("follow/<str:number>/files/<uuid:pk>/", following.file, name="follow_file"),
    path("follow/<str:number>/<slug:name>/", following.say, name="follow_say"),
    path("results/", views.results, name="results"),
    path("healthz", health.healthz, name="healthz"),
]

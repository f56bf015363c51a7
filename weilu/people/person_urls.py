"""Routes of persons and honours."""

from django.urls import path

from weilu.people import honour_views, me_views, merge_views, person_views

urlpatterns = [
    path("people/", person_views.people_list, name="people"),
    path("people/new/", person_views.person_new, name="person_new"),
    path("people/duplicates/", merge_views.duplicates, name="duplicates"),
    path("people/merges/<uuid:pk>/undo/", merge_views.merge_undo, name="merge_undo"),
    path("people/<uuid:pk>/", person_views.person, name="person"),
    path("people/<uuid:pk>/edit/", person_views.person_edit, name="person_edit"),
    path("people/<uuid:pk>/numbers/", person_views.person_numbers, name="person_numbers"),
    path("people/<uuid:pk>/report/", person_views.person_report, name="person_report"),
    path("people/<uuid:pk>/report/end/", person_views.person_report_end, name="person_report_end"),
    path("people/<uuid:pk>/correct/", person_views.person_correct, name="person_correct"),
    path("people/<uuid:pk>/apart/", merge_views.person_apart, name="person_apart"),
    path("people/apart/<uuid:pk>/undo/", merge_views.apart_undo, name="apart_undo"),
    path("people/<uuid:pk>/merge/", merge_views.person_merge, name="person_merge"),
    path("account/me/", me_views.me, name="me"),
    path("account/me/correct/", me_views.me_correct, name="me_correct"),
    path("account/me/report/", me_views.me_report, name="me_report"),
    path("honours/", honour_views.honours, name="honours"),
    path("honours/export/", honour_views.honours_export, name="honours_export"),
    path("honours/new/", honour_views.honour_new, name="honour_new"),
    path("honours/<uuid:pk>/withdraw/", honour_views.honour_withdraw, name="honour_withdraw"),
]

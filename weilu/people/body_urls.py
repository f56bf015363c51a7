"""Routes of bodies: tree, lists, posts, coverage."""

from django.urls import path

from weilu.orgs import tree_views
from weilu.people import coverage_views, keeping, membership_views, views

urlpatterns = [
    path("tree/", tree_views.tree_page, name="tree"),
    path("tree/body/<uuid:pk>/", tree_views.tree_body, name="tree_body"),
    path("tree/<str:code>/", tree_views.tree_place, name="tree_place"),
    path("organisations/", tree_views.bodies, name="bodies"),
    path("organisations/export/", tree_views.bodies_export, name="bodies_export"),
    path("organisations/<uuid:pk>/", views.organisation, name="organisation"),
    path("organisations/<uuid:pk>/edit/", keeping.organisation_edit, name="organisation_edit"),
    path("organisations/<uuid:pk>/reopen/", keeping.organisation_reopen, name="organisation_reopen"),
    path("organisations/<uuid:pk>/close/", keeping.organisation_close, name="organisation_close"),
    path("organisations/<uuid:pk>/members/new/", membership_views.member_new, name="member_new"),
    path("people/<uuid:pk>/memberships/new/", membership_views.person_member_new, name="person_member_new"),
    path("memberships/<uuid:pk>/end/", membership_views.membership_end, name="membership_end"),
    path("memberships/<uuid:pk>/undo/", membership_views.membership_undo, name="membership_undo"),
    path("organisations/<uuid:pk>/posts/new/", keeping.post_new, name="post_new"),
    path("places/<str:code>/organisations/new/", keeping.organisation_new, name="organisation_new"),
    path("posts/<uuid:pk>/", keeping.post_edit, name="post_edit"),
    path("posts/<uuid:pk>/close/", keeping.post_close, name="post_close"),
    path("posts/<uuid:pk>/appoint/", keeping.post_appoint, name="post_appoint"),
    path("appointments/<uuid:pk>/hand-over/", keeping.appointment_hand_over, name="appointment_hand_over"),
    path("appointments/<uuid:pk>/reinstate/", keeping.appointment_reinstate, name="appointment_reinstate"),
    path("appointments/<uuid:pk>/end/", keeping.appointment_end, name="appointment_end"),
    path("appointments/<uuid:pk>/undo/", keeping.appointment_undo, name="appointment_undo"),
    path("coverage/", coverage_views.coverage, name="coverage"),
    path("coverage/<slug:code>/", coverage_views.coverage_rows, name="coverage_rows"),
    path("coverage/<slug:code>/export/", coverage_views.coverage_export, name="coverage_export"),
]

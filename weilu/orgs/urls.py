"""Routes for accounts and places."""

from django.urls import path

from weilu.orgs import views

urlpatterns = [
    path("logout/", views.logout, name="logout"),
    path("language/", views.language, name="language"),
    path("type-size/", views.type_size, name="type_size"),
    path("account/", views.account, name="account"),
    path("places/", views.places, name="places"),
    path("places/<str:code>/", views.places, name="place"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/new/", views.account_new, name="account_new"),
    path("accounts/<str:username>/", views.account_edit, name="account_edit"),
    path("accounts/<str:username>/switch/", views.account_switch, name="account_switch"),
    path("accounts/<str:username>/password/", views.account_password, name="account_password"),
    path("grants/<uuid:pk>/end/", views.grant_end, name="grant_end"),
]

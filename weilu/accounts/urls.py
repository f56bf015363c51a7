"""Routes of log-in, second factor, sessions, invitations and handing over.

Names beginning with ``mfa_`` and ``account_`` are those by which django-allauth finds its own steps; of its routes only
these are open.
"""

from django.urls import path

from weilu.accounts import factor_views, hand_views, views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("login/", views.login, name="account_login"),
    path("login/code/", factor_views.code, name="mfa_authenticate"),
    path("login/passkey/", factor_views.passkey_login, name="mfa_login_webauthn"),
    path("login/office/", views.office_login, name="office_login"),
    path("login/office/back/", views.office_callback, name="office_callback"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("account/password/", views.password_first, name="password_first"),
    path("account/security/", factor_views.security, name="mfa_index"),
    path("account/security/app/", factor_views.app, name="mfa_activate_totp"),
    path("account/security/app/remove/", factor_views.app_remove, name="mfa_deactivate_totp"),
    path("account/security/codes/", factor_views.codes, name="mfa_view_recovery_codes"),
    path("account/security/codes/new/", factor_views.codes_new, name="mfa_generate_recovery_codes"),
    path("account/security/passkeys/new/", factor_views.passkey, name="mfa_add_webauthn"),
    path("account/security/passkeys/<int:pk>/remove/", factor_views.passkey_remove, name="mfa_remove_webauthn"),
    path("account/security/confirm/", factor_views.password_again, name="account_reauthenticate"),
    path("account/security/confirm/code/", factor_views.code_again, name="mfa_reauthenticate"),
    path("account/sessions/end/", views.sessions_end, name="sessions_end"),
    path("account/sessions/<uuid:pk>/end/", views.session_end, name="session_end"),
    path("settings/second-factor/", factor_views.factor_roles, name="factor_roles"),
    path("accounts/<str:username>/invite/", views.account_invite, name="account_invite"),
    path("accounts/<str:username>/second-factor/", factor_views.factor_reset, name="factor_reset"),
    path("accounts/<str:username>/hand-over/", hand_views.hand_over, name="hand_over"),
    path("people/<uuid:pk>/account/", hand_views.person_account, name="person_account"),
    path("accounts/<str:username>/person/", hand_views.account_person, name="account_person"),
]

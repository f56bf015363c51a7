"""Set-up of the app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Log-in, second factor, sessions, invitations, handing over."""

    name = "weilu.accounts"

    def ready(self) -> None:
        from allauth.mfa import signals
        from django.contrib.auth.signals import user_logged_in

        from weilu.accounts import notices
        from weilu.accounts.sessions import note_origin

        user_logged_in.connect(note_origin, dispatch_uid="accounts.note_origin")
        signals.authenticator_added.connect(notices.factor_added, dispatch_uid="accounts.factor_added")
        signals.authenticator_removed.connect(notices.factor_removed, dispatch_uid="accounts.factor_removed")
        signals.authenticator_reset.connect(notices.codes_renewed, dispatch_uid="accounts.codes_renewed")

"""Set-up of the app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Log-in, second factor, sessions, invitations, handing over."""

    name = "weilu.accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from weilu.accounts.sessions import note_origin

        user_logged_in.connect(note_origin, dispatch_uid="accounts.note_origin")

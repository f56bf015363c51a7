"""What every page needs: who reads it, in which type size, and what is unread."""

from django.http import HttpRequest

from weilu.records.models import Notification

UNREAD_SHOWN = 99


def page(request: HttpRequest) -> dict:
    """Template context for the frame of a page; lazy, so that a page without a frame asks nothing."""
    user = getattr(request, "user", None)

    def unread() -> int:
        if not user or not user.is_authenticated:
            return 0
        rows = Notification.objects.filter(user=user, read_at=None).order_by()
        return rows.values("pk")[: UNREAD_SHOWN + 1].count()

    return {
        "large_type": request.COOKIES.get("large") == "1",
        "can": {permission.value: True for permission in user.permissions} if user and user.is_authenticated else {},
        "unread": unread,
    }

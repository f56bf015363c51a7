"""Who is calling: the address behind our own reverse proxies."""

from django.conf import settings
from django.http import HttpRequest


def ip_address(request: HttpRequest) -> str:
    """Return the caller's address.

    Only as many entries of ``X-Forwarded-For`` are believed, from the right, as we have proxies of our own;
    the rest is what a stranger wrote.
    """
    peer = request.META.get("REMOTE_ADDR", "") or "0.0.0.0"  # noqa: S104  a value to count by, nothing is bound
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    if not trusted or len(hops) < trusted:
        return peer
    return hops[-trusted]

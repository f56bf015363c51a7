"""Counting what an address may do without an account."""

from django.test import RequestFactory

from weilu.orgs.rate_limit import over_limit


def test_an_address_is_still_counted_when_a_whole_county_reads(settings):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"read": 1}

    def reads(address: str) -> bool:
        return over_limit(RequestFactory().get("/", REMOTE_ADDR=address), "read")

    assert not reads("203.0.113.9")
    for n in range(5_000):
        reads(f"10.0.{n // 250}.{n % 250}")
    assert reads("203.0.113.9"), "the others' counts have not pushed this one out"

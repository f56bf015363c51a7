"""Which pages the bench of pages fetches, as whom; the addresses come from the seeded base."""

from typing import Any
from urllib.parse import urlencode

TOWNSHIP, VILLAGE = "510824100", "510824100201"
COLD = 60  # different addresses, each fetched once: nothing comes from a cache


def cursor_at(rows: Any, share: float) -> str:
    """Return the cursor of a list that begins ``share`` of the way down, newest first."""
    rows = rows.order_by("-created_at", "-id")
    found = rows.values_list("created_at", "id")[int(share * rows.count()) :][:1]
    return "~".join([found[0][0].isoformat(), str(found[0][1])]) if found else ""


def _queues() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the lists: name, account and query."""
    from config.bench_rows import RARE
    from weilu.matters.models import Matter
    from weilu.matters.workflow import DONE

    rows = Matter.objects.filter(county__code="510824")
    middle = rows.order_by("-created_at", "-id")[rows.count() // 2 :].first()
    found = {
        "queue county, raised": ("county", {}),
        "queue county, under way": ("county", {"tab": "under_way"}),
        "queue county, late": ("county", {"tab": "late"}),
        "queue county, done": ("county", {"tab": "done"}),
        "queue county, all": ("county", {"tab": "all"}),
        "queue county, all, a category": ("county", {"tab": "all", "category": "farming"}),
        "queue county, done, a category": ("county", {"tab": "done", "category": "health"}),
        "queue county, all, a township": ("county", {"tab": "all", "place": TOWNSHIP}),
        "queue county, all, a village": ("county", {"tab": "all", "place": VILLAGE}),
        "queue county, township and category": ("county", {"tab": "all", "place": TOWNSHIP, "category": "farming"}),
        "search county, common word": ("county", {"tab": "all", "q": "路灯"}),
        "search county, common words": ("county", {"tab": "all", "q": "路灯坏了好几天"}),
        "search county, common word, raised": ("county", {"tab": "raised", "q": "路灯"}),
        "search county, rare word": ("county", {"tab": "all", "q": RARE[-3:]}),
        "search county, no such word": ("county", {"tab": "all", "q": "恐龙"}),
        "search county, words and house": ("county", {"tab": "all", "q": "路灯坏了好几天 7组105号"}),
        "search county, number": ("county", {"tab": "all", "q": middle.number if middle else "1"}),
        "search township, common word": ("clerk00", {"tab": "all", "q": "路灯"}),
        "search township, rare word": ("clerk00", {"tab": "all", "q": RARE[-3:]}),
        "search village, common word": (f"v{VILLAGE}", {"tab": "all", "q": "路灯"}),
        "queue township, raised": ("clerk00", {}),
        "queue township, done": ("clerk00", {"tab": "done"}),
        "queue township, all": ("clerk00", {"tab": "all"}),
        "queue township, all, a category": ("clerk00", {"tab": "all", "category": "farming"}),
        "queue village, raised": (f"v{VILLAGE}", {}),
        "queue village, all": (f"v{VILLAGE}", {"tab": "all"}),
        "queue grid worker, all": (f"g{VILLAGE}-01", {"tab": "all"}),
        "queue department, all": ("department", {"tab": "all"}),
        "queue member, all": (f"m{TOWNSHIP}", {"tab": "all"}),
        "queue observer, all": ("observer", {"tab": "all"}),
    }
    for words, share in (("page 2", 0.0), ("from the middle", 0.5), ("near the end", 0.99)):
        for tab, name in (("all", "all"), ("done", "done")):
            base = rows if tab == "all" else rows.filter(state__in=sorted(DONE))
            found[f"queue county, {name}, {words}"] = ("county", {"tab": tab, "after": cursor_at(base, share)})
    found["queue township, all, from the middle"] = (
        "clerk00", {"tab": "all", "after": cursor_at(Matter.objects.filter(township__code=TOWNSHIP), 0.5)},
    )  # fmt: skip
    return found


def _boards() -> dict[str, list[str]]:
    """Return addresses of the public board that differ, so that each is reckoned anew."""
    from weilu.matters.models import Category
    from weilu.orgs.models import Level, Place

    places = list(Place.objects.filter(level=Level.TOWNSHIP).values_list("code", flat=True))
    villages = list(Place.objects.filter(level=Level.VILLAGE).values_list("code", flat=True))
    categories = list(Category.objects.values_list("code", flat=True))
    both = [(place, category) for category in categories for place in places]
    return {
        "results county and category, 365 days, cold": [f"days=365&category={code}" for code in categories],
        "results township, 365 days, cold": [f"days=365&place={place}" for place in places],
        "results township, 30 days, cold": [f"days=30&place={place}" for place in places],
        "results township and category, 365 days, cold": [f"days=365&place={p}&category={c}" for p, c in both[:COLD]],
        "results village, 365 days, cold": [f"days=365&place={place}" for place in villages[:COLD]],
    }


def pages() -> list[dict[str, Any]]:
    """Return all pages: name, account (empty for strangers), addresses, whether to warm up first."""
    found = [
        {"name": name, "account": account, "paths": ["/matters/?" + urlencode(query)], "warm": True}
        for name, (account, query) in _queues().items()
    ]
    workers = {
        "county clerk": "county", "township clerk": "clerk00", "village clerk": f"v{VILLAGE}",
        "grid worker": f"g{VILLAGE}-01", "department": "department", "member": f"m{TOWNSHIP}", "observer": "observer",
    }  # fmt: skip
    plain = {f"workbench {role}": (account, "/desk/") for role, account in workers.items()}
    plain |= {
        "mine township clerk": ("clerk00", "/desk/mine/"), "mine grid worker": (workers["grid worker"], "/desk/mine/"),
        "mine department": ("department", "/desk/mine/"), "orders member": (workers["member"], "/desk/orders/"),
        "intake county clerk": ("county", "/matters/new/"), "intake township clerk": ("clerk00", "/matters/new/"),
        "places county": ("county", "/places/510824/"), "home": ("", "/"),
        "results county, 365 days, warm": ("", "/results/?days=365"),
        "results county, 30 days, warm": ("", "/results/?days=30"),
    }  # fmt: skip
    found += [{"name": n, "account": account, "paths": [path], "warm": True} for n, (account, path) in plain.items()]
    found += [
        {"name": name, "account": "", "paths": [f"/results/?{query}" for query in queries], "warm": False}
        for name, queries in _boards().items()
    ]
    return found

"""How fast a person is found among a million: rows are generated in a transaction that is rolled back.

``WEILU_AS_OWNER=1 WEILU_DATA=/some/demo python -m config.bench_people [1000000]``, beside a loaded demo county.
"""

import datetime as dt
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import django

RUNS = 15
MEN_AND_WOMEN = (
    "明国华建文平志伟东海强晓生光林小民永杰军波成荣新峰刚家龙德庆斌辉良玉俊立浩天宏子金健鑫芳娟敏静秀丽桂英兰霞燕玲"
)


def rows(count: int, homes: list, jurisdiction) -> Iterator:
    """Yield persons with a name, numbers and a home; names recur as they do among people."""
    from weilu.demo.names import SURNAMES
    from weilu.lib.crypto import keyed_hash
    from weilu.people.models import Person
    from weilu.people.persons import prepare, tail_hash

    rng = random.Random(7)
    surnames, weights = list(SURNAMES), list(SURNAMES.values())
    known: dict[str, tuple] = {}
    for number in range(count):
        [surname] = rng.choices(surnames, weights)
        name = surname + "".join(rng.choice(MEN_AND_WOMEN) for _sign in range(rng.choice((1, 2, 2, 2))))
        person = Person(jurisdiction=jurisdiction, name=name, home=homes[number % len(homes)])
        if name not in known:
            prepare(person)
            known[name] = (person.pinyin, person.initials, person.parts)
        person.pinyin, person.initials, person.parts = known[name]
        person.birth_date = dt.date(1950, 1, 1) + dt.timedelta(days=rng.randrange(20_000))
        person.id_number = f"510824{person.birth_date:%Y%m%d}{rng.randrange(10_000):04d}"
        person.phone = f"13{number:09d}"
        person.id_number_hash = keyed_hash(f"{person.id_number} {number}")  # the same number may come up twice
        person.phone_hash = keyed_hash(person.phone)
        person.id_tail_hash, person.phone_tail_hash = tail_hash(person.id_number[-4:]), tail_hash(person.phone[-4:])
        yield person


def timed(what: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the slowest of some runs, in milliseconds."""
    spent = []
    for _run in range(RUNS):
        start = time.perf_counter()
        what()
        spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent), max(spent)


def measure() -> None:
    """Search as a county's, a township's and a village's clerk and say how long it takes."""
    from weilu.orgs.models import User
    from weilu.people.finding import find, listed, people
    from weilu.people.models import Person

    some = Person.objects.filter(phone__isnull=False).order_by("-id")[5]
    texts = {
        "name": some.name, "common name": "李明", "surname": "王", "part of a name": "晓光", "one sign": "芳",
        "pinyin": some.pinyin, "beginning of pinyin": "zhang", "initials": "lxm", "one letter": "w",
        "body": "金穗社区", "ID number": some.id_number, "masked ID number": some.masked_id_number,
        "last four": some.id_number[-4:], "telephone": some.phone, "masked telephone": some.masked_phone,
        "nobody": "欧阳不存在",
    }  # fmt: skip
    users = [User.objects.get(username=name) for name in ("county", "township", "village")]
    for what, text in texts.items():
        times = [timed(lambda user=user, text=text: find(people(user), text, user=user)) for user in users]
        print(f"{what:22}", *(f"{middle:7.1f} ({most:6.1f})" for middle, most in times))
    for what, given in (("list", {}), ("list of members", {"kind": "member"})):
        times = [timed(lambda user=user, given=given: listed(people(user, **given))) for user in users]
        print(f"{what:22}", *(f"{middle:7.1f} ({most:6.1f})" for middle, most in times))


def main() -> None:
    """Generate, measure, roll back."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.conf import settings
    from django.db import connection, transaction

    from config.database import prepare as start
    from weilu.lib import embedded_postgres
    from weilu.lib.copying import copy_rows
    from weilu.orgs.models import Jurisdiction, Level, Place
    from weilu.people.models import Person

    started = start()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    try:
        with transaction.atomic():
            jurisdiction = Jurisdiction.objects.get()
            homes = list(Place.objects.filter(level=Level.GRID, path__startswith=jurisdiction.place.path))
            begun = time.perf_counter()
            copy_rows(Person, rows(count, homes, jurisdiction))
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE people_person")
            print(f"{Person.objects.count():,} persons in {time.perf_counter() - begun:.0f} s")
            print(f"{'ms: median (slowest)':22} county, township, village")
            measure()
            transaction.set_rollback(True)
    finally:
        if started:
            embedded_postgres.stop(settings.DATA)


if __name__ == "__main__":
    main()

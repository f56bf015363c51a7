"""What is covered and what is not: each question is one queryset, counted for its figure and listed behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from weilu.orgs.models import Level, Organisation, Place, User, valid_on
from weilu.orgs.roles import Permission
from weilu.orgs.scope import organisations_in_scope
from weilu.orgs.tree import my_places
from weilu.people.models import Appointment, Membership, Person

Kind, As = Organisation.Kind, Membership.Kind
FEWEST_MEMBERS = 3  # below it there is a joint branch (constitution of the Party, article 30)
OF_THE_BRANCH = [As.MEMBER, As.SECRETARY]
IN_THE_PARTY = [*OF_THE_BRANCH, As.REPORTED, As.PART_TIME]
ESTATE_KINDS = [Kind.OWNERS_COMMITTEE, Kind.PROPERTY_FIRM]

Rows = Callable[[User, Place | None], QuerySet[Any]]


def bodies(user: User, place: Place | None, *kinds: str) -> QuerySet[Organisation]:
    """Return today's bodies of some kinds in the scope of ``user``, in ``place`` if it is given."""
    rows = Organisation.objects.filter(
        organisations_in_scope(user, Permission.VIEW_PEOPLE), valid_on(timezone.localdate()), kind__in=kinds
    )
    return rows.filter(place__path__startswith=place.path) if place else rows


def holding() -> QuerySet[Appointment]:
    """Return the appointments of today."""
    return Appointment.objects.filter(valid_on(timezone.localdate()))


def belonging(*kinds: str) -> QuerySet[Membership]:
    """Return the memberships of today of some kinds."""
    return Membership.objects.filter(valid_on(timezone.localdate()), kind__in=kinds)


def in_the_party(person: str = "") -> Q:
    """Return the condition that a person is a Party member: by the day they joined, or as a member of a branch.

    Args:
        person: the column that holds them, such as ``person`` of an appointment; empty for persons themselves.
    """
    joined = Q(**{f"{person}__joined_party_on__isnull" if person else "joined_party_on__isnull": False})
    same = {"person": OuterRef(person or "pk"), "jurisdiction": OuterRef("jurisdiction")}
    return joined | Q(Exists(belonging(*IN_THE_PARTY).filter(**same)))


def villages(user: User, place: Place | None) -> QuerySet[Place]:
    """Today's villages and communities."""
    rows = my_places(user).filter(level=Level.VILLAGE).select_related("parent")
    return rows.filter(path__startswith=place.path) if place else rows


def villages_without_a_branch(user: User, place: Place | None) -> QuerySet[Place]:
    """Villages and communities in which no branch stands, at any of their grids and buildings either."""
    found = Organisation.objects.filter(valid_on(timezone.localdate()), kind=Kind.BRANCH)
    rows = villages(user, place).exclude(pk__in=found.values("place"))
    rows = rows.exclude(pk__in=found.filter(place__level=Level.GRID).values("place__parent"))
    return rows.exclude(pk__in=found.filter(place__level=Level.BUILDING).values("place__parent__parent"))


def estates(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Housing estates, as far as an owners' committee or a property firm names them: one body for each."""
    rows = bodies(user, place, *ESTATE_KINDS).exclude(serves="")
    return rows.order_by("place__path", "serves", "kind", "name").distinct("place__path", "serves")


def estates_without_a_branch(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Estates that no branch of the same community serves."""
    branches = Organisation.objects.filter(valid_on(timezone.localdate()), kind=Kind.BRANCH)
    return estates(user, place).filter(
        ~Exists(branches.filter(place=OuterRef("place"), serves=OuterRef("serves")))
    )  # fmt: skip


def branches(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Branches, each with how many members it has; those who only reported to it belong to another."""
    members = belonging(*OF_THE_BRANCH).filter(organisation=OuterRef("pk")).order_by().values("organisation")
    count = Subquery(members.annotate(count=Count("person", distinct=True)).values("count"), IntegerField())
    return bodies(user, place, Kind.BRANCH).annotate(members=Coalesce(count, 0))


def small_branches(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Branches of fewer than three members."""
    return branches(user, place).filter(members__lt=FEWEST_MEMBERS)


def branches_without_a_secretary(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Branches whose leading post nobody holds and that no secretary belongs to."""
    return without_a_leader(bodies(user, place, Kind.BRANCH)).exclude(
        Exists(belonging(As.SECRETARY).filter(organisation=OuterRef("pk")))
    )


def without_a_leader(rows: QuerySet[Organisation]) -> QuerySet[Organisation]:
    """Only bodies whose leading post nobody holds, or that have none."""
    return rows.filter(~Exists(holding().filter(post__organisation=OuterRef("pk"), post__leads=True)))


def teams_without_a_leader(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Volunteer teams whose leading post nobody holds."""
    return without_a_leader(bodies(user, place, Kind.VOLUNTEERS))


def _led_by_a_member() -> Exists:
    leading = holding().filter(post__organisation=OuterRef("pk"), post__leads=True)
    return Exists(leading.filter(in_the_party("person")))


def led_by_a_member(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Owners' committees whose leading post a Party member holds (红色业委会)."""
    return bodies(user, place, Kind.OWNERS_COMMITTEE).filter(_led_by_a_member())


def not_led_by_a_member(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Owners' committees that no Party member leads."""
    return bodies(user, place, Kind.OWNERS_COMMITTEE).filter(~_led_by_a_member())


def _has_members() -> Q:
    works = Person.objects.filter(in_the_party(), work=OuterRef("pk"), merged_into=None)
    belongs = belonging(*As.values).filter(in_the_party("person"), organisation=OuterRef("pk"))
    holds = holding().filter(in_the_party("person"), post__organisation=OuterRef("pk"))
    return Q(Exists(works)) | Q(Exists(belongs)) | Q(Exists(holds))


def firms_with_members(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Property firms in which a Party member works (红色物业)."""
    return bodies(user, place, Kind.PROPERTY_FIRM).filter(_has_members())


def firms_without_members(user: User, place: Place | None) -> QuerySet[Organisation]:
    """Property firms in which no Party member works."""
    return bodies(user, place, Kind.PROPERTY_FIRM).filter(~_has_members())


def cross_posts(user: User, place: Place | None) -> QuerySet[Person]:
    """People who hold posts in several bodies at once. Who holds a post is public, wherever they live."""
    here = bodies(user, place, *Kind.values)
    held = holding().filter(post__organisation__in=here)
    several = held.order_by().values("person").annotate(count=Count("post__organisation", distinct=True))
    theirs = held.select_related("post__organisation").order_by("-post__leads", "valid_from")
    rows = Person.objects.current().filter(pk__in=several.filter(count__gte=2).values("person"))
    return rows.prefetch_related(Prefetch("appointments", theirs, to_attr="held"))


def of(*kinds: str) -> Rows:
    """Return the question for all bodies of some kinds."""
    return lambda user, place: bodies(user, place, *kinds)


@dataclass(frozen=True)
class Question:
    """A question of coverage.

    Attributes:
        about: what is counted, in a sentence.
        rows: what it counts and lists.
        whole: of how many, where that means something.
        good: whether more of it is better.
        icon: of its card.
    """

    code: str
    name: str | Promise
    about: str | Promise
    rows: Rows
    whole: Rows | None = None
    good: bool = False
    icon: str = "checklist"


QUESTIONS = {
    question.code: question
    for question in (
        Question(
            "villages-without-branch",
            _("Villages and communities without a branch"),
            _("No Party branch stands in them."),
            villages_without_a_branch,
            villages,
            icon="map-pin",
        ),
        Question(
            "estates-without-branch",
            _("Estates without a branch"),
            _("An owners' committee or a property firm serves the estate, but no branch of its community does."),
            estates_without_a_branch,
            estates,
            icon="home",
        ),
        Question(
            "small-branches",
            _("Branches under three members"),
            _("Members who only reported from their unit are not counted."),
            small_branches,
            of(Kind.BRANCH),
            icon="users",
        ),
        Question(
            "branches-without-secretary",
            _("Branches without a secretary"),
            _("Nobody holds the leading post."),
            branches_without_a_secretary,
            of(Kind.BRANCH),
            icon="flag",
        ),
        Question(
            "teams-without-leader",
            _("Volunteer teams without a leader"),
            _("Nobody holds the leading post."),
            teams_without_a_leader,
            of(Kind.VOLUNTEERS),
            icon="hand-stop",
        ),
        Question(
            "committees-led-by-member",
            _("Owners' committees led by a Party member"),
            _("Its leading post is held by a Party member."),
            led_by_a_member,
            of(Kind.OWNERS_COMMITTEE),
            good=True,
            icon="building-community",
        ),
        Question(
            "committees-not-led-by-member",
            _("Owners' committees not led by a Party member"),
            _("The leading post is vacant, or its holder is not in the Party."),
            not_led_by_a_member,
            of(Kind.OWNERS_COMMITTEE),
            icon="building-community",
        ),
        Question(
            "firms-with-members",
            _("Property firms with Party members"),
            _("At least one Party member works there, belongs to it or holds a post."),
            firms_with_members,
            of(Kind.PROPERTY_FIRM),
            good=True,
            icon="id",
        ),
        Question(
            "firms-without-members",
            _("Property firms without Party members"),
            _("No Party member is known to work there."),
            firms_without_members,
            of(Kind.PROPERTY_FIRM),
            icon="id",
        ),
        Question(
            "cross-posts",
            _("People with posts in several bodies"),
            _("Such as a branch secretary who chairs the owners' committee, or a policeman who is deputy secretary."),
            cross_posts,
            good=True,
            icon="git-merge",
        ),
    )
}


def with_leaders(rows: QuerySet[Organisation]) -> QuerySet[Organisation]:
    """Fetch with each body its place, what it stands below, and who leads it today."""
    leading = holding().filter(post__leads=True).select_related("person", "post")
    return rows.select_related("place__parent", "parent").prefetch_related(
        Prefetch("posts__appointments", leading, to_attr="leading")
    )

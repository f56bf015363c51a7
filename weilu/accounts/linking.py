"""Which person an account belongs to: with that, the grants of their posts come and go with the posts."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from weilu.accounts import notices
from weilu.orgs.models import Grant, User
from weilu.orgs.sharding import key_of
from weilu.people.appointment_rules import lasting
from weilu.people.appointments import AppointmentError, give_grant, may_give
from weilu.people.models import Appointment, Person


class LinkError(ValueError):
    """Account and person cannot be linked; the message says why, in the reader's language."""


def candidates(user: User, *, by: User) -> QuerySet[Person]:
    """Return the persons of the account's name whom ``by`` may see and who have no account."""
    rows = Person.objects.visible_to(by).current().filter(name=user.name, user=None)
    return rows.select_related("home__parent", "work").order_by("birth_date", "pk")


def held_by(person: Person) -> QuerySet[Appointment]:
    """Return the appointments of a person that hold today or later, with their post and body."""
    return lasting(person, timezone.localdate()).select_related("post__organisation__place", "person__user")


@transaction.atomic
def link(user: User, person: Person, *, by: User) -> list[Grant]:
    """Say that an account is a person's, and give it the grants of the posts that they hold.

    Returns:
        the grants that came with it.

    Raises:
        LinkError: one of the two is linked already, or ``by`` may not give the role of a post.
    """
    User.objects.select_for_update().get(pk=user.pk)
    held = Person.objects.select_for_update(of=["self"]).get(**key_of(person))
    if held.user_id or Person.objects.filter(user=user).exists():
        raise LinkError(_("Account or person is linked already."))
    held.user = user
    held.save(update_fields=["user"])
    given = []
    for row in held_by(held):
        try:
            may_give(by, row.post)
        except AppointmentError as error:
            raise LinkError(error.message) from error
        if grant := give_grant(row):
            given.append(grant)
    notices.note(user, "person_link", by=by, changes={"grants": len(given)})
    return given

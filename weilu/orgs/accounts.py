"""Make accounts from the command line and in tests."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from weilu.orgs.models import Grant, Jurisdiction, Organisation, Place, User
from weilu.orgs.roles import Role


class AccountError(ValueError):
    """The account cannot be made; the message says why."""


@transaction.atomic
def make_account(
    username: str, name: str, password: str, *, role: Role, place_code: str, organisation: Organisation | None = None
) -> User:
    """Make an account with one grant.

    Raises:
        AccountError: the name is taken, the password too weak, the place unknown or in no county that is open.
    """
    place = Place.objects.filter(code=place_code, valid_to=None).first()
    if place is None:
        raise AccountError(f"There is no place {place_code}.")
    jurisdiction = Jurisdiction.of(place)
    if jurisdiction is None:
        raise AccountError(f"{place.name} lies in no county that is open; first: weilu open CODE")
    if User.objects.filter(username__iexact=username).exists():
        raise AccountError(f"There is already an account {username}.")
    user = User(username=username, name=name)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise AccountError(" ".join(error.messages)) from error
    user.set_password(password)
    user.save()
    Grant.objects.create(user=user, jurisdiction=jurisdiction, role=role, place=place, organisation=organisation)
    return user

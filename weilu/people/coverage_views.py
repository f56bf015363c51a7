"""Pages of coverage: each number opens its rows, each list is an Excel file too."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from weilu.lib.explained import NotFound
from weilu.lib.sheets import workbook
from weilu.orgs.access import AccountRequest, requires
from weilu.orgs.models import Level, Organisation, Place
from weilu.orgs.roles import Permission
from weilu.orgs.succession import AskedPlace, asked_place
from weilu.orgs.tree import my_places, tops
from weilu.people.coverage import QUESTIONS, Question, with_leaders
from weilu.people.models import Person

PAGE = 100
EXPORT_LIMIT = 20_000


@dataclass(frozen=True)
class Line:
    """A row of a list: its cells, and what the first of them opens."""

    cells: list[Any]
    address: str


def _asked(request: AccountRequest) -> AskedPlace:
    """Return the place that the address asks for; of one that has ended, what goes on from it.

    Raises:
        NotFound: there is none in the reader's scope.
    """
    if not (key := request.GET.get("place", "")[:40]):
        return AskedPlace()
    asked = asked_place(request.user, Permission.VIEW, key)
    if not (asked.place or asked.was):
        raise NotFound(_("There is no place with this code in your scope."))
    return asked


def _what_it_became(asked: AskedPlace) -> HttpResponse | None:
    """Lead to what several places, or none, go on from, as there are no rows of it."""
    if asked.place or not asked.was:
        return None
    return redirect(f"{reverse('coverage')}?place={asked.was.pk}")


def _question(code: str) -> Question:
    if code not in QUESTIONS:
        raise Http404
    return QUESTIONS[code]


@requires(Permission.VIEW_PEOPLE)
@require_safe
def coverage(request: AccountRequest) -> HttpResponse:
    """What is covered and what is not, in numbers."""
    user, asked = request.user, _asked(request)
    place = asked.place
    figures = [
        (question, question.rows(user, place).count(), question.whole(user, place).count() if question.whole else None)
        for question in (QUESTIONS.values() if place or not asked.was else [])
    ]
    around = [place] if place else tops(user)
    below = my_places(user).filter(parent__in=around, level__lte=Level.VILLAGE).order_by("code")
    context = {
        "asked": asked,
        "place": place,
        "gaps": [row for row in figures if not row[0].good],
        "there": [row for row in figures if row[0].good],
        "places": below[:500],
        "above": my_places(user).filter(code__in=place.ancestor_codes[:-1]).order_by("level") if place else [],
    }
    return render(request, "people/coverage.html", context)


@requires(Permission.VIEW_PEOPLE)
@require_safe
def coverage_rows(request: AccountRequest, code: str) -> HttpResponse:
    """The rows behind one number."""
    question, asked = _question(code), _asked(request)
    if elsewhere := _what_it_became(asked):
        return elsewhere
    place = asked.place
    text = request.GET.get("page", "")
    page = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    headings, lines, count = _lines(request, question, place, slice(page * PAGE, (page + 1) * PAGE))
    context = {
        "question": question,
        "asked": asked,
        "place": place,
        "headings": headings,
        "lines": lines,
        "count": count,
        "following": page + 1 if (page + 1) * PAGE < count else None,
    }
    return render(request, "people/coverage_rows.html", context)


@requires(Permission.VIEW_PEOPLE)
@require_safe
def coverage_export(request: AccountRequest, code: str) -> HttpResponse:
    """The rows behind one number, as an Excel file."""
    question, asked = _question(code), _asked(request)
    if elsewhere := _what_it_became(asked):
        return elsewhere
    headings, lines, _count = _lines(request, question, asked.place, slice(EXPORT_LIMIT))
    return workbook(question.code, str(question.name), headings, (line.cells for line in lines))


def _lines(
    request: AccountRequest, question: Question, place: Place | None, part: slice
) -> tuple[list[str], list[Line], int]:
    """Return headings, some lines and how many there are."""
    rows = question.rows(request.user, place)
    count = rows.count()
    if rows.model is Place:
        return (
            [_("village or community"), _("township"), _("code")],
            [
                Line(
                    [row.short_name, row.parent.short_name if row.parent else "", row.code], _address("place", row.code)
                )
                for row in rows.order_by("code")[part]
            ],
            count,
        )
    if rows.model is Person:
        return (
            [_("name"), _("bodies served in"), _("posts")],
            [_person_line(row) for row in rows.order_by("name", "id")[part]],
            count,
        )
    if not rows.query.distinct_fields:
        rows = rows.order_by("place__path", "name")
    headings = [_("body"), _("township"), _("place"), _("estate or address"), _("body above"), _("led by")]
    if "members" in rows.query.annotations:
        headings.append(_("members"))
    return headings, [_body_line(row) for row in with_leaders(rows)[part]], count


def _address(name: str, key: Any) -> str:
    return reverse(name, args=[key])


def _body_line(body: Organisation) -> Line:
    posts: Any = body.posts.all()
    leaders = [held for post in posts for held in post.leading]
    above = body.place.parent
    cells: list[Any] = [
        *(body.name, above.short_name if above and above.level >= Level.TOWNSHIP else "", body.place.short_name),
        *(body.serves, str(body.parent or ""), "、".join(f"{held.person.name}（{held.post}）" for held in leaders)),
    ]
    if hasattr(body, "members"):
        cells.append(body.members)
    return Line(cells, _address("organisation", body.pk))


def _person_line(person: Person) -> Line:
    held = person.held  # type: ignore[attr-defined]  # by the question's prefetch
    names = {row.post.organisation_id for row in held}
    posts = "；".join(f"{row.post.organisation} {row.post}" for row in held)
    return Line([person.name, len(names), posts], _address("organisation", held[0].post.organisation_id))

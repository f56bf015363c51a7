"""What ``weilu import roster`` does and says: it files the roster as the browser does, and works on it itself."""

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from rich.console import Console
from rich.table import Table

from weilu.lib.import_result import ImportProblem, cannot_read, progress
from weilu.people.models import RosterImport
from weilu.people.rosters import jobs
from weilu.people.rosters.books import Book
from weilu.people.rosters.correcting import marked
from weilu.people.rosters.entering import (
    Order,
    RosterResult,
    TooMany,
    keep_mapping,
    mapped,
    place_of,
    process,
)
from weilu.people.rosters.kinds import KINDS, fold_heading
from weilu.people.rosters.reading import NotMapped, Roster
from weilu.people.rosters.steps import State

__all__ = ["ImportProblem", "TooMany", "run_and_show"]

NOTES, NAMES, ERRORS = 50, 20, 50
LOOK_EVERY = 0.5  # seconds, while a worker is at the same roster


def order_for(
    *, kind: str, place: str, create_organisations: bool = False, end_missing: bool = False, sheet: str = "",
    dry_run: bool = False, sure: bool = False,
) -> Order:  # fmt: skip
    """Return what the command is asked for.

    Args:
        kind: a key of ``KINDS``.
        place: code of the place whose roster it is; bodies and grids are looked for there and below.
        create_organisations: make bodies that are not known, below the place.
        end_missing: it is a full roster: who is missing from it leaves today.
        sheet: its name; by default the first with a header of this kind.
        dry_run: check everything, write nothing.
        sure: end who is missing even if they are many.

    Raises:
        ImportProblem: there is no such kind or place.
    """
    if kind not in KINDS:
        raise ImportProblem(
            _("There is no kind of roster “%(kind)s”. There are: %(kinds)s.")
            % {"kind": kind, "kinds": ", ".join(KINDS)}
        )
    at, jurisdiction = place_of(place)
    return Order(
        KINDS[kind], at, jurisdiction, sheet=sheet, create=create_organisations, end_missing=end_missing, sure=sure,
        write=not dry_run,
    )  # fmt: skip


def read_file(file: Path) -> Book:
    """Open the workbook.

    Raises:
        ImportProblem: it is not there, or no workbook.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise cannot_read(file, error) from error
    return Book(file.name, content)


def run_and_show(
    file: Path, console: Console, *, errors: Path | None = None, columns: list[str] | None = None, **given: Any
) -> RosterResult:
    """Enter a roster, say how it was understood, what was passed over and who leaves.

    Args:
        errors: where to write the workbook with the reasons.
        columns: ``heading=column``, as somebody names them.

    Raises:
        TooMany: so many would leave that it has to be confirmed.
        ImportProblem: the file is no such roster, or the place is not known.
    """
    order = order_for(**given)
    if errors and not (errors.parent.is_dir() and os.access(errors.parent, os.W_OK)):
        raise ImportProblem(_("%(file)s cannot be written: choose a folder that is there.") % {"file": errors})
    book = read_file(file)
    finish_what_was_left(console)
    order = _choose(book, order, columns or [], console)
    with progress(console) as bar:
        task = bar.add_task(_("Reading"), total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        result = _enter(book, order, tell) if order.write else process(book, order, tell)
    if result.refused and not order.write:
        result.hold_back()  # as it would be: all or nothing
    _show(result, console)
    if errors and result.refused:
        errors.write_bytes(marked(result.roster or mapped(book, order), result.errors))
        console.print(_("The workbook with the reasons: %(file)s") % {"file": errors}, highlight=False)
    if result.refused and order.write:
        console.print(_("Nothing was entered."), highlight=False)
    return result


def finish_what_was_left(console: Console) -> None:
    """Enter what an earlier command was killed over; a roster that somebody is at is left to them."""
    for roster_id in jobs.left_behind():
        if jobs.work(roster_id):
            name = RosterImport.objects.values_list("name", flat=True).get(pk=roster_id)
            console.print(_("“%(name)s”, which was left unfinished, is entered.") % {"name": name}, highlight=False)


def _choose(book: Book, order: Order, columns: list[str], console: Console) -> Order:
    """Say how the columns are understood, with those that somebody named.

    Raises:
        ImportProblem: a heading or a column is not known.
    """
    header = 0
    try:
        roster = mapped(book, order)
    except NotMapped as problem:
        if not columns:
            raise ImportProblem(f"{problem}\n{_how(problem.roster)}") from problem
        roster, header = problem.roster, problem.roster.header
    for text in columns:
        heading, _sign, word = text.rpartition("=")
        _name(roster, heading.strip(), word.strip())
    _show_columns(roster, console)
    try:
        roster.check()
    except NotMapped as problem:
        raise ImportProblem(f"{problem}\n{_how(roster)}") from problem
    if not columns:
        return order
    mapping = {str(index): key for index, key in roster.mapping.items()}
    if order.write:
        keep_mapping(order.jurisdiction.pk, order.kind.code, roster.fingerprint, mapping)
    return replace(order, mapping=mapping, header=header, sheet=roster.sheet)


def _how(roster: Roster) -> str:
    keys = "、".join(f"{column.key}（{column.heading}）" for column in roster.kind.columns)
    return _("Name the columns: --map “heading=column”, as often as needed. Columns: %(keys)s") % {"keys": keys}


def _name(roster: Roster, heading: str, word: str) -> None:
    keys = {fold_heading(name): column.key for column in roster.kind.columns for name in (column.key, column.heading)}
    index = next((at for at, text in enumerate(roster.headings) if fold_heading(text) == fold_heading(heading)), None)
    if index is None or not heading:
        names = "、".join(text for text in roster.headings if text)[:300]
        raise ImportProblem(
            _("The header has no heading “%(heading)s”. It reads: %(names)s.") % {"heading": heading, "names": names}
        )
    key = keys.get(fold_heading(word), "")
    if word and not key:
        raise ImportProblem(_("There is no column “%(word)s”.") % {"word": word} + "\n" + _how(roster))
    roster.mapping = {at: name for at, name in roster.mapping.items() if at != index and name != key}
    if key:
        roster.mapping[index] = key


def _show_columns(roster: Roster, console: Console) -> None:
    used = "；".join(
        f"{roster.headings[index]} = {roster.kind.by_key[key].heading}" for index, key in sorted(roster.mapping.items())
    )
    console.print(
        _("Sheet “%(sheet)s”, header in row %(row)s. Columns: %(used)s")
        % {"sheet": roster.sheet, "row": roster.last_header, "used": used},
        style="dim", highlight=False, markup=False,
    )  # fmt: skip
    if unused := [text for at, text in enumerate(roster.headings) if text and at not in roster.mapping]:
        console.print(
            _("Not used: %(names)s") % {"names": "、".join(unused)}, style="dim", highlight=False, markup=False
        )


def _enter(book: Book, order: Order, tell: Any) -> RosterResult:
    """File the roster and work on it; if a worker was faster, wait for it.

    Raises:
        TooMany: so many would leave that it has to be confirmed.
        ImportProblem: nothing was entered.
    """
    book.put_away()  # the sheet and its sealed file need not stand in memory together
    filed = jobs.file_order(book, order, hashlib.sha256(book.content).hexdigest())
    result = jobs.work(filed.pk, book=book, tell=tell)
    filed.refresh_from_db()
    while result is None and filed.state == State.APPLYING:
        time.sleep(LOOK_EVERY)
        filed.refresh_from_db()
        tell(filed.done, max(filed.total, filed.done))
    if result is not None:
        return result
    if filed.state in (State.FAILED, State.CANCELLED) or not filed.report.get("counts"):
        raise (TooMany if filed.report.get("ask") else ImportProblem)(filed.message)
    return _told(filed)


def _told(filed: RosterImport) -> RosterResult:
    """Return what a worker reported."""
    counts = dict(filed.report["counts"])
    result = RosterResult(errors=jobs.all_errors(filed), refused_rows=counts.pop("refused", 0))
    for name in ("read", "imported", "updated", "duplicates"):
        setattr(result, name, counts.pop(name, 0))
    result.extra, result.notes, result.made = counts, filed.report["notes"], filed.report["made"]
    result.changes, result.leaving = jobs.all_changes(filed)
    return result


def _show(result: RosterResult, console: Console) -> None:
    for note in result.notes[:NOTES]:
        console.print(note, style="dim", highlight=False, markup=False)
    if result.made:
        names = "、".join(result.made[:NAMES]) + ("…" if len(result.made) > NAMES else "")
        console.print(_("Bodies that were not known: %(names)s") % {"names": names}, highlight=False, markup=False)
    for name, body, post in result.leaving[:NAMES]:
        console.print(
            _("missing from the roster: %(name)s, %(body)s") % {"name": name, "body": f"{body} {post}".strip()},
            highlight=False, markup=False,
        )  # fmt: skip
    if (more := result.extra.get("leaving", 0) - NAMES) > 0:
        console.print(_("and %(count)s more people") % {"count": more}, highlight=False)


def headings_of(result: RosterResult) -> dict[str, str]:
    """Return what each field is called in the file, for those who read the errors."""
    roster = result.roster
    return {} if roster is None else {key: roster.heading(key) for key in roster.kind.by_key}


def show_counts(result: RosterResult) -> None:
    """Print the counts, one below the other, and the first errors in the words of the file."""
    table = Table(show_header=False, box=None)
    for key, value in result.as_dict().items():
        if key != "errors":
            table.add_row(key, str(value))
    Console(width=100).print(table)
    headings = headings_of(result)
    for error in result.errors[:ERRORS]:
        where = {"row": error["row"], "heading": headings.get(error["field"], error["field"])}
        print(_("Row %(row)s, %(heading)s: ") % where + error["message"])
    if (more := len(result.errors) - ERRORS) > 0:
        print(_("… and %(count)s more; --errors writes the workbook with all of them") % {"count": more})

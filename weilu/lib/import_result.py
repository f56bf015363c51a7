"""What an import did: every row is imported, updated, a duplicate, or refused with its reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# How far the work is: done, and how much there is.
Tell = Callable[[int, int], None]


class ImportProblem(ValueError):
    """The file or folder as a whole cannot be imported; the message says why and what to do."""


def cannot_read(file: object, error: OSError) -> ImportProblem:
    """Return the problem that a file cannot be opened, with its reason in the reader's language."""
    if isinstance(error, FileNotFoundError):
        return ImportProblem(_("There is no file %(file)s.") % {"file": file})
    if isinstance(error, IsADirectoryError):
        return ImportProblem(_("%(file)s is a folder, not a file.") % {"file": file})
    if isinstance(error, PermissionError):
        return ImportProblem(_("%(file)s may not be read by this account of the machine.") % {"file": file})
    return ImportProblem(_("%(file)s cannot be read: %(reason)s") % {"file": file, "reason": error.strerror})


class Refusal(ValueError):
    """One row cannot be imported: the column at fault and the reason."""

    def __init__(self, column: str, message: str):
        super().__init__(message)
        self.column = column


@dataclass
class ImportResult:
    """Counts of rows, and what was wrong with those refused.

    ``read`` is always the sum of ``imported``, ``updated``, ``duplicates`` and ``refused``; ``extra`` holds further
    counts of one kind of import.
    """

    read: int = 0
    imported: int = 0
    updated: int = 0
    duplicates: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, int] = field(default_factory=dict)
    # What was refused as a file to correct and send in again, each with its reason; empty where there is none.
    refused_file: bytes = b""

    @property
    def refused(self) -> int:
        """Rows refused; each has one error."""
        return len(self.errors)

    def refuse(self, row: int, column: str, message: str, **more: str) -> None:
        """Note that a row is refused.

        Args:
            row: its number as a spreadsheet shows it; the header is row 1.
            column: the column at fault, in English.
            message: the reason, for the office.
            more: what else names the row, such as its file.
        """
        self.errors.append({"row": row, "field": column, "message": message, **more})

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and errors, ready for JSON."""
        return {
            "read": self.read,
            "imported": self.imported,
            "updated": self.updated,
            "duplicates": self.duplicates,
            "refused": self.refused,
            "errors": self.errors,
            **self.extra,
        }


class _Told(Progress):
    """A progress bar that also tells somebody else how far the work is."""

    tell: Tell | None = None

    def update(self, *args: Any, **kwargs: Any) -> None:
        super().update(*args, **kwargs)
        self._say()

    def advance(self, *args: Any, **kwargs: Any) -> None:
        super().advance(*args, **kwargs)
        self._say()

    def _say(self) -> None:
        if self.tell:
            self.tell(int(sum(task.completed for task in self.tasks)), int(sum(task.total or 0 for task in self.tasks)))


def progress(console: Console | None, tell: Tell | None = None) -> Progress:
    """Return a progress bar on ``console``; without one, it is silent. ``tell`` learns the same."""
    columns: Sequence[Any] = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = _Told(*columns, console=console, disable=console is None, transient=True)
    bar.tell = tell
    return bar

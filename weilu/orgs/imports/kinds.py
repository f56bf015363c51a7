"""What can be imported as a job: each app names its own kinds when it is set up."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from rich.console import Console

from weilu.lib.import_result import ImportResult, Tell


@dataclass(frozen=True)
class Kind:
    """A kind of import.

    Attributes:
        run: reads the files of a folder with the options of the job; called in a transaction.
    """

    code: str
    label: str | Promise
    run: Callable[[Path, dict[str, Any], Console | None, Tell | None], ImportResult]


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let imports of ``kind`` be filed and worked on."""
    KINDS[kind.code] = kind

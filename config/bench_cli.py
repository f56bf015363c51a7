"""``weilu bench``."""

import typer

bench = typer.Typer(help="Measure: lifecycle, pages; numbers go into docs/performance.md.", no_args_is_help=True)

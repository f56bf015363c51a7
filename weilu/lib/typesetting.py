"""PDF by typst, with the fonts of a package: no font of the machine counts, and a font that is missing is an error.

typst itself replaces a font that it does not know by another without failing. It also keeps what it has laid out, about
half a megabyte a page: many pages are set in a process of their own, which gives that back. Thousands are set in parts,
which are joined, in another process too.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import typst
from pylopdf_fonts_zh_cn import sans_path
from pypdf import PdfWriter

# As the files name themselves; the second for signs that the first lacks.
FONTS = ["Noto Sans SC", "Noto Serif SC"]
PATIENCE = 240  # seconds


class TypesettingError(RuntimeError):
    """The pages could not be set; the message says why."""


@cache
def _fonts() -> typst.Fonts:
    folder = str(Path(sans_path()).parent)
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    if missing := set(FONTS) - set(found.families()):
        raise TypesettingError(f"fonts are missing: {', '.join(sorted(missing))}")
    return found


def set_pages(template: Path, data: dict[str, Any]) -> bytes:
    """Set ``template``, which reads ``data.json`` and takes its fonts from it, and return the PDF.

    Raises:
        TypesettingError: typst stumbled, or warned: of a font above all, which it would replace by another.
    """
    content = json.dumps({"fonts": FONTS, **data}, ensure_ascii=False).encode()
    files = {"main.typ": template.read_bytes(), "data.json": content}
    try:
        pdf, warnings = typst.compile_with_warnings(files, font_paths=_fonts())  # type: ignore[call-overload]
    except typst.TypstError as error:
        raise TypesettingError(str(error)) from error
    if warnings:
        raise TypesettingError("; ".join(str(warning.message) for warning in warnings))
    return pdf


def join(parts: list[Path], target: Path, title: str) -> None:
    """Write the pages of several PDFs into one, in their order."""
    with PdfWriter() as writer:
        for part in parts:
            writer.append(part, import_outline=False)
        writer.add_metadata({"/Title": title})
        writer.write(target)


def _apart(arguments: list[str], given: bytes = b"") -> bytes:
    """Run this module in a process of its own; return what it wrote.

    Raises:
        TypesettingError: it stumbled, was killed or took too long.
    """
    command = [sys.executable, "-m", "weilu.lib.typesetting", *arguments]
    here = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(command, input=given, capture_output=True, cwd=here, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise TypesettingError(f"not ready after {PATIENCE} seconds") from error
    if done.returncode:
        raise TypesettingError(done.stderr.decode(errors="replace")[-400:] or f"ended with {done.returncode}")
    return done.stdout


def join_apart(parts: list[Path], target: Path, title: str) -> None:
    """Do :func:`join` in a process of its own: it holds all pages at once.

    Raises:
        TypesettingError: see :func:`_apart`.
    """
    _apart(["join", title, str(target), *map(str, parts)])


def set_pages_apart(template: Path, data: dict[str, Any]) -> bytes:
    """Do the same in a process of its own, for hundreds of pages.

    Raises:
        TypesettingError: as :func:`set_pages`, or the process was killed or took too long.
    """
    return _apart(["set", str(template)], json.dumps(data).encode())


def main() -> int:
    """Set the template that is named with the data on standard input, to standard output; or join the files named."""
    verb, *rest = sys.argv[1:]
    try:
        if verb == "join":
            title, target, *parts = rest
            join([Path(part) for part in parts], Path(target), title)
        else:
            sys.stdout.buffer.write(set_pages(Path(rest[0]), json.load(sys.stdin.buffer)))
    except TypesettingError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

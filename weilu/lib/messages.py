"""Collect the strings to translate into the catalogue, without gettext's own tools: an office's machine has none.

``python -m weilu.lib.messages`` writes the catalogue anew: it keeps what is translated, adds what is new, drops what
is gone. Then translate what it names, and run ``make setup``.
"""

import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.reloader import translation_file_changed
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "weilu" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = ("weilu", "config")
NOT_OURS = {"migrations", "static", "node_modules", "tests", "__pycache__"}
HEADER = """\
# Weilu in Chinese. Collected by `make messages`; the terms are in docs/glossary.md.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
# What Babel is told of each function: which arguments are the context, the string and its plural.
ARGUMENTS: dict[str, tuple] = {"": (1,), "n": (1, 2), "p": ((1, "c"), 2), "np": ((1, "c"), 2, 3)}
FUNCTIONS = {
    f"{prefix}gettext{suffix}": arguments
    for prefix, arguments in ARGUMENTS.items()
    for suffix in ("", "_lazy", "_noop")
} | {"_": (1,)}
ALIAS = re.compile(r"\b(\w*gettext\w*) as (\w+)")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def sources() -> Iterator[Path]:
    """Yield the files that may hold strings, in one order everywhere."""
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            template = "templates" in parts and path.suffix in {".html", ".txt"}
            if (template or path.suffix == ".py") and not NOT_OURS & set(parts):
                yield path


def python_of(template: str) -> str:
    """Return a template as Python that calls gettext for each of its strings and can be read by a tokenizer."""
    lines = templatize(template).split("\n")
    # Indentation and exotic spaces mean something to a tokenizer; inside strings they are written as escapes.
    return "\n".join(re.sub(r"\s", " ", line).strip() for line in lines)


def strings_in(code: str) -> Iterator[tuple[str | tuple[str, ...], list[str], str | None]]:
    """Yield what Python code translates: the string or its forms, the comments for translators, the context."""
    keywords = FUNCTIONS | {alias: FUNCTIONS[name] for name, alias in ALIAS.findall(code) if name in FUNCTIONS}
    for _line, message, comments, context in extract(
        "python", BytesIO(code.encode()), keywords=keywords, comment_tags=["Translators:"]
    ):
        yield message, comments, context


def collect() -> Catalog:
    """Return a catalogue of all strings, none translated."""
    found = Catalog(locale="zh_Hans")
    for path in sources():
        source = path.read_text(encoding="utf-8")
        for message, comments, context in strings_in(source if path.suffix == ".py" else python_of(source)):
            found.add(message, auto_comments=comments, context=context)
    return found


def read() -> Catalog:
    """Return the catalogue as it is kept; empty where there is none."""
    if not CATALOGUE.exists():
        return Catalog(locale="zh_Hans")
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def key(message: Message) -> str:
    """Return the English of a message: of several forms the first."""
    return message.id[0] if isinstance(message.id, (tuple, list)) else message.id


def chinese(message: Message) -> str:
    """Return the translation of a message: Chinese has one form."""
    text = message.string
    return (text[0] if text else "") if isinstance(text, (tuple, list)) else text or ""


def strings(catalogue: Catalog) -> dict[tuple[str | None, str], Message]:
    """Return the messages of a catalogue, without its header, by context and English."""
    return {(message.context, key(message)): message for message in catalogue if message.id}


def missing() -> list[str]:
    """Return the strings in templates and code that have no Chinese."""
    kept = strings(read())
    return [
        english
        for (context, english) in strings(collect())
        if (context, english) not in kept or not chinese(kept[context, english]) or kept[context, english].fuzzy
    ]


def obsolete() -> list[str]:
    """Return the strings of the catalogue that no template and no code uses any more."""
    catalogue = read()
    used = strings(collect())
    return [english for (context, english) in strings(catalogue) if (context, english) not in used] + [
        key(message) for message in catalogue.obsolete.values()
    ]


def placeholders_that_differ() -> list[str]:
    """Return the strings whose Chinese has other placeholders than the English."""
    wrong = []
    for message in strings(read()).values():
        forms = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        english = set().union(*(PLACEHOLDER.findall(form) for form in forms))
        if chinese(message) and set(PLACEHOLDER.findall(chinese(message))) != english:
            wrong.append(key(message))
    return wrong


def write() -> None:
    """Write the catalogue anew: without line numbers and dates, sorted, so that a change shows as that change."""
    kept = strings(read())
    found = collect()
    for where, message in strings(found).items():
        if where in kept:
            text = chinese(kept[where])
            message.string = (text,) if message.pluralizable else text
    out = BytesIO()
    write_po(out, found, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_text(HEADER + out.getvalue().decode().strip() + "\n", encoding="utf-8")


def compile_catalogue() -> None:
    """Compile the catalogue if it was not, or changed since; a running Django then reads it anew."""
    compiled = CATALOGUE.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime >= CATALOGUE.stat().st_mtime:
        return
    draft = compiled.with_suffix(f".{os.getpid()}")
    with draft.open("wb") as file:
        write_mo(file, read())
    draft.replace(compiled)
    translation_file_changed(None, compiled)


def main() -> None:
    """Write the catalogue and name what lacks Chinese."""
    write()
    left = missing()
    print(f"{CATALOGUE.relative_to(ROOT)}: {len(strings(read()))} strings, {len(left)} without Chinese")
    for english in left:
        print(f"  {english}")


if __name__ == "__main__":
    main()

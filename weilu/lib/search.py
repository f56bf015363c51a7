"""Chinese words for full-text search: one spelling, every dictionary word.

Texts are brought to simplified characters and cut by jieba's full mode, which gives every word the dictionary knows
and every single character; a query is cut once, exactly. So a word is found wherever it stands, whatever its
neighbours, and a word unknown to the dictionary is found by its characters.
"""

import re
import unicodedata
from functools import cache

import opencc
import rjieba

WORD = re.compile(r"[0-9a-z]+|[㐀-鿿豈-﫿\U00020000-\U0003ffff]+")
MAX_WORDS = 2000


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def fold(text: str) -> str:
    """Return ``text`` in lower case, half width and simplified characters."""
    return _converter().convert(unicodedata.normalize("NFKC", text).lower())


def words_of(text: str) -> list[str]:
    """Return the distinct words of a text, for its index."""
    found: dict[str, None] = {}
    for run in WORD.findall(fold(text)):
        for word in [run] if run.isascii() else [*rjieba.cut_all(run), *run]:
            if len(word) <= 100:
                found[word] = None
    return list(found)[:MAX_WORDS]


def query_words(text: str) -> list[str]:
    """Return the words that a text must hold all of to match the query ``text``."""
    found: dict[str, None] = {}
    for run in WORD.findall(fold(text)):
        for word in [run] if run.isascii() else rjieba.cut(run, False):
            found[word] = None
    return list(found)


def to_vector(words: list[str]) -> str:
    """Return ``words`` as the literal of a PostgreSQL tsvector."""
    return " ".join(f"'{word}'" for word in words)


def to_query(words: list[str]) -> str:
    """Return the literal of a tsquery that wants all of ``words``; the last Latin word may be unfinished."""
    parts = [f"'{word}'" for word in words]
    if parts and words[-1].isascii():
        parts[-1] += ":*"
    return " & ".join(parts)

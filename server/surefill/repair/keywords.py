"""Keywords of SQL that are misspelt: ``SELEC * FROM x``."""

from __future__ import annotations

from collections.abc import Iterator

from surefill.repair.edit import KNOWN, Candidate
from surefill.repair.lexer import lex
from surefill.repair.names import is_slip, similar
from surefill.repair.region import Region
from surefill.syntax.position import Range

_FIRST = "ALTER BEGIN COMMIT CREATE DELETE DROP EXPLAIN INSERT MERGE ROLLBACK SELECT UPDATE WITH"
_OTHERS = (
    "DISTINCT EXISTS FROM GROUP HAVING INDEX INNER INTO JOIN LIMIT OFFSET ORDER OUTER PRIMARY"
    " RETURNING TABLE UNION UNIQUE VALUES VIEW WHERE"
)
_SHORT = "ALL AND AS ASC BY CASE DESC ELSE END IN IS KEY LEFT LIKE NOT NULL ON OR RIGHT SET THEN"
_KEYWORDS = frozenset(f"{_FIRST} {_OTHERS} {_SHORT}".split())


def keyword_candidates(region: Region) -> Iterator[Candidate]:
    """Keywords in the place of words that are one slip away from them.

    Of a statement's first word it is certain: nothing but a keyword begins one.
    """
    tokens = lex(region.code)
    for number, token in enumerate(tokens):
        name = token.text.upper()
        if not token.is_word or name in _KEYWORDS:
            continue
        begins = number == 0 or tokens[number - 1].text == ";"
        words = (_FIRST if begins else _OTHERS).split()
        meant = [word for word, _ in similar(name, words) if is_slip(name, word)]
        if not meant or (not begins and region.words[token.text] > 1):
            continue
        word = meant[0] if token.text.isupper() else meant[0].lower()
        span = Range(region.position(token.start), region.position(token.end))
        title = f"Replace `{token.text}` by `{word}`"
        certain = begins and len(meant) == 1
        yield Candidate(span, word, title, KNOWN, "certain" if certain else "guess")

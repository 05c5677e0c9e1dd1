"""Misspelt keywords of SQL, in the case in which they were written."""

import pytest

from repairing import snapshot_of
from surefill.diagnostics.problem import Problem
from surefill.repair.edit import edited
from surefill.repair.keywords import keyword_candidates
from surefill.repair.region import Region
from surefill.syntax.position import Position, Range


def changed(text):
    snapshot = snapshot_of(text, "sql")
    line = Range(Position(0, 0), Position(0, len(text.rstrip("\n"))))
    region = Region(snapshot, Problem("syntax", "unexpected", line, "", line))
    return [
        (edited(snapshot, each.range, each.text).text, each.trust)
        for each in keyword_candidates(region)
    ]


@pytest.mark.parametrize(
    ("written", "meant", "trust"),
    [
        ("SELEC * FROM x;\n", "SELECT * FROM x;\n", "certain"),
        ("selct * from x\n", "select * from x\n", "certain"),
        ("UPDTAE x SET a = 1;\n", "UPDATE x SET a = 1;\n", "certain"),
        ("SELECT * FORM x;\n", "SELECT * FROM x;\n", "guess"),
        ("SELECT a FROM x WHRE a = 1;\n", "SELECT a FROM x WHERE a = 1;\n", "guess"),
    ],
)
def test_a_misspelt_keyword_is_spelt_right(written, meant, trust):
    assert changed(written) == [(meant, trust)]


@pytest.mark.parametrize("written", ["SELECT a FROM x WHERE a;\n", "SELECT a FROM form, form;\n"])
def test_names_stay_names(written):
    assert changed(written) == []

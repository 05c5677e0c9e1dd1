"""Places in ordinary programs: where they are, what is missing there, which answers are right."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from surefill.syntax.languages import language_for
from surefill_training.errors import ProgramsError
from surefill_training.evaluate.places import (
    FEWEST_CHARACTERS,
    KINDS,
    PLACES,
    Kind,
    Outcome,
    Place,
    draw_places,
    find_places,
    outcome,
)
from surefill_training.evaluate.program_source import ProgramSource
from surefill_training.evaluate.programs import Program, load_programs, shipped_folder

SHIPPED = load_programs()
PYTHON = [program for program in SHIPPED if program.language_id == "python"]

SHELF = '''"""A shelf of books."""
import json
from pathlib import Path


# where the books are
SHELF = Path("shelf.json")


def count(books, author="nobody"):
    """How many there are."""
    found = [book for book in books if book.author == author]  # all of them
    # none is none
    if not found:
        print("There is no book (none)")
        return 0
    return len(found)
'''


def places(text: str, language: str = "python") -> list[Place]:
    known = language_for(language, None)
    assert known is not None
    return find_places(Program(language, f"it{known.extensions[0]}", text))


def missing(kind: Kind, text: str, language: str = "python") -> list[str]:
    return [place.middle for place in places(text, language) if place.kind == kind]


@pytest.mark.parametrize("program", PYTHON, ids=lambda program: program.name)
def test_the_python_programs_compile_and_are_of_a_usual_length(program: Program) -> None:
    ast.parse(program.text)
    assert 30 <= program.text.count("\n") <= 120


def test_there_are_programs_enough() -> None:
    assert len(PYTHON) >= 36
    assert len({program.text for program in SHIPPED}) == len(SHIPPED)


def test_each_kind_is_where_it_says() -> None:
    assert {kind: missing(kind, SHELF) for kind in KINDS} == {
        "line_start": [
            "found = [book for book in books if book.author == author]  # all of them",
            "return 0",
            "return len(found)",
        ],
        "after_dot": ["author == author]  # all of them"],
        "after_assign": [
            'Path("shelf.json")',
            "[book for book in books if book.author == author]  # all of them",
        ],
        "call_arguments": ['"shelf.json")', '"There is no book (none)")', "found)"],
        "after_return": ["len(found)"],
        "block_header": ['count(books, author="nobody"):', "not found:"],
        "body": [
            "found = [book for book in books if book.author == author]  # all of them\n"
            "    # none is none\n"
            "    if not found:\n"
            '        print("There is no book (none)")\n'
            "        return 0\n"
            "    return len(found)",
            'print("There is no book (none)")\n        return 0',
        ],
        "import_line": ["json", "pathlib import Path", "Path"],
        "comment_to_code": [
            'SHELF = Path("shelf.json")',
            'if not found:\n        print("There is no book (none)")\n        return 0',
        ],
    }


GO = """package main

import "fmt"

// Shelf holds books.
type Shelf struct {
\tbooks []string
}

func (s *Shelf) Add(book string) int {
\ts.books = append(s.books, book)
\tif len(s.books) > 10 {
\t\tfmt.Println("full") // {
\t}
\treturn len(s.books)
}
"""
SQL = """-- books of an author
SELECT b.title, COUNT(b.id)
FROM books b
WHERE b.author = 'Nobody; SELECT (';
UPDATE books SET title = 'None';
"""
BASH = """#!/bin/bash
# all books
SHELF="$HOME/shelf"
if [ ! -d "$SHELF" ]; then
  mkdir "$SHELF"
fi
"""
TYPESCRIPT = """import { Book } from "./book";

export class Shelf {
  private books: Book[] = [];

  /** Adds a book. */
  add(book: Book): number {
    if (book.title === "if (x) {") {
      return this.books.length;
    }
    return this.books.push(book);
  }
}
"""
HTML = """<!DOCTYPE html>
<html>
  <style>
    body {
      color: black;
    }
  </style>
  <!-- the books -->
  <ul class="books">
    <li>None</li>
  </ul>
</html>
"""


def test_other_languages_have_the_kinds_that_they_know() -> None:
    assert missing("comment_to_code", GO, "go") == ["type Shelf struct {\n\tbooks []string\n}"]
    assert missing("block_header", GO, "go") == [
        "Shelf struct {",
        "(s *Shelf) Add(book string) int {",
        "len(s.books) > 10 {",
    ]
    assert missing("body", GO, "go")[-1] == 'fmt.Println("full") // {'
    assert missing("after_dot", SQL, "sql")[0] == "title, COUNT(b.id)"
    assert missing("call_arguments", SQL, "sql") == ["b.id)"]
    assert missing("block_header", SQL, "sql")[:2] == ["books b", "b.author = 'Nobody; SELECT (';"]
    assert missing("after_assign", BASH, "bash") == ['"$HOME/shelf"']
    assert missing("comment_to_code", BASH, "bash") == ['SHELF="$HOME/shelf"']
    assert missing("body", BASH, "bash") == ['mkdir "$SHELF"']
    assert missing("block_header", TYPESCRIPT, "typescript")[-1] == 'book.title === "if (x) {") {'
    assert missing("after_return", TYPESCRIPT, "typescript") == [
        "this.books.length;",
        "this.books.push(book);",
    ]
    assert missing("after_assign", HTML, "html") == ["black;"]
    assert missing("comment_to_code", HTML, "html") == [
        '<ul class="books">\n    <li>None</li>\n  </ul>'
    ]
    assert 'ul class="books">' in missing("block_header", HTML, "html")


def test_a_place_is_a_document_with_a_hole() -> None:
    for place in draw_places(SHIPPED):
        text = place.program.text
        assert place.prefix + place.middle + text[place.end :] == text
        assert place.document == place.prefix + (text[place.end :] if place.below else "")
        lines = place.document.split("\n")
        assert (
            lines[place.position.line][: place.position.character]
            == place.prefix.rsplit("\n", 1)[-1]
        )
        assert place.truth == (place.middle if place.below else text[place.start :])


def test_places_are_neither_in_strings_nor_too_short() -> None:
    for program in SHIPPED:
        source = ProgramSource(program.text, program.language)
        for place in find_places(program):
            assert len(place.middle.strip()) >= FEWEST_CHARACTERS
            assert not source.quoted(place.start), place.id
            assert place.prefix.strip()


def test_places_are_drawn_from_all_over_the_program_and_of_all_kinds() -> None:
    drawn = draw_places(SHIPPED, both=False)
    by_program = Counter(place.program.id for place in drawn)
    assert all(by_program[program.id] == PLACES for program in SHIPPED)
    kinds = Counter(place.kind for place in drawn)
    assert set(kinds) == set(KINDS)
    assert max(kinds.values()) < len(drawn) / 4
    lower = sum(place.start > len(place.program.text) / 2 for place in drawn)
    assert 0.35 < lower / len(drawn) < 0.65
    for program in PYTHON:
        lines = [p.position.line for p in drawn if p.program == program]
        assert len(set(lines)) == len(lines)


def test_equal_programs_and_seeds_give_equal_places() -> None:
    every = draw_places(SHIPPED, seed=3)
    assert every == draw_places(SHIPPED, seed=3)
    some = draw_places(SHIPPED[2:4], seed=3)
    assert some == [place for place in every if place.program in SHIPPED[2:4]]
    assert {place.id for place in every} != {place.id for place in draw_places(SHIPPED, seed=4)}
    assert [place.below for place in every[:4]] == [True, False, True, False]
    assert len(draw_places(PYTHON, count=2)) == 4 * len(PYTHON)


@pytest.mark.parametrize(
    ("shown", "below", "expected"),
    [
        ("len(found)", True, "right"),
        ("len(found)  ", True, "right"),
        ("len(found)\n", True, "right"),
        ("len(", True, "right"),
        ("len", True, "right"),
        ("le", True, "wrong"),
        ("len(foun", True, "begins"),
        ("len(books)", True, "begins"),
        ("lem(books)", True, "wrong"),
        ("found", True, "wrong"),
        ("", True, "silent"),
        ("\n   ", True, "silent"),
        # What stands below is not to be written again; where nothing does, it is right.
        ("len(found)\n\n\nprint(1)", True, "begins"),
        ("len(found)\n\n\nprint(1)", False, "right"),
        ("len(found)   \n\n\nprint(1)\nprint(2)", False, "begins"),
    ],
)
def test_outcomes(shown: str, below: bool, expected: Outcome) -> None:
    program = Program("python", "a.py", "def f(found):\n    return len(found)\n\n\nprint(1)\n")
    start = program.text.index("len(")
    place = Place(program, "after_return", start, start + len("len(found)"), below)
    assert outcome(place, shown) == expected


def test_programs_are_found_by_the_folder_of_their_language(tmp_path: Path) -> None:
    for name in ("python/a.py", "python/more/b.py", "python/notes.txt", "go/a.go", "docs/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    found = load_programs(tmp_path)
    assert [program.id for program in found] == ["go/a.go", "python/a.py", "python/more/b.py"]
    assert [p.id for p in load_programs(tmp_path, ["go"])] == ["go/a.go"]
    with pytest.raises(ProgramsError, match="in the language 'rust'") as refused:
        load_programs(tmp_path, ["go", "rust"])
    assert "go, python" in str(refused.value.remedy)
    (tmp_path / "python" / "a.py").write_bytes(b"\xff")
    with pytest.raises(ProgramsError, match="cannot be read"):
        load_programs(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProgramsError, match="There are no programs in"):
        load_programs(tmp_path / "empty")
    with pytest.raises(ProgramsError, match="cannot be read"):
        load_programs(tmp_path / "nowhere")


def test_the_shipped_folder_is_part_of_the_package() -> None:
    assert shipped_folder().parent.name == "surefill_training"
    assert all((shipped_folder() / program.id).is_file() for program in SHIPPED)

"""Which files of a source package of Debian are free to use, by its debian/copyright."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from surefill_training.corpus.debian_copyright import Copyright
from surefill_training.errors import CorpusError

TEXT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: thing
Files-Excluded: vendor/*

# a comment
Files: *
Copyright: 2020 Somebody
License: Expat

Files: src/gnu/*
 lib/[old]/?.c
Copyright: 2019 Another
License: GPL-3+
 This program is free software.
 .
 It comes with a condition.

Files: src/gnu/free.c
Copyright: 2019 Another
License: public-domain

Files: debian/*
Copyright: 2021 Maintainer
License: GPL-2+

License: Expat
 Permission is hereby granted
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("main.c", True),
        ("src/main.c", True),
        ("src/gnu/getopt.c", False),
        ("src/gnu/inner/getopt.c", False),
        ("src/gnu/free.c", True),
        ("lib/[old]/a.c", False),
        ("lib/o/a.c", True),
        ("debian/rules.py", False),
    ],
)
def test_the_last_pattern_that_matches_holds(path: str, allowed: bool) -> None:
    found = Copyright.parse(TEXT, "thing")
    assert found.allows(PurePosixPath(path)) is allowed


def test_the_licence_of_the_package() -> None:
    found = Copyright.parse(TEXT.replace("\n", "\r\n"), "thing")
    assert found.license == "MIT"
    assert found.refused() == ["GPL-3+"]


@pytest.mark.parametrize(
    ("named", "expression"),
    [
        ("Expat", "MIT"),
        ("Expat or Apache-2.0", "MIT OR Apache-2.0"),
        ("BSD-3-clause and public-domain", "BSD-3-clause AND public domain"),
        ("Expat, and ISC", "MIT AND ISC"),
        ("GPL-2+ with OpenSSL exception", "GPL-2+ WITH OpenSSL exception"),
    ],
)
def test_names_of_licences_become_expressions(named: str, expression: str) -> None:
    text = f"Files: *\nCopyright: me\nLicense: {named}\n"
    assert Copyright.parse(text, "thing").license == expression


@pytest.mark.parametrize(
    "text",
    [
        "",
        "This package is under the MIT licence.\n",
        "Files: src/*\nLicense: MIT\n",
        "Files: *\nCopyright: me\n",
        "Files: *\nLicense:\n",
        "\x00\xff",
    ],
)
def test_a_text_that_names_no_licence_is_refused(text: str) -> None:
    with pytest.raises(CorpusError, match="debian/copyright of thing says no licence"):
        Copyright.parse(text, "thing")


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    text = f"Files: *\nLicense: MIT\n\nFiles: {'*a' * 30}b\nLicense: GPL\n"
    assert Copyright.parse(text, "thing").allows(PurePosixPath("a" * 200))

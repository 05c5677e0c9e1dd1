"""Collects sources into a corpus."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive

if TYPE_CHECKING:
    from surefill_training.corpus.listing import Listed
    from surefill_training.corpus.sources import Source
    from surefill_training.progress import Progress

HELP = "Collect, filter, deduplicate and split sources by package."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = (
        "Packages are written NAME==VERSION for a wheel of PyPI, npm:NAME@VERSION for an archive "
        "of npm, debian:NAME=VERSION for a source package of Debian and deb:NAME=VERSION for a "
        "binary package with sources in it; in a list, '# LICENCE' follows, and in one of "
        "--heldout-sources ', first release YYYY-MM'. An interrupted build goes on where it "
        "stopped when the command is given again."
    )
    add = parser.add_argument
    add(
        "--package",
        action="append",
        default=[],
        metavar="NAME",
        help="a package, written as in a list; may be given several times, like all that names "
        "one thing",
    )
    add(
        "--sources",
        "--packages-file",
        dest="sources",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a list of packages, one on each line, NAME==VERSION  # LICENCE; see below",
    )
    add(
        "--heldout-sources",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a list like that of --sources, all of whose packages are held out",
    )
    add(
        "--fetch",
        type=Path,
        metavar="DIR",
        help="fetch packages of the lists, and those named, that are missing into this folder, "
        "with pip, npm and apt-get, and look there first; without it they have to be installed. "
        "Nothing of a package is executed",
    )
    add(
        "--environment",
        action="store_true",
        help="all packages of this interpreter whose licence is permissive",
    )
    add(
        "--site",
        type=Path,
        action="append",
        metavar="DIR",
        help="a site-packages folder to look for packages in, instead of this interpreter's",
    )
    add(
        "--directory",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of sources of your own; needs --any-license",
    )
    add("--stdlib", action="store_true", help="this interpreter's standard library")
    add(
        "--heldout",
        action="append",
        default=[],
        metavar="NAME",
        help="a package that is kept out of training, whole, by its NAME, npm:NAME or "
        "debian:NAME; without one nothing can be measured",
    )
    add(
        "--max-package-chars",
        type=positive,
        default=4_000_000,
        metavar="N",
        help="take at most so many characters of each language in one package",
    )
    add(
        "--language-share",
        type=_share,
        action="append",
        default=[],
        metavar="LANGUAGE=SHARE",
        help="take at most this part of --max-chars of a language (python=0.5), evenly from its "
        "packages; a language that is not named is then left out. Without it all is taken",
    )
    add(
        "--max-chars",
        type=positive,
        default=80_000_000,
        metavar="N",
        help="characters of which the shares of languages are taken",
    )
    add(
        "--decontaminate",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file with text that must not occur in training, such as a public benchmark's JSON "
        "lines, or a folder of files: documents that share tokens in a row with it are dropped",
    )
    add(
        "--decontaminate-tokens",
        type=positive,
        default=13,
        metavar="N",
        help="how many tokens in a row: 13 for benchmarks of short problems, 30 for programs, "
        "which share shorter runs with any code",
    )
    add(
        "--any-license",
        action="store_true",
        help="accept sources whose licence is unknown or not permissive, such as your own",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="decides which files of a large package are taken",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="where to write the corpus")


def _share(text: str) -> tuple[str, float]:
    """``LANGUAGE=SHARE`` as a pair; the share is above 0 and at most 1."""
    from surefill_training.corpus.sources import SUFFIXES

    language, _, value = text.partition("=")
    known = sorted(set(SUFFIXES.values()))
    if language not in known:
        raise argparse.ArgumentTypeError(f"{language!r} is none of {', '.join(known)}")
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{value!r} is no share between 0 and 1")
    return language, share


def run(arguments: argparse.Namespace) -> int:
    """Build a corpus and print what went in and what was dropped."""
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.corpus import build

    heldout = _entries(arguments.heldout_sources, arguments)
    options = build.CorpusOptions(
        heldout=(*arguments.heldout, *(entry.source_name for entry in heldout)),
        max_source_chars=arguments.max_package_chars,
        decontaminate=tuple(arguments.decontaminate),
        shares=dict(arguments.language_share),
        max_chars=arguments.max_chars,
        decontaminate_tokens=arguments.decontaminate_tokens,
        any_license=arguments.any_license,
        seed=arguments.seed,
    )
    with shown_progress() as report:
        report("collecting packages", 0, 1)
        collected = _sources(arguments, heldout, report)
        manifest = build.build(collected, arguments.out, options, report)
    dropped: dict[str, int] = {}
    for package in manifest["packages"]:
        for reason, count in package["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + count
    for split, count in manifest["documents"].items():
        languages = ", ".join(
            f"{chars / 1e6:.1f}M {language}"
            for language, chars in manifest["languages"][split].items()
        )
        console.print(
            f"{split}: {count} documents, {manifest['chars'][split] / 1e6:.1f}M characters"
            + (f" ({languages})" if languages else "")
        )
    for reason, count in sorted(dropped.items(), key=lambda item: -item[1]):
        console.print(f"dropped, {reason}: {count}")
    console.print(f"corpus {manifest['hash'][:16]} in {arguments.out}")
    return 0


def _sources(
    arguments: argparse.Namespace, heldout: Sequence[Listed], report: Progress
) -> list[Source]:
    """What the arguments name, each package once."""
    from surefill_training.corpus import listing, sources

    entries = [_named(text) for text in arguments.package]
    entries += [*_entries(arguments.sources, arguments), *heldout]
    search = arguments.site
    if arguments.fetch:
        listing.fetch(entries, arguments.fetch, report)
        search = [arguments.fetch, *(search or [])]
    unique = {sources.canonical(entry.source_name): entry for entry in reversed(entries)}
    found = [listing.find(entry, search, arguments.fetch) for entry in unique.values()]
    if arguments.environment:
        found += sources.from_environment(leave_out=unique)
    license_name = "own" if arguments.any_license else "unknown"
    directories = dict.fromkeys(directory.resolve() for directory in arguments.directory)
    found += [sources.from_directory(d, license_name) for d in directories]
    if arguments.stdlib:
        found.append(sources.from_standard_library())
    return found


def _named(text: str) -> Listed:
    """A package that the command line names."""
    from surefill_training.corpus import listing
    from surefill_training.errors import CorpusError

    entry = listing.parse(text)
    if entry is None:
        raise CorpusError(
            f"{text!r} is no package.",
            "Write NAME, NAME==VERSION, npm:NAME@VERSION or debian:NAME=VERSION; folders are "
            "given with --directory.",
        )
    return entry


def _entries(files: Sequence[Path], arguments: argparse.Namespace) -> list[Listed]:
    """The entries of several lists."""
    from surefill_training.corpus import listing

    read = (listing.read_list(file, any_license=arguments.any_license) for file in files)
    return [entry for entries in read for entry in entries]

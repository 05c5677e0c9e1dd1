"""Collects sources into a corpus."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive

if TYPE_CHECKING:
    from surefill_training.corpus.sources import Source

HELP = "Collect, filter, deduplicate and split sources by package."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add(
        "--package",
        action="append",
        default=[],
        metavar="NAME",
        help="an installed package; may be given several times, like all that names one thing",
    )
    add(
        "--packages-file",
        type=Path,
        metavar="FILE",
        help="a list of packages, NAME==VERSION  # LICENCE on each line",
    )
    add(
        "--fetch",
        type=Path,
        metavar="DIR",
        help="install packages of the list, and those named, that are missing into this folder, "
        "and look there first; without it they have to be installed",
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
        help="a package that is kept out of training, whole; without one nothing can be measured",
    )
    add(
        "--max-package-chars",
        type=positive,
        default=4_000_000,
        metavar="N",
        help="take at most so many characters of one package",
    )
    add(
        "--decontaminate",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="text that must not occur in training, such as a public benchmark's JSON lines: "
        "documents that share 13 tokens in a row with it are dropped",
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


def run(arguments: argparse.Namespace) -> int:
    """Build a corpus and print what went in and what was dropped."""
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.corpus import build

    options = build.CorpusOptions(
        heldout=tuple(arguments.heldout),
        max_source_chars=arguments.max_package_chars,
        decontaminate=tuple(arguments.decontaminate),
        any_license=arguments.any_license,
        seed=arguments.seed,
    )
    with shown_progress() as report:
        report("collecting packages", 0, 1)
        collected = _sources(arguments)
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


def _sources(arguments: argparse.Namespace) -> list[Source]:
    """What the arguments name, each package once."""
    from surefill_training.corpus import listing, sources

    entries = [listing.Listed(name) for name in arguments.package]
    if arguments.packages_file:
        entries += listing.read_list(arguments.packages_file, any_license=arguments.any_license)
    search = arguments.site
    if arguments.fetch:
        listing.fetch(entries, arguments.fetch)
        search = [arguments.fetch, *(search or [])]
    unique = {sources.canonical(entry.name): entry for entry in reversed(entries)}
    found = [listing.find(entry, search) for entry in unique.values()]
    if arguments.environment:
        found += sources.from_environment(leave_out=unique)
    license_name = "own" if arguments.any_license else "unknown"
    directories = dict.fromkeys(directory.resolve() for directory in arguments.directory)
    found += [sources.from_directory(d, license_name) for d in directories]
    if arguments.stdlib:
        found.append(sources.from_standard_library())
    return found

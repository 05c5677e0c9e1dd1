"""Installs a bundle as the default, if it is proven to be better."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefill_training.commands.shared import positive, positive_float, share
from surefill_training.errors import ReleaseError

if TYPE_CHECKING:
    from surefill.engine.bundle import Bundle
    from surefill_training.release.criteria import Bounds
    from surefill_training.release.judgement import Judgement

HELP = "Install a bundle as the default, if it beats the present one and keeps its bounds."

_NONE = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("candidate", type=Path, metavar="BUNDLE", help="the bundle to install")
    add(
        "--corpus",
        type=Path,
        required=True,
        metavar="DIR",
        help="the corpus with held-out packages",
    )
    add(
        "--against",
        metavar="BUNDLE",
        help="the bundle to beat, or `none`; without it the one in the place of installation, or "
        "the one that ships",
    )
    add(
        "--install",
        type=Path,
        metavar="DIR",
        help="where to install; without it the bundle that ships, in a checkout of Surefill, else "
        "the user's data directory",
    )
    add("--dry-run", action="store_true", help="judge only, and install nothing")
    add("--holes", type=positive, default=500, metavar="N", help="line ends to complete")
    add(
        "--seed",
        type=int,
        metavar="N",
        help="decides which holes and places are drawn; without it others than `evaluate` draws "
        "day by day, which recipes are chosen by",
    )
    add("--rounds", type=positive, default=40, metavar="N", help="samples of each latency")
    add(
        "--max-ms",
        type=positive_float,
        metavar="MS",
        help="most milliseconds of an answer while typing on, as the median; without it 60 for "
        "nano and 80 for base",
    )
    add(
        "--max-mb",
        type=positive_float,
        metavar="MB",
        help="most megabytes of the bundle; without it 20 for nano and 90 for base",
    )
    add(
        "--min-parses",
        type=share,
        default=0.99,
        metavar="SHARE",
        help="least share of suggestions with which the whole document has to parse, judged by "
        "Python itself rather than by the server, where it is Python",
    )
    add(
        "--programs",
        type=Path,
        metavar="DIR",
        help="the ordinary programs to complete, in one folder for each language; without it those "
        "that come with this package",
    )
    add("--places", type=positive, default=5, metavar="N", help="places in each of these programs")
    add(
        "--max-wrong",
        type=share,
        metavar="SHARE",
        help="largest share of the places in these programs at which something wrong may be shown; "
        "without it 0.15",
    )
    add(
        "--record",
        type=Path,
        metavar="FILE",
        help="where the decision is written with its figures; without it BUNDLE.release.json",
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge, write down the decision, and install if it is a good one."""
    from surefill.engine.bundle import Bundle
    from surefill_training.commands.progress import shown_progress
    from surefill_training.release.installation import default_place, recover
    from surefill_training.release.judgement import GateOptions, judge

    candidate = Bundle.load(arguments.candidate)
    place = arguments.install or default_place(candidate.manifest)
    # An installation that was cut off leaves the present bundle under another name.
    recover(place)
    present = _present(arguments.against, place)
    _require_new(candidate, present)
    options = GateOptions(
        holes=arguments.holes,
        rounds=arguments.rounds,
        programs=arguments.programs,
        places=arguments.places,
    )
    if arguments.seed is not None:
        options = replace(options, seed=arguments.seed)
    with shown_progress() as report:
        judgement = judge(
            candidate,
            present,
            arguments.corpus,
            _bounds(arguments, candidate),
            options=options,
            progress=report,
        )
    return _conclude(arguments, candidate, judgement, place)


def _present(against: str | None, place: Path) -> Path | None:
    """The bundle to beat: the one that was named, else what would be replaced, else what ships."""
    from surefill.engine.bundle import MANIFEST, find_bundle

    if against == _NONE:
        return None
    if against is not None:
        return find_bundle(against)
    shipped = find_bundle("default")
    return next((path for path in (place, shipped) if (path / MANIFEST).is_file()), None)


def _require_new(candidate: Bundle, present: Path | None) -> None:
    from surefill.engine.bundle import Bundle

    if present is None:
        return
    before = Bundle.load(present).manifest
    # The card and the scores may be written anew; the files that are served count.
    served = [
        {name: digest for name, digest in manifest.files.items() if not name.endswith(".md")}
        for manifest in (candidate.manifest, before)
    ]
    if served[0] == served[1]:
        raise ReleaseError(
            f"{candidate.manifest.name} {candidate.manifest.version} and the bundle at {present} "
            "are the same model.",
            "Give another bundle, or another one to beat with --against.",
        )


def _bounds(arguments: argparse.Namespace, candidate: Bundle) -> Bounds:
    from surefill_training.release.criteria import bounds_for

    given = {
        "typing_ms": arguments.max_ms,
        "megabytes": arguments.max_mb,
        "wrong": arguments.max_wrong,
    }
    return replace(
        bounds_for(candidate.manifest),
        parses=arguments.min_parses,
        **{name: value for name, value in given.items() if value is not None},
    )


def _conclude(
    arguments: argparse.Namespace, candidate: Bundle, judgement: Judgement, place: Path
) -> int:
    """Say what was found, install if all is well, and write it down."""
    from rich.console import Console

    from surefill_training.files import write_atomically
    from surefill_training.release.installation import install, is_checkout

    manifest, out = candidate.manifest, Console(highlight=False, soft_wrap=True)
    for check in judgement.checks:
        out.print(f"{'ok' if check.passed else 'NO':<3} {check.sentence}", markup=False)
    for baseline in judgement.against_baselines():
        times = f"{baseline['times']:.2f} times" if baseline["times"] else "not comparable to"
        out.print(f"    Its exact match is {times} that of {baseline['name']}.", markup=False)
    decision = "refused"
    try:
        if judgement.passed and arguments.dry_run:
            decision = "would be installed"
        elif judgement.passed:
            decision = "could not be installed"
            install(candidate, place)
            decision = "installed"
    finally:
        folder = candidate.path.resolve()
        record = arguments.record or folder.with_name(f"{folder.name}.release.json")
        written = {"name": manifest.name, "version": manifest.version, "files": manifest.files}
        text = json.dumps({"candidate": written, **judgement.record(decision)}, indent=1)
        write_atomically(record, text.encode())
    out.print(f"{manifest.name} {manifest.version}: {decision}.", markup=False)
    if decision == "installed" and arguments.install is None and not is_checkout():
        out.print(f'Set "bundle" to "{manifest.name}" to be served by it.', markup=False)
    return 0 if judgement.passed else 1

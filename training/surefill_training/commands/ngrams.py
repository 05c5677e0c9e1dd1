"""Makes the n-grams of a bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from surefill_training.commands.shared import positive, positive_float
from surefill_training.files import write_atomically

HELP = "Count the n-grams of a corpus and fit how a bundle's model is blended with them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="the corpus of the model")
    add("--bundle", type=Path, required=True, metavar="BUNDLE", help="a bundle of the model")
    add(
        "--max-mb",
        type=positive_float,
        default=10.0,
        metavar="N",
        help="most megabytes of the file",
    )
    add("--holes", type=positive, default=1_000, metavar="N", help="holes to fit the weights on")
    add(
        "--counted",
        type=Path,
        metavar="FILE",
        help="an earlier ngrams.bin of the same corpus and tokenizer: take its n-grams over and "
        "only fit the weights anew, in minutes, for a model that was trained further "
        "(--max-mb does not count then)",
    )
    add("--seed", type=int, default=0, metavar="N", help="decides which holes are drawn")
    add("--out", type=Path, required=True, metavar="FILE", help="where to write ngrams.bin")


def run(arguments: argparse.Namespace) -> int:
    """Write ``ngrams.bin``, for `bundle --ngrams`."""
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.ngrams.build import NgramOptions, make_ngrams

    options = NgramOptions(
        max_bytes=int(arguments.max_mb * 1e6), holes=arguments.holes, seed=arguments.seed
    )
    with shown_progress() as report:
        data = make_ngrams(arguments.corpus, arguments.bundle, options, report, arguments.counted)
    write_atomically(arguments.out, data)
    console.print(f"{arguments.out}: {len(data) / 1e6:.1f} MB")
    return 0

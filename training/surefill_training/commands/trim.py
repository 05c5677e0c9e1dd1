"""Cuts the vocabulary of a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from surefill_training.commands.shared import not_negative, positive
from surefill_training.errors import TrainingError

HELP = "Cut the vocabulary of a model down to the tokens that code needs most."

_EPILOG = """\
A pretrained model knows words of many languages that code never has, and pays for each of them
with a row of its embedding and its head. Tokens are counted on the texts of the corpora, and those
stay whose loss would make the text longest; with them all bytes, all special tokens and all that
the kept tokens are merged from. Text that needs no dropped token is encoded as before, any other in
smaller pieces, and nothing is lost. Give the same kind of text that the model is to write, in each
language that it is to write:

  surefill-train trim models/smollm2 --corpus corpus --vocabulary 16384 --out models/trimmed
  surefill-train trim models/smollm2 --corpus corpus --corpus ~/src --weight go=6 \\
                      --vocabulary 20480 --out models/trimmed

Whoever goes on from the adapter of a published model needs the very tokens of that model:

  surefill-train trim models/smollm2 --like bundle/tokenizer.json --out models/trimmed

Fine-tune afterwards: the model has to get used to the smaller pieces.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("model", metavar="MODEL_DIR", help="a Hugging Face model directory, or a run's folder")
    add(
        "--corpus",
        type=Path,
        action="append",
        metavar="DIR",
        help="what `corpus` wrote, or any folder of source files; may be given several times",
    )
    add(
        "--vocabulary",
        type=positive,
        metavar="N",
        help="how many tokens stay, rounded up to a multiple of 64",
    )
    add(
        "--like",
        type=Path,
        metavar="TOKENIZER",
        help="the tokenizer.json of an earlier cut of this model, whose tokens stay; in place of "
        "--corpus and --vocabulary",
    )
    add(
        "--weight",
        type=_weight,
        action="append",
        default=[],
        metavar="LANGUAGE=NUMBER",
        help="how much a byte in a language counts, by its id in LSP: instead of 12 for python, "
        "2 for typescript, javascript, go, rust and java, 1.5 for c and cpp, 1 for others, 0.5 "
        "for json and markdown; may be given several times",
    )
    add(
        "--chars",
        type=positive,
        default=2_000_000,
        metavar="N",
        help="most characters that are counted on, of a language with the weight 1; of others in "
        "proportion (default: 2000000)",
    )
    add("--seed", type=int, default=0, metavar="N", help="decides which texts are drawn")
    add("--out", type=Path, required=True, metavar="DIR", help="the new model directory")


def run(arguments: argparse.Namespace) -> int:
    """Trim, and say what it costs in each language."""
    from surefill_training.commands.progress import console, shown_progress
    from surefill_training.vocabulary.report import cuts_table, uncounted
    from surefill_training.vocabulary.trim import TrimOptions, trim, trim_like

    counts = arguments.corpus is not None and arguments.vocabulary is not None
    if counts == (arguments.like is not None):
        raise TrainingError(
            "It is not clear which tokens are to stay.",
            "Give --corpus and --vocabulary, or --like.",
        )
    with shown_progress() as report:
        if arguments.like is not None:
            trimmed = trim_like(arguments.model, arguments.like, arguments.out, report)
        else:
            options = TrimOptions(
                vocabulary=arguments.vocabulary,
                weights=dict(arguments.weight),
                chars=arguments.chars,
                seed=arguments.seed,
            )
            trimmed = trim(arguments.model, arguments.corpus, arguments.out, options, report)
    if trimmed.cuts:
        console.print(cuts_table(trimmed.cuts), markup=False, soft_wrap=True)
    if trimmed.counted and (missing := uncounted(trimmed.counted)):
        console.print(
            f"No text was counted in {', '.join(missing)}: of their words only those stay that "
            "other languages use."
        )
    console.print(
        f"{arguments.out} has {trimmed.vocabulary} of {trimmed.before} tokens and "
        f"{trimmed.parameters / 1e6:.1f}M parameters."
    )
    console.print(f"To heal it: surefill-train finetune {arguments.out} --corpus DIR --out DIR")
    return 0


def _weight(text: str) -> tuple[str, float]:
    language, equals, number = text.partition("=")
    if not language or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not LANGUAGE=NUMBER, as in python=12")
    return language, not_negative(number)

"""Trains a tokenizer on a corpus."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from surefill_training.commands.shared import positive, read_record
from surefill_training.files import write_atomically
from surefill_training.templates import find_template

HELP = "Train a byte-level BPE tokenizer on a corpus."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--corpus", type=Path, required=True, metavar="DIR", help="what `corpus` wrote")
    add(
        "--preset",
        default="nano",
        metavar="NAME",
        help="the preset of the model that it is for: nano, base or test; says how many tokens it "
        "has",
    )
    add(
        "--vocabulary", type=positive, metavar="N", help="number of tokens, instead of the preset's"
    )
    add(
        "--template",
        default="qwen2.5-coder",
        metavar="NAME",
        help="whose special tokens the tokenizer gets",
    )
    add(
        "--max-chars",
        type=positive,
        default=40_000_000,
        metavar="N",
        help="train on at most so many characters, drawn at random",
    )
    add("--out", type=Path, required=True, metavar="FILE", help="where to write tokenizer.json")


def run(arguments: argparse.Namespace) -> int:
    """Train a tokenizer, unless the same one is there already."""
    from surefill_training.commands.progress import console
    from surefill_training.corpus import build
    from surefill_training.corpus.sample import take
    from surefill_training.model import preset
    from surefill_training.tokenizer import save_tokenizer, train_tokenizer

    template = find_template(arguments.template)
    vocabulary = arguments.vocabulary or preset(arguments.preset).shape.vocabulary
    made = {
        "corpus": build.manifest(arguments.corpus)["hash"],
        "vocabulary": vocabulary,
        "template": template.name,
        "max_chars": arguments.max_chars,
    }
    record = arguments.out.with_suffix(".made.json")
    if arguments.out.exists() and read_record(record) == made:
        console.print(f"{arguments.out} is up to date.")
        return 0
    documents = build.load(arguments.corpus, "train")
    taken = take((document.text for document in documents), arguments.max_chars)
    trained = train_tokenizer(taken, template, vocabulary, progress=True)
    save_tokenizer(trained, arguments.out)
    write_atomically(record, json.dumps(made, indent=1).encode())
    heldout = [document.text for document in build.load(arguments.corpus, "heldout")]
    sample = "".join(heldout or taken)[:2_000_000]
    ratio = len(sample.encode()) / max(1, len(trained.encode(sample).ids))
    console.print(f"{trained.get_vocab_size()} tokens, {ratio:.2f} bytes per token")
    return 0

"""Which vocabulary is the fastest: bytes per token, and milliseconds per suggested character.

For each size a tokenizer is trained on a corpus, once with tokens of several words and once
without; a model of the preset's shape with random weights and that vocabulary is exported as it
would ship, and line ends of held-out code are decoded with it, token by token, as they stand there.
What a larger vocabulary saves in tokens it costs in the model's head. Run nothing else meanwhile::

    python tests/benchmarks/vocabulary.py --corpus corpus
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from engines import open_model, random_model
from tokenizers import Tokenizer

from surefill.context.prompt import TEMPLATES
from surefill.engine.interrupt import Interrupt
from surefill_training.corpus import build
from surefill_training.corpus.documents import Document
from surefill_training.corpus.sample import take
from surefill_training.model import PRESETS, build_model, count_parameters
from surefill_training.tasks.holes import Hole, HoleMix, cut
from surefill_training.tokenizer import PHRASE_SHARE, train_tokenizer

PROMPT, LINES = 256, 100


@dataclass(frozen=True)
class Row:
    """What was measured of one vocabulary."""

    size: int
    phrases: bool
    bytes_per_token: float
    characters_per_token: float
    """Of line ends, which is what is suggested."""
    prefill_ms: float
    """Of the same text, so with fewer tokens where they are longer."""
    token_ms: float
    parameters: float

    @property
    def character_ms(self) -> float:
        return self.token_ms / self.characters_per_token


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[4096, 8192, 12288, 16384])
    parser.add_argument("--preset", default="nano")
    parser.add_argument("--chars", type=int, default=10_000_000, help="to train tokenizers on")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    texts = sample(arguments.corpus, arguments.chars)
    heldout = list(build.load(arguments.corpus, "heldout"))
    rng = random.Random(0)
    drawn = [cut(rng.choice(heldout).text, rng, HoleMix(), "line_end") for _ in range(LINES)]
    holes = [hole for hole in drawn if hole is not None and len(hole.middle) >= 3]
    rows = []
    for size in arguments.sizes:
        for share in (PHRASE_SHARE, 0.0):
            tokenizer = train_tokenizer(texts, TEMPLATES["qwen2.5-coder"], size, phrase_share=share)
            rows.append(measure(tokenizer, arguments.preset, heldout, holes, bool(share)))
            print(table(rows[-1:]).split("\n")[-1], flush=True)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(row) for row in rows], indent=1))


def sample(corpus: Path, chars: int) -> list[str]:
    return take((document.text for document in build.load(corpus, "train")), chars)


def measure(
    tokenizer: Tokenizer,
    preset: str,
    heldout: list[Document],
    holes: list[Hole],
    phrases: bool,
) -> Row:
    code = "".join(document.text for document in heldout)[:1_000_000]
    ids = tokenizer.encode(code, add_special_tokens=False).ids
    shape = replace(PRESETS[preset].shape, vocabulary=tokenizer.get_vocab_size())
    prompt = code[: PROMPT * 4]
    with tempfile.TemporaryDirectory() as scratch:
        model = random_model(shape, tokenizer, Path(scratch))
        engine = open_model(model, Path(scratch), "int4", shape.context)
        parameters = count_parameters(build_model(shape, end_token=0))
        prefill, token, characters, tokens = [], [], 0, 0
        for hole in holes:
            middle = tokenizer.encode(hole.middle, add_special_tokens=False).ids
            engine.session.rewind(0)
            started = time.perf_counter()
            engine.session.prefill(
                tokenizer.encode(prompt, add_special_tokens=False).ids, Interrupt()
            )
            prefilled = time.perf_counter()
            for number in middle:
                engine.session.extend([number], Interrupt())
            ended = time.perf_counter()
            prefill.append(1000 * (prefilled - started))
            token.append(1000 * (ended - prefilled) / len(middle))
            characters += len(hole.middle)
            tokens += len(middle)
        engine.close()
    return Row(
        size=tokenizer.get_vocab_size(),
        phrases=phrases,
        bytes_per_token=len(code.encode()) / len(ids),
        characters_per_token=characters / tokens,
        prefill_ms=statistics.median(prefill),
        token_ms=statistics.median(token),
        parameters=parameters / 1e6,
    )


def table(rows: list[Row]) -> str:
    lines = [
        "| vocabulary | several words | parameters, M | bytes per token | prefill, ms | "
        "ms per token | ms per suggested character |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.size} | {'yes' if row.phrases else 'no'} | {row.parameters:.1f} | "
        f"{row.bytes_per_token:.2f} | {row.prefill_ms:.1f} | {row.token_ms:.2f} | "
        f"{row.character_ms:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

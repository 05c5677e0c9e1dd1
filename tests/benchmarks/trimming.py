"""How far a pretrained model's vocabulary can be cut: length, loss and time for several sizes.

Cuts the model to each size as ``surefill-train trim`` does. On held-out text of each language, the
same for all sizes: bytes per token, the share of the old tokens that split, and bits per byte of
the cut model before it is trained again. Then the int8 graphs run as they are served, in turns, so
that a disturbance of the machine meets all of them: a prompt of 300 of the old tokens, and the text
of the next 20 token by token, as it stands there. A smaller vocabulary has more tokens for the same
text and a smaller head, so times are given for the characters. Run nothing else meanwhile::

    python tests/benchmarks/trimming.py --model models/smollm2 --corpus corpus
    python tests/benchmarks/trimming.py --model models/smollm2 --corpus corpus --bits-chars 0
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from surefill.engine.bundle import Bundle
from surefill.engine.interrupt import Interrupt
from surefill.engine.runtime import physical_cores
from surefill.engine.session import ModelSession
from surefill_training.bundle import BundleInfo, write_bundle
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.export import export
from surefill_training.inputs import load_tokenizer
from surefill_training.train.source import find_source
from surefill_training.vocabulary.counting import Cut
from surefill_training.vocabulary.texts import WEIGHTS, read_texts
from surefill_training.vocabulary.trim import RECORD, TrimOptions, count, cut

PROMPT, NEW = 300, 20
_LENGTH = 512
"""Tokens of a window on which bits are measured."""


@dataclass
class Row:
    """What was measured of one size."""

    vocabulary: int
    parameters: int
    cuts: Sequence[Cut] = ()
    """Empty for the model as it was."""
    bits: Mapping[str, float] | None = None
    megabytes: float = 0.0
    prefill_ms: float = 0.0
    token_ms: float = 0.0
    character_ms: float = 0.0
    """Of the text behind the prompt, which is read already, as while typing."""
    cold_character_ms: float = 0.0
    """With the prompt."""


@dataclass(frozen=True)
class Place:
    """A prompt and the text behind it."""

    prompt: str
    middle: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="a Hugging Face model directory")
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    sizes = [12288, 16384, 20480, 24576, 32768]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes)
    parser.add_argument(
        "--chars", type=int, default=2_000_000, help="to count on, for the weight 1"
    )
    parser.add_argument("--bits-chars", type=int, default=20_000, help="of a language; 0: no bits")
    parser.add_argument("--rounds", type=int, default=30, help="places to time; 0: no times")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(physical_cores())
    with tempfile.TemporaryDirectory() as scratch:
        folders = cut_all(arguments, Path(scratch))
        rows = {size: describe(folder) for size, folder in folders.items()}
        if arguments.bits_chars:
            texts = heldout(arguments.corpus, arguments.bits_chars)
            for size, folder in folders.items():
                rows[size].bits = bits(folder, texts)
                print(f"bits per byte of {size}: {weighted(rows[size].bits):.4f}", flush=True)
        if arguments.rounds:
            found = heldout(arguments.corpus, 1_000_000)
            places = draw(found, arguments.model, arguments.rounds + 1)
            bundles = {size: bundle(folder, Path(scratch)) for size, folder in folders.items()}
            measure(bundles, places, rows)
    print(report(list(rows.values())))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows.values()], indent=1))


def heldout(folders: Sequence[Path], chars: int) -> dict[str, list[str]]:
    return read_texts(folders, "heldout", dict.fromkeys(WEIGHTS, chars))


def cut_all(arguments: argparse.Namespace, scratch: Path) -> dict[int, Path]:
    """The model's folder for each size, the model itself first."""
    folders = {find_source(str(arguments.model)).config.vocab_size: arguments.model}
    options = TrimOptions(vocabulary=0, chars=arguments.chars)
    counted = count(str(arguments.model), arguments.corpus, options, lambda *_: None)
    for size in sorted(arguments.sizes, reverse=True):
        out = scratch / f"cut-{size}"
        cut(counted, size, out, lambda *_: None)
        folders[size] = out
        print(f"cut to {size}", flush=True)
    return folders


def describe(folder: Path) -> Row:
    model = AutoModelForCausalLM.from_pretrained(folder)
    record = folder / RECORD
    cuts = json.loads(record.read_text())["languages"] if record.exists() else ()
    parameters = sum(p.numel() for p in model.parameters())
    return Row(model.config.vocab_size, parameters, [Cut(**made) for made in cuts])


def bits(folder: Path, texts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    tokenizer.encode_special_tokens = True
    end = model.config.eos_token_id
    options = {"end": end, "length": _LENGTH, "batch": 2, "precision": torch.float32}
    return {
        language: bits_per_byte(model, tokenizer, found, **options)
        for language, found in texts.items()
    }


def weighted(bits: Mapping[str, float]) -> float:
    """The mean over languages with their weights in the cut."""
    weights = {language: WEIGHTS.get(language, 0.0) for language in bits}
    return sum(bits[name] * weight for name, weight in weights.items()) / sum(weights.values())


def draw(texts: Mapping[str, Sequence[str]], model: Path, count: int) -> list[Place]:
    """Places in held-out files, languages in turn, long enough and without text in common."""
    tokenizer = load_tokenizer(model / "tokenizer.json")
    tokenizer.encode_special_tokens = True
    rng = random.Random(0)
    found: list[Place] = []
    for _ in range(100 * count):
        language = list(texts)[len(found) % len(texts)]
        text = rng.choice(texts[language])
        start = rng.randrange(len(text))
        part = text[start : start + 20 * PROMPT]
        offsets = tokenizer.encode(part, add_special_tokens=False).offsets
        if len(offsets) > PROMPT + NEW:
            at, end = offsets[PROMPT][0], offsets[PROMPT + NEW][0]
            found.append(Place(part[:at], part[at:end]))
        if len(found) == count:
            return found
    raise SystemExit("The held-out texts are too short to draw places from.")


def bundle(folder: Path, scratch: Path) -> Bundle:
    exported = export(folder, scratch / f"onnx-{folder.name}", "int8")
    context = json.loads((folder / "config.json").read_text())["max_position_embeddings"]
    info = BundleInfo("bench", "0", ("python",), "none", 1, min(context, 1024), template="plain")
    print(f"exported {folder.name}", flush=True)
    return write_bundle(
        scratch / f"bundle-{folder.name}",
        info,
        model=exported.path,
        layout=exported.layout,
        precision=exported.precision,
        tokenizer=folder / "tokenizer.json",
        model_card="A benchmark's temporary bundle.",
    )


def measure(bundles: dict[int, Bundle], places: Sequence[Place], rows: Mapping[int, Row]) -> None:
    """Time every place with every size; the first place warms caches and is not counted."""
    times: dict[int, list[tuple[float, float, int, int]]] = {size: [] for size in bundles}
    with ExitStack() as stack:
        opened = {size: ModelSession(one) for size, one in bundles.items()}
        for session in opened.values():
            stack.callback(session.close)
        encoders = {
            size: load_tokenizer(one.path / "tokenizer.json") for size, one in bundles.items()
        }
        for number, place in enumerate(places):
            for size, session in opened.items():
                prompt, middle = (
                    encoders[size].encode(text, add_special_tokens=False).ids
                    for text in (place.prompt, place.middle)
                )
                time.sleep(0.1)  # threads of the session before go on spinning for a while
                session.rewind(0)
                began = time.perf_counter()
                session.prefill(prompt, Interrupt())
                read = time.perf_counter()
                for token in middle:
                    session.extend([token], Interrupt())
                ended = time.perf_counter()
                if number:
                    taken = (1000 * (read - began), 1000 * (ended - read))
                    times[size].append((*taken, len(middle), len(place.middle)))
    for size, row in rows.items():
        row.megabytes = bundles[size].model_path.stat().st_size / 1e6
        row.prefill_ms = statistics.median(t[0] for t in times[size])
        row.token_ms = statistics.median(t[1] / t[2] for t in times[size])
        row.character_ms = statistics.median(t[1] / t[3] for t in times[size])
        row.cold_character_ms = statistics.median((t[0] + t[1]) / t[3] for t in times[size])


def report(rows: Sequence[Row]) -> str:
    """The sizes side by side, then each language."""
    lines = [
        "| vocabulary | parameters, M | int8, MB | more tokens, Python | more tokens, weighted | "
        "bits per byte, Python | bits per byte, weighted | prefill, ms | ms per token | "
        "ms per suggested character | with a cold prompt |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        more = {made.language: made.before / made.after - 1 for made in row.cuts}
        bits = row.bits or {}
        lines.append(
            f"| {row.vocabulary} | {row.parameters / 1e6:.1f} | {row.megabytes:.0f} | "
            f"{more.get('python', 0.0):.2%} | {weighted(more) if more else 0.0:.2%} | "
            f"{bits.get('python', 0.0):.4f} | {weighted(bits) if bits else 0.0:.4f} | "
            f"{row.prefill_ms:.0f} | {row.token_ms:.2f} | {row.character_ms:.3f} | "
            f"{row.cold_character_ms:.2f} |"
        )
    lines += ["", f"| {'language'} | bytes per token; bits per byte: {rows[0].vocabulary} | "
              + " | ".join(str(row.vocabulary) for row in rows[1:]) + " |",
              "|---|" + "---|" * len(rows)]  # fmt: skip
    for index, made in enumerate(rows[1].cuts if len(rows) > 1 else ()):
        name = made.language
        cells = [f"{made.before:.2f}; {(rows[0].bits or {}).get(name, 0.0):.3f}"]
        cells += [
            f"{row.cuts[index].after:.2f}; {(row.bits or {}).get(name, 0.0):.3f}; "
            f"{row.cuts[index].split:.1%} split"
            for row in rows[1:]
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

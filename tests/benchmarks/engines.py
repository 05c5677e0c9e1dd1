"""Our engine beside transformers' ``generate`` and optimum's ``ORTModelForCausalLM``.

Same weights, same prompts, same machine, one run: a prompt of 512 tokens of standard-library code
and 32 greedy tokens, prompts that share no prefix, so that nothing is reused. The engines take
turns, so that a disturbance of the machine meets all of them. Run nothing else meanwhile::

    python tests/benchmarks/engines.py                        # the shape of the preset nano
    python tests/benchmarks/engines.py --shape 45m
    python tests/benchmarks/engines.py --model runs/nano/model    # trained weights
"""

from __future__ import annotations

import argparse
import json
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from optimum.onnxruntime import ORTModelForCausalLM
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from surefill.engine.decode import LocalEngine, open_engine
from surefill.engine.interface import Prompt
from surefill.engine.runtime import physical_cores
from surefill_training.bundle import BundleInfo, write_bundle
from surefill_training.export import export
from surefill_training.model import PRESETS, ModelShape, build_model

PROMPT, NEW = 512, 32
_PAUSE_SECONDS = 0.2
"""Threads of the engine before go on spinning for a while, at the cost of whoever is next."""
SHAPES = {
    "nano": PRESETS["nano"].shape,
    "45m": ModelShape(12, 512, 1536, 8, 2, 16384, 1024),
}
TOKENIZER = Path(__file__).parents[1] / "bundles" / "nano" / "tokenizer.json"
"""Whose vocabulary shapes with random weights get, so that they stay comparable."""
Run = Callable[[list[int], int], list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", choices=SHAPES, default="nano", help="with random weights")
    parser.add_argument("--model", type=Path, help="a Hugging Face model directory instead")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write the medians to a file")
    arguments = parser.parse_args()
    torch.set_num_threads(physical_cores())
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    prompts = code_prompts(tokenizer, arguments.rounds + 1)
    with tempfile.TemporaryDirectory() as scratch:
        model = arguments.model or random_model(SHAPES[arguments.shape], tokenizer, Path(scratch))
        engines = load_engines(model, tokenizer, Path(scratch))
        times, agreement = measure(engines, prompts)
    report(times, agreement, arguments.json)


def code_prompts(tokenizer: Tokenizer, count: int) -> list[list[int]]:
    """Prompts of 512 tokens, each from another module of the standard library."""
    prompts = []
    for file in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        ids = tokenizer.encode(file.read_text(encoding="utf-8"), add_special_tokens=False).ids
        if len(ids) >= 4 * PROMPT:
            prompts.append(ids[len(ids) // 2 :][:PROMPT])
        if len(prompts) == count:
            return prompts
    raise SystemExit("The standard library has too few modules for so many rounds.")


def random_model(shape: ModelShape, tokenizer: Tokenizer, scratch: Path) -> Path:
    torch.manual_seed(0)
    folder = scratch / "model"
    # The engine refuses a model whose vocabulary is not its tokenizer's.
    fitting = replace(shape, vocabulary=tokenizer.get_vocab_size())
    build_model(fitting, end_token=0).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def load_engines(model: Path, tokenizer: Tokenizer, scratch: Path) -> dict[str, Run]:
    reference = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    # No end token for anyone: every engine makes all 32 tokens.
    reference.generation_config.eos_token_id = None
    optimum = ORTModelForCausalLM.from_pretrained(model, export=True)
    optimum.generation_config.eos_token_id = None
    context = json.loads((model / "config.json").read_text())["max_position_embeddings"]
    return {
        "Surefill int4": ours(model, scratch / "int4", "int4", context),
        "Surefill int8": ours(model, scratch / "int8", "int8", context),
        "Surefill fp32": ours(model, scratch / "fp32", "fp32", context),
        "transformers fp32": theirs(reference),
        "optimum fp32": theirs(optimum),
    }


def open_model(model: Path, out: Path, precision: str, context: int) -> LocalEngine:
    """Export a model directory and open it as it would be served, without an end token."""
    exported = export(model, out / "onnx", precision)
    bundle = write_bundle(
        out / "bundle",
        BundleInfo("bench", "0", ("python",), "none", 1, context),
        model=exported.path,
        layout=exported.layout,
        precision=precision,
        tokenizer=model / "tokenizer.json",
        model_card="A benchmark's temporary bundle.",
    )
    opened = open_engine(bundle)
    return LocalEngine(opened.session, opened.tokenizer, (), replace(opened.options))


def ours(model: Path, out: Path, precision: str, context: int) -> Run:
    engine = open_model(model, out, precision, context)

    def run(ids: list[int], new: int) -> list[int]:
        generation = engine.generate(Prompt(tuple(ids), "", ""), max_new_tokens=new)
        return list(generation.candidates[0].token_ids)

    return run


def theirs(model: torch.nn.Module) -> Run:
    @torch.inference_mode()
    def run(ids: list[int], new: int) -> list[int]:
        rows = torch.tensor([ids])
        made = model.generate(
            input_ids=rows,
            attention_mask=torch.ones_like(rows),
            max_new_tokens=new,
            min_new_tokens=new,
            do_sample=False,
            pad_token_id=0,
        )
        return made[0, len(ids) :].tolist()

    return run


def measure(
    engines: dict[str, Run], prompts: list[list[int]]
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, float]]:
    """Milliseconds to the first token and for all 32, and agreement with transformers."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
    outputs: dict[str, list[list[int]]] = {name: [] for name in engines}
    for number, prompt in enumerate(prompts):
        for name, run in engines.items():
            time.sleep(_PAUSE_SECONDS)
            # Another first token each time: the whole prompt is computed, nothing is reused.
            began = time.perf_counter()
            run([2 * number + 20, *prompt[1:]], 1)
            first = time.perf_counter()
            tokens = run([2 * number + 21, *prompt[1:]], NEW)
            ended = time.perf_counter()
            assert len(tokens) == NEW, f"{name} made {len(tokens)} tokens"
            if number:
                times[name].append((1000 * (first - began), 1000 * (ended - first)))
                outputs[name].append(tokens)
    reference = outputs["transformers fp32"]
    agreement = {
        name: sum(a == b for a, b in zip(mine, reference, strict=True)) / len(reference)
        for name, mine in outputs.items()
    }
    return times, agreement


def report(
    times: dict[str, list[tuple[float, float]]], agreement: dict[str, float], out: Path | None
) -> None:
    totals = {name: statistics.median(t for _, t in pairs) for name, pairs in times.items()}
    best = totals["Surefill int4"]
    print(f"{PROMPT} prompt tokens + {NEW} greedy, {physical_cores()} threads, median of "
          f"{len(next(iter(times.values())))}, milliseconds\n")  # fmt: skip
    print("| engine | to first token | per token | total | times Surefill int4 | same 32 tokens |")
    print("|---|---|---|---|---|---|")
    rows = {}
    for name, pairs in times.items():
        first = statistics.median(f for f, _ in pairs)
        each = (totals[name] - first) / (NEW - 1)
        ratio = totals[name] / best
        print(f"| {name} | {first:.0f} | {each:.1f} | {totals[name]:.0f} | {ratio:.1f} "
              f"| {agreement[name]:.0%} |")  # fmt: skip
        rows[name] = {"first_ms": first, "per_token_ms": each, "total_ms": totals[name]}
    if out:
        out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

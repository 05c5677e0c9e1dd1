"""What each subcommand does: arguments checked, a step run with progress, a summary printed."""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from surefill.context.prompt import TEMPLATES, PromptTemplate
from surefill_training.corpus import build, sources
from surefill_training.errors import TrainingError
from surefill_training.files import write_atomically

_console = Console(stderr=True)


def corpus(arguments: argparse.Namespace) -> int:
    """Build a corpus and print what went in and what was dropped."""
    names = list(arguments.package)
    if arguments.packages_file:
        names += _lines(arguments.packages_file)
    unique = {sources.canonical(name): name for name in reversed(names)}
    collected = [sources.from_package(name, arguments.site) for name in unique.values()]
    license_name = "own" if arguments.any_license else "unknown"
    directories = dict.fromkeys(directory.resolve() for directory in arguments.directory)
    collected += [sources.from_directory(d, license_name) for d in directories]
    if arguments.stdlib:
        collected.append(sources.from_standard_library())
    options = build.CorpusOptions(
        heldout=tuple(arguments.heldout),
        max_source_chars=arguments.max_package_chars,
        any_license=arguments.any_license,
        seed=arguments.seed,
    )
    with _bar() as (progress, task):

        def report(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        manifest = build.build(collected, arguments.out, options, report)
    dropped: dict[str, int] = {}
    for package in manifest["packages"]:
        for reason, count in package["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + count
    for split, count in manifest["documents"].items():
        _console.print(
            f"{split}: {count} documents, {manifest['chars'][split] / 1e6:.1f}M characters"
        )
    for reason, count in sorted(dropped.items(), key=lambda item: -item[1]):
        _console.print(f"dropped, {reason}: {count}")
    _console.print(f"corpus {manifest['hash'][:16]} in {arguments.out}")
    return 0


def tokenizer(arguments: argparse.Namespace) -> int:
    """Train a tokenizer, unless the same one is there already."""
    from surefill_training.model import preset
    from surefill_training.tokenizer import save_tokenizer, train_tokenizer

    template = _template(arguments.template)
    vocabulary = arguments.vocabulary or preset(arguments.preset).shape.vocabulary
    made = {
        "corpus": build.manifest(arguments.corpus)["hash"],
        "vocabulary": vocabulary,
        "template": template.name,
        "max_chars": arguments.max_chars,
    }
    record = arguments.out.with_suffix(".made.json")
    if arguments.out.exists() and _record(record) == made:
        _console.print(f"{arguments.out} is up to date.")
        return 0
    texts = [document.text for document in build.load(arguments.corpus, "train")]
    random.Random(0).shuffle(texts)
    taken, total = [], 0
    for text in texts:
        if total >= arguments.max_chars:
            break
        taken.append(text)
        total += len(text)
    trained = train_tokenizer(taken, template, vocabulary, length=len(taken))
    save_tokenizer(trained, arguments.out)
    write_atomically(record, json.dumps(made, indent=1).encode())
    heldout = [document.text for document in build.load(arguments.corpus, "heldout")]
    sample = "".join(heldout or taken)[:2_000_000]
    ratio = len(sample.encode()) / max(1, len(trained.encode(sample).ids))
    _console.print(f"{trained.get_vocab_size()} tokens, {ratio:.2f} bytes per token")
    return 0


def pretrain(arguments: argparse.Namespace) -> int:
    """Train, showing loss, held-out bits per byte and the time that is left."""
    from surefill_training.metrics import Metrics
    from surefill_training.optimizer import OptimizerOptions
    from surefill_training.train import RunOptions, Trainer, TrainOptions

    options = TrainOptions(
        preset=arguments.preset,
        seed=arguments.seed,
        minutes=arguments.minutes,
        steps=arguments.steps,
        template=arguments.template,
        optimizer=OptimizerOptions(recipe=arguments.recipe),
    )
    run = RunOptions(
        device=arguments.device,
        precision=arguments.precision,
        compile=not arguments.no_compile,
        stop_after_minutes=arguments.stop_after,
    )
    trainer = Trainer(arguments.corpus, arguments.tokenizer, arguments.out, options, run)
    bits = "-"
    with _bar() as (progress, task):
        progress.update(task, description="compiling" if run.compile else "starting", total=1.0)

        def report(metrics: Metrics) -> None:
            nonlocal bits
            if metrics.heldout_bits_per_byte is not None:
                bits = f"{metrics.heldout_bits_per_byte:.3f}"
            progress.update(
                task,
                completed=metrics.progress,
                description=(
                    f"step {metrics.step}  loss {metrics.loss:.3f}  held-out {bits} bits/byte  "
                    f"{metrics.tokens / 1e6:.1f}M tokens  {metrics.tokens_per_second:.0f}/s"
                ),
            )

        model = trainer.train(report)
    if not trainer.finished:
        state = "stopped; the same command continues"
    elif trainer.new_steps:
        state = "finished"
    else:
        state = f"was already finished after {trainer.steps} steps, so nothing was trained"
    _console.print(f"{state}: {model}")
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Export to each precision that is not there yet."""
    from surefill_training import export as exporting

    stamp = _model_stamp(arguments.model)
    for precision in arguments.precision or ("fp32", "int8", "int4"):
        out = arguments.out / precision
        record = out / "exported.json"
        if _record(record).get("model") == stamp and (out / "model.onnx").exists():
            _console.print(f"{precision}: up to date")
            continue
        with _console.status(f"exporting {precision}"):
            exported = exporting.export(arguments.model, out, precision)
        write_atomically(
            record,
            json.dumps(
                {"model": stamp, "layout": exported.layout, "precision": precision}
            ).encode(),
        )
        _console.print(f"{precision}: {exported.path.stat().st_size / 1e6:.1f} MB in {out}")
    return 0


def bundle(arguments: argparse.Namespace) -> int:
    """Assemble a bundle with its model card."""
    from surefill_training.bundle import write_bundle
    from surefill_training.card import describe, read_results, require_scores_of, summarize

    folder = arguments.exported / arguments.precision
    exported = _record(folder / "exported.json")
    if not exported:
        raise TrainingError(
            f"{folder} holds no exported model.",
            f"Run surefill-train export {arguments.model} --out {arguments.exported} first.",
        )
    if exported["model"] != _model_stamp(arguments.model):
        raise TrainingError(
            f"{folder} was exported from another model than {arguments.model}.",
            f"Run surefill-train export {arguments.model} --out {arguments.exported} again.",
        )
    scores = {}
    if arguments.scores:
        results = read_results(arguments.scores)
        require_scores_of(results, arguments.exported)
        scores = summarize(results)
    info, card = describe(
        arguments.model,
        name=arguments.name,
        version=arguments.release,
        license_name=arguments.license,
        precision=arguments.precision,
        scores=scores,
        template=_template(arguments.template).name if arguments.template else None,
        order=arguments.order,
    )
    written = write_bundle(
        arguments.out,
        info,
        model=folder / "model.onnx",
        layout=exported["layout"],
        precision=arguments.precision,
        tokenizer=arguments.model / "tokenizer.json",
        model_card=card,
    )
    size = sum(file.stat().st_size for file in written.path.iterdir())
    _console.print(f"{written.manifest.name} {written.manifest.version}: {size / 1e6:.1f} MB")
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure bundles side by side and print a table."""
    from surefill_training.evaluate.bundle import EvaluateOptions, compare
    from surefill_training.evaluate.report import markdown, to_json

    options = EvaluateOptions(holes=arguments.holes, chars=arguments.chars, seed=arguments.seed)
    with _bar() as (progress, task):

        def report(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        results = compare(arguments.bundles, arguments.corpus, options, report)
    if arguments.json:
        write_atomically(arguments.json, to_json(results).encode())
    Console().print(markdown(results), markup=False, highlight=False, soft_wrap=True)
    return 0


@contextmanager
def _bar() -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console) as progress:
        yield progress, progress.add_task("", total=None)


def _template(name: str) -> PromptTemplate:
    try:
        return TEMPLATES[name]
    except KeyError as error:
        raise TrainingError(
            f"There is no prompt template {name!r}.", f"Choose one of {', '.join(TEMPLATES)}."
        ) from error


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise TrainingError(
            f"{path} cannot be read ({reason}).", "Give a text file with one name on each line."
        ) from error
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]


def _record(path: Path) -> dict[str, Any]:
    """What an earlier run of a step noted; empty when there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _model_stamp(model: Path) -> str:
    """What tells one trained model from another: the hashes of its weights and its config."""
    from surefill_training.files import hash_of

    weights = sorted(model.glob("*.safetensors"))
    config = model / "config.json"
    if not weights:
        raise TrainingError(
            f"{model} holds no model.",
            "Give the folder `model` that surefill-train pretrain wrote.",
        )
    return "+".join(hash_of(file) for file in (*weights, config) if file.exists())

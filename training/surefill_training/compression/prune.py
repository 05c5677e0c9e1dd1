"""Leaves out whole layers of a model, those that a sample of training code misses least.

Greedy, as in ShortGPT's ablation of single layers (Men et al., 2024, arXiv:2403.03853), but by
the loss itself: what is left after each step is measured anew, because two layers that can each be
spared can seldom be spared together.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from surefill_training.corpus import build
from surefill_training.corpus.sample import take
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.evaluate.bits import bits_per_byte
from surefill_training.files import make_folder, not_written, write_atomically
from surefill_training.inputs import load_tokenizer
from surefill_training.model import count_parameters
from surefill_training.model_config import config_for_transformers_4, read_config
from surefill_training.progress import Progress

RECORD = "pruned.json"

Loss = Callable[[], float]


@dataclass(frozen=True)
class PruneOptions:
    """Which layers go; exactly one of ``drop`` and ``keep`` is given."""

    drop: int | None = None
    """How many, chosen by the loss."""
    keep: tuple[int, ...] | None = None
    """Which stay, by their numbers from 0."""
    chars: int = 60_000
    """Size of the sample of training code that decides."""
    seed: int = 0


@dataclass(frozen=True)
class Step:
    """The loss, in bits per byte of the sample, without one more layer; None: with all of them."""

    dropped: int | None
    bits_per_byte: float


def prune(
    model_dir: Path, corpus: Path, out: Path, options: PruneOptions, progress: Progress
) -> list[int]:
    """Write the model in ``model_dir`` to ``out`` with fewer layers; the layers that it keeps.

    Its ``training.json``, where it has one, then says so; ``pruned.json`` has the losses. Raises
    TrainingError for layers that do not exist and for a model whose layers cannot be found.
    """
    model = _load(model_dir)
    layers = list(_decoder(model).layers)
    texts = training_sample(corpus, options.chars, options.seed)
    tokenizer = load_tokenizer(model_dir / "tokenizer.json")
    tokenizer.encode_special_tokens = True
    end = _end_token(model)

    def loss() -> float:
        return bits_per_byte(
            model,
            tokenizer,
            texts,
            end=end,
            length=int(model.config.max_position_embeddings) - 1,
            precision=torch.float32,
        )

    if options.keep is not None:
        kept = _checked(options.keep, len(layers))
        steps = [Step(None, loss())]
    else:
        kept, steps = choose(model, options.drop or 0, loss, progress)
    with only(model, kept):
        _save(model, model_dir, out)
        parameters = count_parameters(model)
    record = {
        "kept": kept,
        "of": len(layers),
        "losses": [asdict(step) for step in steps],
        "corpus": build.manifest(corpus)["hash"],
        "sample": {"chars": options.chars, "seed": options.seed},
    }
    _write_records(model_dir, out, record, parameters)
    return kept


def choose(
    model: PreTrainedModel, drop: int, loss: Loss, progress: Progress
) -> tuple[list[int], list[Step]]:
    """The layers left after ``drop`` greedy steps, and the loss at each step."""
    kept = list(range(len(_decoder(model).layers)))
    if not 0 < drop < len(kept):
        raise TrainingError(
            f"{drop} of {len(kept)} layers cannot be left out.",
            f"Choose a number from 1 to {len(kept) - 1}.",
        )
    steps = [Step(None, loss())]
    tries = sum(len(kept) - number for number in range(drop))
    done = 0
    for _ in range(drop):
        losses = {}
        for layer in kept:
            with only(model, [other for other in kept if other != layer]):
                losses[layer] = loss()
            done += 1
            progress(f"without layer {layer}", done, tries)
        least = min(kept, key=losses.__getitem__)
        kept.remove(least)
        steps.append(Step(least, losses[least]))
    return kept, steps


@contextmanager
def only(model: PreTrainedModel, kept: Sequence[int]) -> Iterator[None]:
    """While it is entered, the model has only these of its layers, numbered from 0."""
    decoder, config = _decoder(model), model.config
    layers, types = decoder.layers, getattr(config, "layer_types", None)
    chosen = [layers[number] for number in kept]
    decoder.layers = nn.ModuleList(chosen)
    config.num_hidden_layers = len(kept)
    if types is not None:
        config.layer_types = [types[number] for number in kept]
    _number(chosen)
    try:
        yield
    finally:
        decoder.layers = layers
        config.num_hidden_layers = len(layers)
        if types is not None:
            config.layer_types = types
        _number(layers)


def training_sample(corpus: Path, chars: int, seed: int) -> list[str]:
    """Texts of about ``chars`` characters of the training split, drawn at random."""
    taken = take((document.text for document in build.load(corpus, "train")), chars, seed)
    if not taken:
        raise CorpusError(f"{corpus} has no training documents.", "Build the corpus again.")
    return taken


def _load(model_dir: Path) -> PreTrainedModel:
    # Not left to transformers, which ignores the RoPE base of a newer version's checkpoint.
    config = config_for_transformers_4(read_config(model_dir))
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            model_dir,
            config=AutoConfig.for_model(config.pop("model_type"), **config),
            dtype=torch.float32,
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(
            f"{model_dir} cannot be loaded ({str(error).splitlines()[0]}).",
            "Give the folder `model` that surefill-train pretrain wrote.",
        ) from error
    model.eval()  # type: ignore[no-untyped-call]
    return model


def _end_token(model: PreTrainedModel) -> int:
    end = model.config.eos_token_id
    if isinstance(end, list):
        end = end[0]
    if end is None:
        raise TrainingError(
            "The model's config.json names no end token.", "Add eos_token_id to it."
        )
    return int(end)


class _Decoder(Protocol):
    layers: nn.ModuleList


def _decoder(model: PreTrainedModel) -> _Decoder:
    decoder = model.get_decoder()  # type: ignore[no-untyped-call]
    if not isinstance(getattr(decoder, "layers", None), nn.ModuleList):
        raise TrainingError(
            f"The layers of a {type(model).__name__} cannot be left out.",
            "Prune a model of Llama's or Qwen's architecture.",
        )
    return cast(_Decoder, decoder)


def _number(layers: Iterable[nn.Module]) -> None:
    """Each layer knows its place, by which it finds its part of the KV cache."""
    for number, layer in enumerate(layers):
        attention: Any = getattr(layer, "self_attn", None)
        if attention is not None:
            attention.layer_idx = number


def _checked(keep: tuple[int, ...], count: int) -> list[int]:
    wrong = [number for number in keep if not 0 <= number < count]
    if wrong or not keep or len(set(keep)) != len(keep) or len(keep) == count:
        raise TrainingError(
            f"{', '.join(map(str, keep))} is no choice of some of {count} layers.",
            f"Name each layer that stays once, by numbers from 0 to {count - 1}.",
        )
    return sorted(keep)


def _save(model: PreTrainedModel, source: Path, out: Path) -> None:
    make_folder(out)
    try:
        model.save_pretrained(out)
        for file in source.glob("*token*.json"):
            shutil.copyfile(file, out / file.name)
    except OSError as error:
        raise not_written(out, error) from error


def _write_records(source: Path, out: Path, record: dict[str, Any], parameters: int) -> None:
    training = source / "training.json"
    if training.is_file():
        made = json.loads(training.read_text(encoding="utf-8"))
        made |= {"parameters": parameters, "pruned": record}
        write_atomically(out / "training.json", json.dumps(made, indent=1).encode())
    write_atomically(out / RECORD, json.dumps(record, indent=1).encode())

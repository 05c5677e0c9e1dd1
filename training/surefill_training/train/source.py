"""Finds and loads the model that fine-tuning starts from.

Knows the layout of our own runs and that of transformers; an id of the Hugging Face hub goes
through transformers, which downloads it or says why not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils.hub import cached_file

from surefill.context.prompt import TEMPLATES
from surefill.engine.bundle import MANIFEST
from surefill_training.errors import TrainingError
from surefill_training.files import hash_of
from surefill_training.importing import vocabulary
from surefill_training.importing.record import read_source
from surefill_training.inputs import load_tokenizer
from surefill_training.model import ModelShape, Preset, adjusted
from surefill_training.model_config import config_for_transformers_4, read_config
from surefill_training.options import FURTHER_TRAINING, FurtherTraining, TrainOptions
from surefill_training.train.dropout import hook_dropout, set_dropout
from surefill_training.train.lora import ADAPTER_WEIGHTS
from surefill_training.train.start import Start

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_TOKENIZER_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)


@dataclass(frozen=True)
class Source:
    """A model directory whose files fit each other."""

    name: str
    """The hub's id, or the name of the directory."""
    folder: Path
    where: str
    """What transformers loads the weights from: the folder or the hub's id."""
    config: PretrainedConfig
    tokenizer: Tokenizer
    history: dict[str, Any]
    """Its ``training.json``; empty for a model from elsewhere."""

    @property
    def tokenizer_file(self) -> Path:
        return self.folder / "tokenizer.json"

    @property
    def weight_files(self) -> list[Path]:
        return sorted(self.folder.glob("*.safetensors")) or sorted(self.folder.glob("*.bin"))


def existing_model(
    source: str, options: TrainOptions, template: str | None = None, adapter: Path | None = None
) -> Start:
    """The model of a run folder, a model directory or a hub's id, ready to be trained further.

    ``template`` is how its prompts are laid out; without one its ``training.json`` or its
    tokenizer tells. ``adapter`` is the folder of adapters to begin with. Raises TrainingError when
    the source is none, or of parts that do not fit.
    """
    if adapter is not None and options.lora is None:
        raise TrainingError("Only LoRA begins with an adapter.", "Give --lora or --preset small.")
    found = find_source(source)
    template = template or recognise(found)
    config = found.config
    set_dropout(config, options.dropout)
    model = load_weights(found)
    hook_dropout(model, config, options.dropout)
    imported = read_source(found.folder) or found.history.get("source", {}).get("imported")
    return Start(
        model=model,
        tokenizer=found.tokenizer,
        tokenizer_files=(
            found.folder / "tokenizer.json",
            *(found.folder / n for n in _TOKENIZER_FILES if (found.folder / n).is_file()),
        ),
        plan=adjusted(plan_for(found, options), options.overrides),
        options=replace(
            options,
            template=template,
            preset=options.preset
            if options.preset in FURTHER_TRAINING
            else found.history.get("preset", config.model_type),
        ),
        source={
            "name": found.name,
            "weights": [hash_of(file) for file in found.weight_files],
            **({"imported": imported} if imported else {}),
            **({"adapter": hash_of(adapter / ADAPTER_WEIGHTS)} if adapter else {}),
        },
        history=found.history,
        adapter=adapter,
    )


def find_source(source: str) -> Source:
    """What lies at a path or a hub's id; raises TrainingError or InputError."""
    folder, where = _locate(source)
    values = config_for_transformers_4(read_config(folder))
    history = _history(folder)
    tokenizer_file = folder / "tokenizer.json"
    if not tokenizer_file.is_file():
        raise TrainingError(
            f"{source} has no tokenizer.json.",
            "Save one beside the weights with AutoTokenizer.from_pretrained(...).save_pretrained.",
        )
    tokenizer = load_tokenizer(tokenizer_file)
    size, room = tokenizer.get_vocab_size(), int(values.get("vocab_size", 0))
    ours = history.get("tokenizer")
    if size > room or (ours is not None and ours != hash_of(tokenizer_file)):
        reason = f"it has {size} tokens, the model {room}" if size > room else "it is another"
        raise TrainingError(
            f"The tokenizer in {source} is not that of the model: {reason}.",
            "Put the tokenizer.json there that the model was trained with.",
        )
    kind = str(values.get("model_type"))
    if kind not in CONFIG_MAPPING:
        raise TrainingError(
            f"transformers knows no models of the type {kind!r}, as which {source} names itself.",
            "Choose a model of Llama, Qwen, Mistral, StarCoder2 or GPT-2 architecture.",
        )
    config = CONFIG_MAPPING[kind].from_dict(values)
    name = source if where == source and not Path(source).exists() else _name(folder)
    return Source(name, folder, where, config, tokenizer, history)


def recognise(source: Source) -> str:
    """The name of the template that a source was trained with; ``plain`` if its tokenizer has none.

    Its own record comes first, then the special tokens that its tokenizer knows.
    """
    recorded = source.history.get("template") or read_source(source.folder).get("template")
    return (
        str(recorded)
        if recorded in TEMPLATES
        else vocabulary.recognise(source.tokenizer.get_vocab())
    )


def _locate(source: str) -> tuple[Path, str]:
    """The folder of the model's files, and what transformers is to load."""
    path = Path(source)
    if path.is_dir():
        folder = path / "model" if (path / "model" / "config.json").is_file() else path
        if (folder / "config.json").is_file():
            return folder, str(folder)
        if (path / MANIFEST).is_file():
            raise TrainingError(
                f"{source} is a bundle, whose weights can only be served.",
                f"Make a model directory of it: surefill-train import {source} --out DIR.",
            )
        if (path / "checkpoints").is_dir():
            raise TrainingError(
                f"The run in {source} has not written a model yet.",
                "Continue it, or end it with --stop-after; it then writes its model/.",
            )
        raise TrainingError(
            f"{source} holds no model.",
            "Give the folder of a run, a Hugging Face model directory, or an id of the hub.",
        )
    if path.exists() or not _HUB_ID.fullmatch(source):
        raise TrainingError(
            f"There is no model at {source}.",
            "Give the folder of a run, a Hugging Face model directory, or an id of the hub.",
        )
    return _from_hub(source), source


def _from_hub(name: str) -> Path:
    """The folder in the hub's cache in which the small files of a model lie."""
    try:
        AutoTokenizer.from_pretrained(name)  # type: ignore[no-untyped-call]
        cached_file(name, "tokenizer.json")
        return Path(str(cached_file(name, "config.json"))).parent
    except OSError as error:
        raise TrainingError(
            f"There is no folder {name}, and the Hugging Face hub does not give a model of that "
            f"name ({str(error).strip().splitlines()[0]}).",
            "Check the name and the network, or download the model and give its folder.",
        ) from error


def _history(folder: Path) -> dict[str, Any]:
    path = folder / "training.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path} cannot be read ({error}).",
            "Delete it to train from the weights alone, and give the --template.",
        ) from error
    return found if isinstance(found, dict) else {}


def _name(folder: Path) -> str:
    """A name that says nothing of the machine: the run's for a model in a run's folder."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "model" else folder.name


def load_weights(source: Source) -> PreTrainedModel:
    """The weights in single precision, which small steps need; none may be missing."""
    try:
        # With output_loading_info it returns two things, which its annotations do not say.
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            source.where, config=source.config, dtype=torch.float32, output_loading_info=True
        )
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise TrainingError(
            f"The weights of {source.name} cannot be loaded ({reason}).",
            "Check that weights and config.json are of one model, and complete.",
        ) from error
    model: PreTrainedModel = loaded[0]
    report = loaded[1]
    if report["missing_keys"] or report["mismatched_keys"]:
        missing = sorted({*report["missing_keys"], *(k for k, *_ in report["mismatched_keys"])})
        raise TrainingError(
            f"The weights of {source.name} do not fit its config.json: {len(missing)} are missing "
            f"or of another shape, {missing[0]} first.",
            "Put the config.json there that belongs to the weights.",
        )
    return model


def plan_for(source: Source, options: TrainOptions) -> Preset:
    """Rows and batches for a source; its shape is what it is."""
    config = source.config
    heads = config.num_attention_heads
    shape = ModelShape(
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        feed_forward=getattr(config, "intermediate_size", None) or 4 * config.hidden_size,
        heads=heads,
        kv_heads=getattr(config, "num_key_value_heads", heads),
        vocabulary=config.vocab_size,
        context=config.max_position_embeddings,
    )
    usual = FURTHER_TRAINING.get(options.preset, FurtherTraining())
    return Preset(
        shape, usual.sequence, usual.batch, usual.micro_batch, usual.minutes, usual.hardware
    )

"""Imports a model: fetch, check, load, restore its tokenizer, write, and compare with the source.

The folder appears under its name only when all of it is there and checked.
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from surefill_training.errors import ModelImportError
from surefill_training.files import hash_of, make_folder
from surefill_training.importing import check, folder, resources, rows
from surefill_training.importing.fetch import Fetched, fetch
from surefill_training.importing.gguf_file import GgufFile, open_gguf
from surefill_training.importing.gguf_tokenizer import merges_of, read_tokenizer
from surefill_training.importing.record import RECORD, changes, decide_license
from surefill_training.importing.tokenizer_json import (
    SourceTokenizer,
    load,
    with_plan,
    write_tokenizer,
)
from surefill_training.importing.vocabulary import Plan, plan, recognise
from surefill_training.importing.weights import load_weights, read_config
from surefill_training.progress import Progress
from surefill_training.templates import find_template

_HASH = re.compile(r"[0-9a-fA-F]{64}")
_STEPS = 5


@dataclass(frozen=True)
class ImportOptions:
    """What the user decides."""

    member: str | None = None
    """Which file of an archive or of a hub's repository."""
    revision: str | None = None
    sha256: str | None = None
    license: str | None = None
    any_license: bool = False
    template: str | None = None
    """Name of the prompt template; None recognises it."""


def import_model(
    sources: Sequence[str], out: Path, options: ImportOptions, report: Progress
) -> dict[str, Any]:
    """Write the model of ``sources`` to the folder ``out``; returns what its record says.

    Raises ModelImportError, and then ``out`` is as it was.
    """
    _require_sound(out, options)
    make_folder(out.parent)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        found = fetch(
            sources, Path(scratch), report, member=options.member, revision=options.revision
        )
        if options.sha256 is not None:
            # Nothing else looks into a file that is not the one that was pinned.
            _require_hash(found, options.sha256, report)
        made = Path(scratch) / "made"
        made.mkdir()
        importer = _Folder if found.is_folder else _Gguf
        with _quiet():
            record = importer(found, options, report).write(made)
        if out.exists():
            out.rmdir()
        made.rename(out)
    return record


class _Import(ABC):
    """One import, from what was fetched to a checked folder."""

    file: GgufFile | None = None

    def __init__(self, found: Fetched, options: ImportOptions, report: Progress) -> None:
        self.found = found
        self.options = options
        self.report = report

    def write(self, made: Path) -> dict[str, Any]:
        """Write everything into the empty folder ``made``."""
        self._step("reading the header", 0)
        tokenizer, facts = self.read(made)
        licensed = decide_license(
            {"file": facts.pop("license", None), "source": self.found.license},
            self.options.license,
            any_license=self.options.any_license,
        )
        template = find_template(self.options.template or recognise(tokenizer.ids))
        reserved = _reserved(tokenizer)
        plan(template, tokenizer.ids, tokenizer.special, [*reserved, *tokenizer.unused])
        config = self.config()
        self._step("reading the weights", 1)
        model = self.load(config)
        unused = rows.untrained(rows.tables(model)[0], [*reserved, *tokenizer.unused])
        planned = plan(template, tokenizer.ids, tokenizer.special, unused)
        raw = with_plan(tokenizer, planned)
        self._step("asking the source", 2)
        new = [each.id for each in planned.added]
        wanted = check.continuations(model, load(raw), new)
        rows.fill(model, planned.added, [id_ for id_, _ in unused])
        self._step("writing", 3)
        model.save_pretrained(made, max_shard_size="1TB")
        # Its library writes weights for their owner's eyes only.
        (made / "model.safetensors").chmod((made / "config.json").stat().st_mode)
        context = int(getattr(config, "max_position_embeddings", 0) or 1024)
        write_tokenizer(made, raw, tokenizer, planned, context)
        del model
        self._step("comparing with the source", 4)
        self._check(made, raw, tokenizer, wanted, new)
        record = self._record(facts, licensed=licensed, planned=planned, tokenizer=tokenizer)
        text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        (made / RECORD).write_text(text, encoding="utf-8", newline="\n")
        self._step("done", _STEPS)
        return record

    @abstractmethod
    def read(self, made: Path) -> tuple[SourceTokenizer, dict[str, Any]]:
        """The tokenizer of the source, and facts for the record."""

    @abstractmethod
    def config(self) -> PretrainedConfig:
        """The source's configuration, with what transformers misreads put right."""

    @abstractmethod
    def load(self, config: PretrainedConfig) -> PreTrainedModel:
        """The source's weights in single precision."""

    def _check(
        self,
        made: Path,
        raw: dict[str, Any],
        source: SourceTokenizer,
        wanted: list[list[int]],
        new: list[int],
    ) -> None:
        tokenizer = load(raw)
        check.require_round_trip(tokenizer)
        check.require_same_in_transformers(made, tokenizer)
        if self.file is not None and source.pre_tokenizer is not None:
            check.require_merges(tokenizer, merges_of(self.file), source.ids)
        check.require_same(folder.load_weights(made), tokenizer, new, wanted)

    def _record(
        self,
        facts: dict[str, Any],
        *,
        licensed: tuple[str, str],
        planned: Plan,
        tokenizer: SourceTokenizer,
    ) -> dict[str, Any]:
        return {
            "name": facts.pop("name"),
            "sources": list(self.found.sources),
            "version": self.found.version,
            "files": list(self.found.files),
            "sha256": _hash(self.found),
            "bytes": sum(file.stat().st_size for file in _weights(self.found)),
            "archives": self.found.archives,
            "license": licensed[0],
            "license_stated_by": licensed[1],
            **facts,
            "template": planned.template.name,
            "infilling": planned.infilling,
            "changed": changes(planned, tokenizer.forgotten, tokenizer.pre_tokenizer),
            "checked": {"prompts": len(check.PROMPTS), "tokens": check.TOKENS},
            "versions": {name: metadata.version(name) for name in ("transformers", "gguf")},
        }

    def _step(self, what: str, done: int) -> None:
        self.report(what, done, _STEPS)


class _Gguf(_Import):
    """Of a GGUF file."""

    file: GgufFile

    def read(self, made: Path) -> tuple[SourceTokenizer, dict[str, Any]]:
        self.file = open_gguf(self.found.path)
        resources.require_memory(self.file.parameters)
        resources.require_disk(self.file.parameters, made)
        return read_tokenizer(self.file), {
            "name": self.file.name,
            "license": self.file.value("general.license"),
            "architecture": self.file.architecture,
            "quantization": self.file.quantization,
        }

    def config(self) -> PretrainedConfig:
        return read_config(self.file)

    def load(self, config: PretrainedConfig) -> PreTrainedModel:
        return load_weights(self.file, config, self.report)


class _Folder(_Import):
    """Of a folder in the layout of transformers."""

    def read(self, made: Path) -> tuple[SourceTokenizer, dict[str, Any]]:
        self.source = folder.find(self.found.path)
        parameters, types = folder.tensors(self.found.path)
        resources.require_memory(parameters)
        resources.require_disk(parameters, made)
        return folder.read_tokenizer(self.source), {
            "name": self.found.sources[0],
            "license": folder.license_of(self.found.path),
            "architecture": self.source.config.model_type,
            "quantization": types,
        }

    def config(self) -> PretrainedConfig:
        return self.source.config

    def load(self, config: PretrainedConfig) -> PreTrainedModel:
        return folder.load_source(self.source)


def _reserved(tokenizer: SourceTokenizer) -> list[tuple[int, str]]:
    """Special tokens that neither begin nor end a text, nor stand in the chat template."""
    chat = tokenizer.chat_template or ""
    return [
        (id_, token)
        for token, id_ in tokenizer.special.items()
        if token not in tokenizer.roles.values() and token not in chat
    ]


def require_empty(out: Path) -> None:
    """Raise ModelImportError where something is in the way of a new folder ``out``."""
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ModelImportError(
            f"{out} is not empty.", "Give another --out, or delete it if it is not needed."
        )


def _require_sound(out: Path, options: ImportOptions) -> None:
    require_empty(out)
    if options.sha256 is not None and not _HASH.fullmatch(options.sha256):
        raise ModelImportError(
            f"{options.sha256!r} is no SHA-256.", "Give its 64 hexadecimal digits."
        )
    if options.template is not None:
        find_template(options.template)


def _require_hash(found: Fetched, pinned: str, report: Progress) -> None:
    report("hashing", 0, 1)
    sha256 = _hash(found)
    if sha256 != pinned.lower():
        raise ModelImportError(
            f"The SHA-256 of {found.path.name} is {sha256}, and {pinned.lower()} was asked for.",
            "Download it again, all parts in their order; if it comes out the same, the file is "
            "not the one that was pinned.",
        )


def _hash(found: Fetched) -> str:
    """SHA-256 of the weights; of several files that of their list of hashes."""
    files = _weights(found)
    return hash_of(files[0]) if len(files) == 1 else folder.hash_together(files)


def _weights(found: Fetched) -> list[Path]:
    return [found.path / name for name in found.files] if found.is_folder else [found.path]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of transformers, which takes tokenizers for Mistral's."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)

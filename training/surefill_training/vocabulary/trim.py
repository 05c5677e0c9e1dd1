"""Trims a model: fewer tokens in its tokenizer, and the rows of embedding and head that go along.

The result is a model folder like any other: it can be fine-tuned, exported and bundled.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from surefill_training.corpus import build
from surefill_training.errors import CorpusError, TrainingError
from surefill_training.files import hash_of, make_folder, write_atomically
from surefill_training.inputs import load_tokenizer
from surefill_training.model import count_parameters
from surefill_training.progress import Progress
from surefill_training.train.saving import save_weights
from surefill_training.train.source import Source, find_source, load_weights
from surefill_training.vocabulary import byte_pairs, token_ids
from surefill_training.vocabulary.byte_pairs import BYTES, BytePairs
from surefill_training.vocabulary.counting import Cut, measure, require_exact, weighted_uses
from surefill_training.vocabulary.rows import Plan, cut_rows
from surefill_training.vocabulary.selection import must_stay, rounded, select
from surefill_training.vocabulary.texts import WEIGHTS, read_texts

RECORD = "trimmed.json"
_CHECKED = 200_000
"""Characters of held-out text on which the cut is checked to be exact."""


@dataclass(frozen=True)
class TrimOptions:
    """How far a vocabulary is cut, and what decides."""

    vocabulary: int
    """Tokens that stay; rounded up to a multiple of 64."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Of languages, in place of those in ``texts.WEIGHTS``."""
    chars: int = 2_000_000
    """Most characters of a language with the weight 1 that are counted on; of others in
    proportion, so that chance weighs no more in one of a high weight."""
    heldout_chars: int = 500_000
    """Most characters of each language that the cut is measured on."""
    seed: int = 0


@dataclass(frozen=True)
class Trimmed:
    """What came of a cut."""

    vocabulary: int
    before: int
    added_bytes: int
    """Bytes that the tokenizer had no token for, which now have one."""
    parameters: int
    counted: Mapping[str, int]
    """Characters that were counted on, by language."""
    cuts: Sequence[Cut]
    """Of held-out text, by language."""


@dataclass(frozen=True)
class Counted:
    """A model, and how often each of its tokens is used: all that a cut to any size needs."""

    found: Source
    source: BytePairs
    uses: npt.NDArray[np.float64]
    """By id."""
    heldout: Mapping[str, Sequence[str]]
    """Texts to measure on, by language."""
    chars: Mapping[str, int]
    """Characters that were counted on, by language."""
    record: Mapping[str, Any]
    """What was counted, for the result's records."""


def trim(
    model_dir: str, folders: Sequence[Path], out: Path, options: TrimOptions, progress: Progress
) -> Trimmed:
    """Write the model in ``model_dir`` to ``out`` with ``options.vocabulary`` tokens.

    ``folders`` hold what tokens are counted on: built corpora, or source files. Its
    ``training.json`` and ``source.json``, where it has them, then say what was cut;
    ``trimmed.json`` says which tokens stayed. Raises TrainingError, CorpusError or InputError.
    """
    _require_empty(out)
    counted = count(model_dir, folders, options, progress)
    return cut(counted, options.vocabulary, out, progress)


def count(
    model_dir: str, folders: Sequence[Path], options: TrimOptions, progress: Progress
) -> Counted:
    """Count the tokens of the model in ``model_dir``; ``options.vocabulary`` has no part in it."""
    found = find_source(model_dir)
    source = byte_pairs.read(found.folder / "tokenizer.json")
    _require_own(found, source)
    weights = {**WEIGHTS, **options.weights}
    most = {language: options.chars * weight for language, weight in weights.items()}
    texts = read_texts(folders, "train", most, options.seed)
    _require_asked(options.weights, texts)
    uses = weighted_uses(_as_text(found.folder), texts, weights, progress)
    measured = dict.fromkeys(texts, options.heldout_chars)
    chars = {language: sum(map(len, documents)) for language, documents in texts.items()}
    corpora = [folder for folder in folders if (folder / "manifest.json").is_file()]
    record = {
        "weights": {language: weights[language] for language in chars},
        "chars": chars,
        "seed": options.seed,
        "corpora": [build.manifest(corpus)["hash"] for corpus in corpora],
    }
    heldout = read_texts(folders, "heldout", measured, options.seed)
    return Counted(found, source, uses, heldout, chars, record)


def cut(counted: Counted, vocabulary: int, out: Path, progress: Progress) -> Trimmed:
    """Write the model to ``out`` with ``vocabulary`` tokens, rounded up to a multiple of 64."""
    _require_empty(out)
    plan = make_plan(counted, rounded(vocabulary))
    progress("checking the cut", 0, 2)
    cuts = _measured(counted, plan)
    progress("cutting the weights", 1, 2)
    model = _cut_weights(counted.found, plan)
    outcome = _outcome(model, plan, counted.chars, cuts)
    details = {**counted.record, "languages": [asdict(cut) for cut in cuts]}
    _write(out, counted.found, model, plan, _record(outcome, details))
    return outcome


def trim_like(model_dir: str, tokenizer: Path, out: Path, progress: Progress) -> Trimmed:
    """Write the model in ``model_dir`` to ``out`` with the tokens of an earlier cut of it.

    ``tokenizer`` is the ``tokenizer.json`` of that cut, or of a bundle that was made of it. Raises
    TrainingError for one that was not cut from this model's.
    """
    _require_empty(out)
    found = find_source(model_dir)
    source = byte_pairs.read(found.folder / "tokenizer.json")
    _require_own(found, source)
    wanted = byte_pairs.read(tokenizer).ids
    plan = _plan(source, wanted.keys() & source.ids.keys())
    if plan.result.ids != wanted:
        raise TrainingError(
            f"The tokenizer {tokenizer} was not cut from that of {model_dir}.",
            "Give the model from which it was cut, or cut this one by --corpus and --vocabulary.",
        )
    progress("cutting the weights", 0, 1)
    model = _cut_weights(found, plan)
    outcome = _outcome(model, plan, {}, [])
    _write(out, found, model, plan, _record(outcome, {"like": hash_of(tokenizer)}))
    return outcome


def _cut_weights(found: Source, plan: Plan) -> PreTrainedModel:
    kind = getattr(found.config, "dtype", None)
    model = load_weights(found)
    cut_rows(model, plan)
    if isinstance(kind, torch.dtype):
        # As they were: they were loaded in single precision.
        model.to(kind)  # type: ignore[arg-type]
    return model


def _outcome(
    model: PreTrainedModel, plan: Plan, counted: Mapping[str, int], cuts: Sequence[Cut]
) -> Trimmed:
    return Trimmed(
        vocabulary=len(plan.rows),
        before=len(plan.source.ids),
        added_bytes=len(plan.source.missing_bytes),
        parameters=count_parameters(model),
        counted=counted,
        cuts=cuts,
    )


def _record(outcome: Trimmed, details: Mapping[str, Any]) -> dict[str, Any]:
    size = {"vocabulary": outcome.vocabulary, "of": outcome.before}
    return {**size, "added_bytes": outcome.added_bytes, **details}


def make_plan(counted: Counted, size: int) -> Plan:
    """Which tokens stay, and their rows."""
    source = counted.source
    names = {number: token for token, number in source.ids.items()}
    named = {names[n] for n in token_ids.named(counted.found.folder) if n in names}
    uses = {token: float(counted.uses[number]) for token, number in source.ids.items()}
    return _plan(source, select(source, uses, size, must_stay(source, named)))


def _plan(source: BytePairs, kept: Iterable[str]) -> Plan:
    result = byte_pairs.trimmed(source, kept)
    old, new = source.ids, result.ids
    return Plan(source, result, [old.get(token) for token in sorted(new, key=new.__getitem__)])


def _require_own(found: Source, source: BytePairs) -> None:
    """That the tokenizer is the model's; ``find_source`` has compared sizes and hashes."""
    known = set(source.ids.values())
    strange = sorted(n for n in token_ids.named(found.folder) if n >= 0 and n not in known)
    if strange:
        raise TrainingError(
            f"The tokenizer in {found.name} is not that of the model: config.json names a token "
            f"{strange[0]}, which it does not have.",
            "Put the tokenizer.json there that the model was trained with.",
        )
    lost = token_ids.named_tokens(found.folder) - source.ids.keys()
    if lost:
        raise TrainingError(
            f"The tokenizer in {found.name} is not that of the model: tokenizer_config.json names "
            f"a token {sorted(lost)[0]!r}, which it does not have.",
            "Put the tokenizer.json there that the model was trained with.",
        )


def _require_asked(weights: Mapping[str, float], texts: Mapping[str, Sequence[str]]) -> None:
    """That there is text in each language for which the user asked."""
    missing = sorted(language for language, weight in weights.items() if weight)
    missing = [language for language in missing if language not in texts]
    if missing:
        raise CorpusError(
            f"The corpus has no text in {', '.join(missing)}, to which --weight gives a weight; it "
            f"has {', '.join(texts)}.",
            "Add a corpus or a folder with such files by another --corpus.",
        )


def _require_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TrainingError(f"{out} is not empty.", "Give another folder, or delete it first.")


def _measured(counted: Counted, plan: Plan) -> list[Cut]:
    """What the cut does to held-out text; raises TrainingError where it would lose some of it."""
    before, after = _as_text(counted.found.folder), _written(plan.result)
    lost = sorted(BYTES - plan.result.vocab.keys())
    wrong = [token for token, id_ in plan.result.ids.items() if after.token_to_id(token) != id_]
    if lost or wrong:
        raise TrainingError(
            f"The cut vocabulary would lose {(lost or wrong)[0]!r}.",
            "Keep this model's vocabulary; its tokenizer is of a kind that cannot be cut.",
        )
    kept = plan.result.ids.keys() & plan.source.ids.keys()
    share = _CHECKED // max(1, len(counted.heldout))
    for texts in counted.heldout.values():
        require_exact(before, after, kept, ["".join(texts)[:share]])
    dropped = np.ones(len(counted.uses), np.bool_)
    dropped[list(plan.new_ids())] = False
    return measure(before, after, dropped, counted.heldout)


def _as_text(folder: Path) -> Tokenizer:
    tokenizer = load_tokenizer(folder / "tokenizer.json")
    # Special tokens that occur in a document are ordinary text.
    tokenizer.encode_special_tokens = True
    return tokenizer


def _written(pairs: BytePairs) -> Tokenizer:
    tokenizer = Tokenizer.from_str(json.dumps(pairs.raw))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _write(
    out: Path, found: Source, model: PreTrainedModel, plan: Plan, record: dict[str, Any]
) -> None:
    make_folder(out)
    save_weights(out, model)
    text = json.dumps(plan.result.raw, ensure_ascii=False)
    write_atomically(out / "tokenizer.json", text.encode("utf-8"))
    token_ids.copy_files(found.folder, out, plan.result.ids, plan.new_ids())
    for name in ("chat_template.jinja", "LICENSE", "README.md"):
        if (found.folder / name).is_file():
            shutil.copyfile(found.folder / name, out / name)
    history = dict(found.history)
    if history:
        history |= {"parameters": count_parameters(model), "trimmed": record}
        history["tokenizer"] = hash_of(out / "tokenizer.json")
        write_atomically(out / "training.json", json.dumps(history, indent=1).encode())
    origin = token_ids.read_json(found.folder / "source.json")
    if origin:
        write_atomically(
            out / "source.json", json.dumps(origin | {"trimmed": record}, indent=1).encode()
        )
    kept = record | {"kept": list(plan.rows)}
    write_atomically(out / RECORD, json.dumps(kept).encode())

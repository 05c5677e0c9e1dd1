"""Assembles a bundle: an exported graph, its tokenizer and model card, and a manifest.

``surefill.engine.bundle.Manifest`` defines the manifest; here its values are gathered. The same
parts always give the same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx

from surefill.context.prompt import PromptTemplate
from surefill.engine.bundle import (
    MANIFEST,
    MODEL,
    NGRAMS,
    TOKENIZER,
    Bundle,
    KvLayout,
    KvShape,
    Manifest,
    Precision,
    PromptFormat,
    PromptOrder,
    TokenizerFormat,
)
from surefill.engine.display import DisplayWeights
from surefill.engine.ngrams.store import NgramStore
from surefill.engine.tokenizer import BundleTokenizer
from surefill.errors import InputError
from surefill_training.errors import ExportError
from surefill_training.files import hash_of
from surefill_training.templates import find_template

MODEL_CARD = "MODEL_CARD.md"


@dataclass(frozen=True)
class BundleInfo:
    """What the files themselves do not say about a model."""

    name: str
    version: str
    languages: tuple[str, ...]
    license: str
    parameters: int
    context_length: int
    """The most tokens that the model was trained to see."""
    template: str = "qwen2.5-coder"
    order: PromptOrder = "spm"
    related: bool = True
    """The model has seen excerpts of other files in front, where its template can mark them."""
    made: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)


def write_bundle(
    out_dir: Path,
    info: BundleInfo,
    *,
    model: Path,
    layout: KvLayout,
    precision: Precision,
    tokenizer: Path,
    model_card: str,
    ngrams: Path | None = None,
) -> Bundle:
    """Write the bundle ``out_dir``, replacing one that is there, and check it by loading it.

    ``model`` is an exported model.onnx; a model.onnx.data beside it comes along. ``ngrams`` is a
    file of n-grams; one of another tokenizer raises BundleError, one of another corpus InputError.
    Everything is written to a neighbouring directory first, so that ``out_dir`` never holds half a
    bundle.
    """
    template = find_template(info.template)
    _require_bundle_or_empty(out_dir)
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out_dir.parent, prefix=f".{out_dir.name}.") as scratch:
            made = Path(scratch) / "new"
            made.mkdir()
            _copy_files(made, model, tokenizer, model_card)
            if ngrams is not None:
                shutil.copyfile(ngrams, made / NGRAMS)
                store = NgramStore.load(made / NGRAMS, hash_of(made / TOKENIZER))
                _require_same_corpus(store, info)
            # Raises for a tokenizer that does not have the template's tokens.
            BundleTokenizer(made / TOKENIZER, template.special_tokens())
            manifest = _manifest(made, info, template, layout, precision)
            (made / MANIFEST).write_text(manifest.to_json(), encoding="utf-8", newline="\n")
            Bundle.load(made)
            _swap(made, out_dir, Path(scratch) / "old")
    except OSError as error:
        raise _not_written(out_dir, error) from error
    return Bundle.load(out_dir, verify=False)


def write_with_display(bundle: Path, display: DisplayWeights, out_dir: Path) -> Bundle:
    """Write the bundle ``out_dir``, which may be ``bundle`` itself: the same with that filter.

    Raises as ``write_bundle``.
    """
    source = Bundle.load(bundle)
    _require_bundle_or_empty(out_dir)
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out_dir.parent, prefix=f".{out_dir.name}.") as scratch:
            made = Path(scratch) / "new"
            made.mkdir()
            for name in source.manifest.files:
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle / name, made / name)
            text = replace(source.manifest, display=display).to_json()
            (made / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
            Bundle.load(made)
            _swap(made, out_dir, Path(scratch) / "old")
    except OSError as error:
        raise _not_written(out_dir, error) from error
    return Bundle.load(out_dir, verify=False)


def kv_shape(model: Path, layout: KvLayout) -> KvShape:
    """Read the shape of the KV cache from the inputs of an exported graph."""
    graph = onnx.load(model, load_external_data=False).graph
    keys = [item for item in graph.input if item.name.startswith("past_key_values.")]
    keys = [item for item in keys if item.name.endswith(".key")]
    if not keys:
        raise ExportError(f"The graph {model} has no KV cache.", "Export it again.")
    tensor = keys[0].type.tensor_type
    dims = tensor.shape.dim
    half = tensor.elem_type == onnx.TensorProto.FLOAT16
    return KvShape(
        layers=len(keys),
        kv_heads=dims[1].dim_value,
        head_size=dims[3].dim_value,
        dtype="float16" if half else "float32",
        layout=layout,
    )


def _require_bundle_or_empty(folder: Path) -> None:
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty and not a bundle.", "Give another directory.")


def _not_written(folder: Path, error: OSError) -> ExportError:
    return ExportError(
        f"The bundle {folder} cannot be written: {error.strerror or error}.",
        "What was there before is unchanged.",
    )


def _require_same_corpus(store: NgramStore, info: BundleInfo) -> None:
    """What a bundle has seen is told by its model's sources: its n-grams must have no others."""
    corpus = info.made.get("corpus")
    if corpus is not None and store.made.get("corpus") != corpus:
        raise InputError(
            "The n-grams were counted on another corpus than the model was trained on.",
            "Make them with `surefill-train ngrams` on the model's corpus.",
        )


def _copy_files(folder: Path, model: Path, tokenizer: Path, model_card: str) -> None:
    shutil.copyfile(model, folder / MODEL)
    for data in sorted(model.parent.glob(f"{MODEL}.data*")):
        shutil.copyfile(data, folder / data.name)
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    (folder / MODEL_CARD).write_text(model_card, encoding="utf-8", newline="\n")


def _manifest(
    folder: Path,
    info: BundleInfo,
    template: PromptTemplate,
    layout: KvLayout,
    precision: Precision,
) -> Manifest:
    """The manifest of the files that lie in ``folder``."""
    return Manifest(
        name=info.name,
        version=info.version,
        languages=info.languages,
        license=info.license,
        parameters=info.parameters,
        context_length=info.context_length,
        kv=kv_shape(folder / MODEL, layout),
        precision=precision,
        prompt=PromptFormat(
            template=template.name,
            order=info.order,
            special_tokens=template.special_tokens(),
            ends=template.ends,
            related=info.related and bool(template.file_sep),
        ),
        tokenizer=TokenizerFormat(per_line=_is_per_line(folder / TOKENIZER)),
        files={file.name: hash_of(file) for file in sorted(folder.iterdir())},
        made=dict(info.made),
        scores=dict(info.scores),
    )


_SAMPLE = """\
import os


def f(a):  \t

\treturn [  # why

            a ,
    ]
x = 'é'   \n\n\n\n    y
"""


def _is_per_line(tokenizer: Path) -> bool:
    """Whether code can be encoded line by line: no token crosses a line's end or depends on it."""
    encode = BundleTokenizer(tokenizer).encode
    lines = _SAMPLE.splitlines(keepends=True)
    return encode(_SAMPLE) == [id_ for line in lines for id_ in encode(line)]


def _swap(new: Path, target: Path, aside: Path) -> None:
    """Put ``new`` in the place of ``target``; on failure the old one goes back."""
    if not target.exists():
        new.rename(target)
        return
    target.rename(aside)
    try:
        new.rename(target)
    except OSError:
        aside.rename(target)
        raise

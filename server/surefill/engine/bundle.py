"""Bundles: directories that hold one model ready to serve, described by ``bundle.json``.

``Manifest`` is the only definition of ``bundle.json``: training writes it, serving reads it. Knows
files and hashes; neither tokenises nor runs a model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar, cast, get_args

from surefill.engine.display import DisplayWeights, parse_display
from surefill.errors import BundleError

SCHEMA = 1
MANIFEST = "bundle.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
NGRAMS = "ngrams.bin"
ALL_LANGUAGES = "*"

KvDtype = Literal["float32", "float16"]
KvLayout = Literal["shared", "concat"]
Precision = Literal["fp32", "int8", "int4", "fp16", "mix8", "w8a8"]
PromptOrder = Literal["spm", "psm"]

T = TypeVar("T")

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_MAKE_AGAIN = "Make it again with `surefill-train bundle`."
_COPY_AGAIN = "Copy or download it again."


@dataclass(frozen=True)
class KvShape:
    """The KV cache of a model: ``layers`` pairs of [batch, kv_heads, time, head_size]."""

    layers: int
    kv_heads: int
    head_size: int
    dtype: KvDtype
    layout: KvLayout
    """``shared``: past and present are one buffer of full length; ``concat``: present is new."""


@dataclass(frozen=True)
class PromptFormat:
    """Which prompt the model was trained on.

    The engine needs only the tokens' texts, which stand here, so that it need not know templates.
    """

    template: str
    order: PromptOrder
    special_tokens: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    related: bool = False
    """Trained with excerpts of other files in front; older bundles do not say, and were not."""


@dataclass(frozen=True)
class TokenizerFormat:
    """``per_line``: no token crosses a line end, so that text can be encoded line by line."""

    per_line: bool


@dataclass(frozen=True)
class Manifest:
    """The contents of ``bundle.json``."""

    name: str
    version: str
    languages: tuple[str, ...]
    """Ids of those that it was trained for; none, or ``"*"`` among them, means all."""
    license: str
    parameters: int
    context_length: int
    kv: KvShape
    precision: Precision
    prompt: PromptFormat
    tokenizer: TokenizerFormat
    files: dict[str, str]
    """File name, relative and with forward slashes, to the SHA-256 of its contents in hex."""
    made: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    display: DisplayWeights | None = None
    """The display filter fitted for this model; None takes the one for any model."""

    @classmethod
    def parse(cls, raw: object) -> Manifest:
        """Check decoded JSON; raises BundleError naming the first field that is wrong."""
        top = _Fields(raw, "")
        schema = top.get("schema", int)
        if schema > SCHEMA:
            raise BundleError(
                f"The bundle has schema {schema} and this Surefill knows schema {SCHEMA}.",
                "Update Surefill, from where it was installed.",
            )
        if schema < SCHEMA:
            raise BundleError(
                f"The bundle has the outdated schema {schema}; schema {SCHEMA} is needed.",
                _MAKE_AGAIN,
            )
        kv, prompt = top.inner("kv"), top.inner("prompt")
        manifest = cls(
            name=top.get("name", str),
            version=top.get("version", str),
            languages=top.strings("languages"),
            license=top.get("license", str),
            parameters=top.positive("parameters"),
            context_length=top.positive("context_length"),
            kv=KvShape(
                layers=kv.positive("layers"),
                kv_heads=kv.positive("kv_heads"),
                head_size=kv.positive("head_size"),
                dtype=cast(KvDtype, kv.choice("dtype", get_args(KvDtype))),
                layout=cast(KvLayout, kv.choice("layout", get_args(KvLayout))),
            ),
            precision=cast(Precision, top.choice("precision", get_args(Precision))),
            prompt=PromptFormat(
                template=prompt.get("template", str),
                order=cast(PromptOrder, prompt.choice("order", get_args(PromptOrder))),
                special_tokens=prompt.strings("special_tokens"),
                ends=prompt.strings("ends"),
                related=prompt.get("related", bool) if prompt.has("related") else False,
            ),
            tokenizer=TokenizerFormat(per_line=top.inner("tokenizer").get("per_line", bool)),
            files=top.hashes("files"),
            made=top.get("made", dict),
            scores=top.get("scores", dict),
            display=parse_display(top.get("display", dict)) if top.has("display") else None,
        )
        for needed in (MODEL, TOKENIZER):
            if needed not in manifest.files:
                raise BundleError(f"The bundle's {MANIFEST} does not list {needed}.", _MAKE_AGAIN)
        return manifest

    @property
    def trained_for(self) -> tuple[str, ...]:
        """``languages``, or nothing where that means all."""
        return () if ALL_LANGUAGES in self.languages else self.languages

    def to_json(self) -> str:
        """The text of ``bundle.json``: the same manifest always gives the same bytes."""
        raw = {"schema": SCHEMA, **asdict(self), "files": dict(sorted(self.files.items()))}
        if self.display is None:
            del raw["display"]
        return json.dumps(raw, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose manifest and files have been checked."""

    path: Path
    manifest: Manifest

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Bundle:
        """Read and check the bundle at ``path``; raises BundleError with a remedy.

        ``verify`` compares every file's SHA-256, which takes about a second per gigabyte.
        """
        path = Path(path).expanduser()
        manifest = Manifest.parse(_read_manifest(path))
        for name, digest in manifest.files.items():
            file = path / name
            if not file.is_file():
                raise BundleError(f"The bundle at {path} has no file {name}.", _COPY_AGAIN)
            if verify and _sha256(file) != digest.lower():
                raise BundleError(
                    f"The file {name} of the bundle at {path} is damaged: its SHA-256 differs.",
                    _COPY_AGAIN,
                )
        _require_listed(path, manifest)
        return cls(path, manifest)

    @property
    def model_path(self) -> Path:
        return self.path / MODEL

    @property
    def tokenizer_path(self) -> Path:
        return self.path / TOKENIZER

    @property
    def ngrams_path(self) -> Path | None:
        """Where the n-grams lie; None for a bundle without any."""
        return self.path / NGRAMS if NGRAMS in self.manifest.files else None


def find_bundle(name_or_path: str | Path) -> Path:
    """Where a bundle lies: ``default``, a directory, or a name in the user's data directory."""
    if str(name_or_path) == "default":
        return Path(__file__).resolve().parent.parent / "bundles" / "default"
    path = Path(name_or_path).expanduser()
    if path.exists() or path.is_absolute() or len(path.parts) != 1:
        return path
    home = user_bundles()
    if (home / path).exists():
        return home / path
    raise BundleError(
        f"There is no bundle named {path}, neither here nor in {home}.",
        'Give the path of a bundle, or "default" for the one that ships with Surefill.',
    )


def user_bundles() -> Path:
    """The user's folder of bundles, in which each goes by the name of its folder."""
    from platformdirs import user_data_path  # only needed for names

    return user_data_path("surefill", appauthor=False) / "bundles"


def _read_manifest(path: Path) -> object:
    if not path.exists():
        raise BundleError(
            f"There is no bundle at {path}.",
            'Correct the setting "bundle", or set it to "default".',
        )
    if not path.is_dir():
        raise BundleError(
            f"The bundle {path} is a file, not a directory.", f"Give the directory of {MANIFEST}."
        )
    file = path / MANIFEST
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{path} is not a bundle: it has no {MANIFEST}.",
            "Make one with `surefill-train bundle`, or give another directory.",
        ) from None
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{file} is not valid JSON ({error}).", _COPY_AGAIN) from error


def _require_listed(path: Path, manifest: Manifest) -> None:
    """A file that nobody vouches for could hold the model's weights."""
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        hidden = any(part.startswith(".") for part in PurePosixPath(name).parts)
        if not hidden and not file.is_dir() and name not in {MANIFEST, *manifest.files}:
            raise BundleError(
                f"The bundle at {path} holds the file {name}, which its {MANIFEST} does not list.",
                "Remove the file if you put it there; else copy or download the bundle again.",
            )


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}.") from error


class _Fields:
    """Typed access to a decoded JSON object, with errors that name the field."""

    def __init__(self, raw: object, path: str) -> None:
        self._path = path
        if not isinstance(raw, Mapping):
            raise self._wrong("", "an object")
        self._raw = raw

    def get(self, key: str, kind: type[T]) -> T:
        if key not in self._raw:
            raise BundleError(f'{MANIFEST} has no "{self._path}{key}".', _MAKE_AGAIN)
        value = self._raw[key]
        # JSON's true is an int in Python and would pass for a number.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            names = {str: "a string", int: "an integer", bool: "true or false", dict: "an object"}
            raise self._wrong(key, names.get(kind, "a list"))
        return value

    def has(self, key: str) -> bool:
        return key in self._raw

    def inner(self, key: str) -> _Fields:
        return _Fields(self.get(key, dict), f"{self._path}{key}.")

    def positive(self, key: str) -> int:
        value = self.get(key, int)
        if value < 1:
            raise self._wrong(key, "positive")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.get(key, str)
        if value not in allowed:
            raise self._wrong(key, "one of " + ", ".join(allowed))
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        values = self.get(key, list)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of strings")
        return tuple(values)

    def hashes(self, key: str) -> dict[str, str]:
        files = self.get(key, dict)
        for name, digest in files.items():
            if not _is_plain_name(name):
                raise BundleError(
                    f'{MANIFEST} names the file "{name}", which lies outside the bundle.',
                    "Do not use this bundle.",
                )
            if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
                raise self._wrong(f"{key}.{name}", "a SHA-256 in hex")
        return dict(files)

    def _wrong(self, key: str, wanted: str) -> BundleError:
        name = f"{self._path}{key}".rstrip(".")
        what = f'"{name}" in {MANIFEST}' if name else MANIFEST
        return BundleError(f"{what} must be {wanted}.", _MAKE_AGAIN)


def _is_plain_name(name: str) -> bool:
    path = PurePosixPath(name)
    forbidden = "\\" in name or ":" in name or "\0" in name
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and not forbidden

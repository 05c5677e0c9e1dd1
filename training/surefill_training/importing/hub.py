"""Downloads a model of the Hugging Face hub: of one commit, and only the files that are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download, snapshot_download

from surefill_training.errors import ModelImportError
from surefill_training.progress import Progress

ID = re.compile(r"[\w.-]+/[\w.-]+")

_NEEDED = ("*.json", "*.safetensors", "chat_template.jinja", "README.md")
_INSTEAD = ("*.bin",)
"""Weights of old models, which are taken where there are no safetensors."""


@dataclass(frozen=True)
class Download:
    """A folder, or a single file, in the hub's cache."""

    path: Path
    files: tuple[str, ...]
    revision: str
    """The commit that a branch or a tag stood for."""
    license: str | None


def download(name: str, revision: str | None, file: str | None, report: Progress) -> Download:
    """The model ``name``, or one GGUF ``file`` of it; raises ModelImportError."""
    try:
        report(f"asking for {name}", 0, 1)
        info = HfApi().model_info(name, revision=revision)
        commit = str(info.sha)
        names = [sibling.rfilename for sibling in info.siblings or ()]
        report(f"downloading {name}", 0, 1)
        if file is None and "config.json" not in names:
            file = _only_gguf(name, names)
        if file is not None:
            path = Path(hf_hub_download(name, file, revision=commit))
            files: tuple[str, ...] = (file,)
        else:
            old = not any(each.endswith(".safetensors") for each in names)
            patterns = [*_NEEDED, *(_INSTEAD if old else ())]
            path = Path(snapshot_download(name, revision=commit, allow_patterns=patterns))
            files = tuple(n for n in names if n.endswith(".bin" if old else ".safetensors"))
    except ModelImportError:
        raise
    except Exception as error:  # the hub's client raises errors of several libraries
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        at = f" at {revision}" if revision else ""
        raise ModelImportError(
            f"The Hugging Face hub does not give {name}{at} ({reason}).",
            "Check name, --revision and network, or download the model and give its folder.",
        ) from error
    stated = info.card_data.get("license") if info.card_data else None
    return Download(path, files, commit, str(stated) if stated else None)


def _only_gguf(name: str, names: list[str]) -> str:
    found = [each for each in names if each.endswith(".gguf")]
    if len(found) == 1:
        return found[0]
    listed = f" It has {', '.join(found[:8])}." if found else ""
    raise ModelImportError(
        f"{name} is no single model: it has no config.json and {len(found)} GGUF files.",
        f"Name one with --member FILE.{listed}",
    )

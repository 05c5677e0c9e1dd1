"""A model directory in half precision: half as much to carry, and int4 comes out nearly equal."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from surefill_training.errors import PackingError
from surefill_training.files import make_folder, not_written
from surefill_training.model_config import read_config

_DTYPE_KEYS = ("torch_dtype", "dtype")
"""What transformers 4 and 5 call the type of the weights in config.json."""


def save_half(model: Path, out: Path) -> None:
    """Write the Hugging Face directory ``model`` to ``out`` with float16 weights, whole or not.

    Everything beside the weights is copied. Raises PackingError for weights that float16 cannot
    hold, the largest of which is 65504.
    """
    config = read_config(model)
    config.update({key: "float16" for key in _DTYPE_KEYS if key in config})
    make_folder(out.parent)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            half = Path(scratch) / "half"
            half.mkdir()
            for file in sorted(path for path in model.iterdir() if path.is_file()):
                if file.suffix == ".safetensors":
                    save_file(_halved(file), half / file.name, {"format": "pt"})
                else:
                    shutil.copyfile(file, half / file.name)
            (half / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
            shutil.rmtree(out, ignore_errors=True)
            half.rename(out)
    except OSError as error:
        raise not_written(out, error) from error


def _halved(file: Path) -> dict[str, torch.Tensor]:
    tensors = {}
    for name, tensor in load_file(file).items():
        half = tensor.half() if tensor.is_floating_point() else tensor
        if tensor.is_floating_point() and not torch.isfinite(half).all():
            raise PackingError(
                f"{name} in {file} has values that half precision cannot hold.",
                "Pack the model itself: surefill-train pack --file MODEL_DIR.",
            )
        tensors[name] = half
    return tensors

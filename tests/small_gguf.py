"""GGUF files of small random models, as llama.cpp's converter would write them, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
ARCHITECTURES = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2}


def write_gguf(
    path: Path,
    checkpoint: Path,
    kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
    *,
    pre: str | None = None,
    tokenizer: Callable[[gguf.GGUFWriter], None] | None = None,
    special: Sequence[str] = (),
    tokens: Mapping[int, str] | None = None,
    metadata: Callable[[gguf.GGUFWriter], None] | None = None,
    license_name: str | None = "apache-2.0",
    change: Callable[[str, Array], Array] = lambda _name, weights: weights,
    more: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """Write a checkpoint's model to ``path``; its weights as quantisation left them, by name.

    Matrices are of ``kind``, vectors in single precision. ``special`` tokens are control tokens,
    ``tokens`` gives ids other names, ``tokenizer`` writes another one, ``metadata`` adds to the
    header, ``change`` alters weights, and ``more`` are tensors that no checkpoint has.
    """
    config = json.loads((checkpoint / "config.json").read_text())
    arch = str(config["model_type"])
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name("Small")
    if license_name:
        writer.add_license(license_name)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    if arch == "llama":
        writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    if tokenizer:
        tokenizer(writer)
    else:
        _add_tokenizer(writer, checkpoint, pre or _PRE[arch], special, tokens or {})
    if metadata:
        metadata(writer)
    left = _add_weights(writer, checkpoint, config, kind, change)
    for name, weights in (more or {}).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return left


_PRE = {"llama": "smollm", "qwen2": "qwen2"}


def _add_tokenizer(
    writer: gguf.GGUFWriter,
    checkpoint: Path,
    pre: str,
    special: Sequence[str],
    names: Mapping[int, str],
) -> None:
    raw = json.loads((checkpoint / "tokenizer.json").read_text())["model"]
    vocabulary = sorted(raw["vocab"], key=raw["vocab"].__getitem__)
    tokens = [names.get(id_, token) for id_, token in enumerate(vocabulary)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([CONTROL if token in special else NORMAL for token in tokens])
    pairs = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in raw["merges"]]
    kept = [(a, b) for a, b in pairs if {a, b, a + b} <= set(tokens)]
    writer.add_token_merges([f"{a} {b}" for a, b in kept])
    writer.add_eos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)


def add_sentence_pieces(writer: gguf.GGUFWriter, special: Sequence[str], count: int) -> None:
    """A SentencePiece tokenizer of ``count`` tokens: bytes, letters, and pairs of letters."""
    front = ["<unk>", "<s>", "</s>", *special]
    letters = ["▁", *"etaoinsrhdlucmfywgpbvkxqjz()[]=:,._"]
    pairs = [one + two for one in letters[:20] for two in letters[1:20]]
    tokens = [*front, *(f"<0x{byte:02X}>" for byte in range(256)), *letters, *pairs][:count]
    types = [
        gguf.TokenType.CONTROL
        if token in front
        else gguf.TokenType.BYTE
        if token.startswith("<0x")
        else gguf.TokenType.NORMAL
        for token in tokens
    ]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(count)])
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def _add_weights(
    writer: gguf.GGUFWriter,
    checkpoint: Path,
    config: Mapping[str, Any],
    kind: gguf.GGMLQuantizationType,
    change: Callable[[str, Array], Array],
) -> dict[str, Array]:
    from safetensors.numpy import load_file

    names = gguf.get_tensor_name_map(
        ARCHITECTURES[config["model_type"]], config["num_hidden_layers"]
    )
    left: dict[str, Array] = {}
    for name, original in load_file(checkpoint / "model.safetensors").items():
        weights = change(name, original)
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert stored is not None, name
        turned = _turn(weights, name, config) if config["model_type"] == "llama" else weights
        used = kind if weights.ndim > 1 else gguf.GGMLQuantizationType.F32
        data = gguf.quantize(turned, used)
        writer.add_tensor(stored, data, raw_dtype=used)
        back = gguf.dequantize(data, used)
        left[name] = _turn_back(back, name, config) if turned is not weights else back
    return left


def _heads(name: str, config: Mapping[str, Any]) -> int:
    key = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    return next((int(config[key[part]]) for part in name.split(".") if part in key), 0)


def _turn(weights: Array, name: str, config: Mapping[str, Any]) -> Array:
    """Rows of queries and keys in the order of llama.cpp: halves of a head interleaved."""
    heads = _heads(name, config)
    if not heads:
        return weights
    parts = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
    return np.ascontiguousarray(parts.swapaxes(1, 2).reshape(weights.shape))


def _turn_back(weights: Array, name: str, config: Mapping[str, Any]) -> Array:
    heads = _heads(name, config)
    if not heads:
        return weights
    parts = weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:])
    return parts.swapaxes(1, 2).reshape(weights.shape)

"""Real architectures with random weights, as checkpoints and as bundles, for tests.

Independent of pytest. Wide initial weights make greedy continuations vary, where a plain random
model would repeat one token.
"""

from __future__ import annotations

import json
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from surefill.context.prompt import TEMPLATES
from surefill.engine.bundle import Bundle
from surefill.engine.decode import LocalEngine

Architecture = Literal["llama", "qwen2", "qwen3", "mistral", "starcoder2", "gpt2"]


class AsciiOnly:
    """A guide without which random bytes, which are no text, would soon end every candidate."""

    def __init__(self, engine: LocalEngine) -> None:
        texts = [engine.tokenizer.decode([token]) for token in range(engine.session.vocab_size)]
        self.allowed = engine.allowed & np.array([text.isascii() for text in texts])

    def mask(self, generated: str, logprobs: object, allowed: object) -> npt.NDArray[np.bool_]:
        return self.allowed


@lru_cache(maxsize=4)
def sources(files: int = 60) -> tuple[str, ...]:
    """Texts of some modules of the standard library, in a fixed order."""
    folder = Path(sysconfig.get_path("stdlib"))
    return tuple(
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.glob("*.py"))[:files]
    )


def train_tokenizer(path: Path, vocab: int, template: str = "qwen2.5-coder") -> None:
    """Byte-level BPE whose tokens never cross a line end, with the template's special tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    words = r"\r\n|[\r\n]|[^\S\r\n]+|\w+|[^\w\s]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = TEMPLATES[template].special_tokens()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sources(), trainer)
    tokenizer.save(str(path))


def make_checkpoint(
    folder: Path,
    architecture: Architecture = "llama",
    *,
    vocab: int = 512,
    hidden: int = 64,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    context: int = 512,
    rope_theta: float = 10_000.0,
    seed: int = 0,
) -> Path:
    """Write config, weights and tokenizer of a random model in the layout of transformers."""
    import torch
    import transformers as hf

    torch.manual_seed(seed)
    llama_like: dict[str, Any] = {
        "vocab_size": vocab,
        "hidden_size": hidden,
        "intermediate_size": hidden * 8 // 3 // 32 * 32,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": context,
        "rope_theta": rope_theta,
        "tie_word_embeddings": True,
        "initializer_range": 0.15,
        "bos_token_id": None,
        "eos_token_id": 0,
    }
    if architecture == "gpt2":
        config = hf.GPT2Config(
            vocab_size=vocab,
            n_embd=hidden,
            n_layer=layers,
            n_head=heads,
            n_positions=context,
            initializer_range=0.15,
            bos_token_id=None,
            eos_token_id=0,
        )
        model: Any = hf.GPT2LMHeadModel(config)
    else:
        name = architecture.capitalize()
        more = {"head_dim": hidden // heads} if architecture == "qwen3" else {}
        config = getattr(hf, f"{name}Config")(**llama_like, **more)
        model = getattr(hf, f"{name}ForCausalLM")(config)
    model.eval().save_pretrained(folder)
    train_tokenizer(folder / "tokenizer.json", vocab)
    return folder


def bundle_checkpoint(
    checkpoint: Path,
    folder: Path,
    precision: Literal["fp32", "int8", "int4", "w8a8"] = "fp32",
    *,
    context: int | None = None,
    name: str = "random",
) -> Bundle:
    """Export ``checkpoint`` and write it as the bundle ``folder``.

    The fp32 graph is kept beside the checkpoint, where further precisions start from it.
    """
    from surefill_training.bundle import BundleInfo, write_bundle
    from surefill_training.export import Exported, export, quantize_exported

    config = json.loads((checkpoint / "config.json").read_text())
    kept = checkpoint.with_name(f"{checkpoint.name}-fp32")
    if (kept / "model.onnx").exists():
        layout: Literal["shared", "concat"] = "concat" if "n_embd" in config else "shared"
        exported = Exported(kept / "model.onnx", layout, "fp32")
    else:
        exported = export(checkpoint, kept, "fp32")
    if precision != "fp32":
        exported = quantize_exported(
            exported, checkpoint.with_name(f"{checkpoint.name}-{precision}"), precision
        )
    info = BundleInfo(
        name=name,
        version="0",
        languages=("python",),
        license="Apache-2.0",
        parameters=1,
        context_length=context or config.get("max_position_embeddings") or config["n_positions"],
        made={"weights": "random"},
    )
    return write_bundle(
        folder,
        info,
        model=exported.path,
        layout=exported.layout,
        precision=exported.precision,
        tokenizer=checkpoint / "tokenizer.json",
        model_card="# Random weights\n\nFor tests; it knows nothing.\n",
    )


def make_bundle(
    folder: Path,
    *,
    architecture: Architecture = "llama",
    precision: Literal["fp32", "int8", "int4", "w8a8"] = "fp32",
    **shape: int,
) -> Bundle:
    """A bundle with random weights at ``folder``; ``shape`` goes to ``make_checkpoint``."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = make_checkpoint(
        folder.with_name(f"{folder.name}-checkpoint"), architecture, **shape
    )
    return bundle_checkpoint(checkpoint, folder, precision)

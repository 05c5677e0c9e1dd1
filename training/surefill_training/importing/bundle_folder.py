"""A bundle as a source: the weights that its graph holds, as a model that can be trained further.

What quantisation has rounded stays rounded. Knows the graphs that ``export`` makes of Llama models,
ours and others; a graph of another architecture is refused.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import helper, numpy_helper
from transformers import LlamaConfig, LlamaForCausalLM

from surefill.engine.bundle import Bundle, KvShape
from surefill.engine.tokenizer import BundleTokenizer
from surefill_training.errors import ModelImportError
from surefill_training.fidelity import compare
from surefill_training.files import make_folder
from surefill_training.progress import Progress

_TABLE_STEPS = 2.5
"""So many steps of their rounding the tables of embedding and head may lie apart and be one."""
_LAYER = re.compile(r"/model/layers\.(\d+)/(attn|mlp)/(\w+)/MatMul")
_KNOWN = re.compile(
    r"model\.(embed_tokens|layers\.\d+\.((input|post_attention|final_norm)_layernorm"
    r"|attn\.(qkv|o)_proj\.MatMul|mlp\.(gate|up|down)_proj\.MatMul))\.weight(_Q\d|_I8|_scales)?"
)
"""The constants of a Llama model; others, like biases, would be lost."""
_OF_THE_BUNDLE = ("date", "versions", "python", "fidelity", "ablations")
"""What a bundle notes of itself and not of the run that made its weights."""

Floats = npt.NDArray[np.float32]


def import_bundle(folder: Path, out: Path, progress: Progress) -> dict[str, Any]:
    """Write the model of the bundle in ``folder`` to the folder ``out``; returns its history.

    Compared with the graph before it appears. Raises BundleError for a bundle that is none,
    ModelImportError for one that this cannot be done with.
    """
    bundle = Bundle.load(folder)
    progress("reading the weights", 0, 2)
    graph = _Graph(onnx.load(bundle.model_path))
    tokenizer = BundleTokenizer(bundle.tokenizer_path, bundle.manifest.prompt.special_tokens)
    model = _model(graph, bundle, tokenizer.special(bundle.manifest.prompt.ends[0]))
    make_folder(out.parent)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        made = Path(scratch) / "made"
        model.save_pretrained(made)
        (made / "tokenizer.json").write_bytes(bundle.tokenizer_path.read_bytes())
        described = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": bundle.manifest.prompt.ends[0],
            "model_max_length": bundle.manifest.context_length,
        }
        history = {k: v for k, v in bundle.manifest.made.items() if k not in _OF_THE_BUNDLE}
        for name, content in (("tokenizer_config.json", described), ("training.json", history)):
            (made / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        progress("comparing with the graph", 1, 2)
        found = compare(made, bundle)
        if not found.kept:
            raise ModelImportError(
                f"The weights in {folder.name} do not say what its graph says (divergence "
                f"{found.divergence:.3f} nats).",
                "Import the model that it was exported from.",
            )
        if out.exists():
            out.rmdir()
        made.rename(out)
    return history


class _Graph:
    """The constants of a fused graph, by what they are for."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._nodes = {node.name: node for node in model.graph.node}
        self.linear: dict[str, Floats] = {}
        """Weights [out, in] of each matrix product, by the node's name without its format."""
        for node in model.graph.node:
            if node.op_type == "MatMulNBits":
                name = node.name.rpartition("_Q")[0]
                self.linear[name] = self._dequantized(node)
            elif node.op_type == "MatMulIntegerToFloat":
                scales = self.tensor(node.input[3])
                self.linear[node.name.removesuffix("_I8")] = (self.tensor(node.input[1]) * scales).T
            elif node.op_type == "MatMul" and node.input[1] in self._tensors:
                self.linear[node.name] = self.tensor(node.input[1]).T
        own = [name for name in self._tensors if name.startswith("model.")]
        strange = not all(map(_KNOWN.fullmatch, own))
        if strange or "cos_cache" not in self._tensors or "/lm_head/MatMul" not in self.linear:
            raise ModelImportError(
                "The bundle's graph is not that of a Llama model.",
                "Import the model that it was exported from.",
            )

    def tensor(self, name: str) -> Floats:
        if name not in self._tensors:
            raise ModelImportError(
                f"The bundle's graph has no {name}.", "Import the model that it was exported from."
            )
        return numpy_helper.to_array(self._tensors[name]).astype(np.float32)

    def epsilon(self) -> float:
        norm = next(n for n in self._nodes.values() if n.op_type == "SimplifiedLayerNormalization")
        return float(str(np.float32(_attributes(norm)["epsilon"])))  # 1e-05, as it was written

    def embedding(self) -> Floats | None:
        """The table [vocabulary, width]; None where the head's is looked up in."""
        if any(node.op_type == "GatherBlockQuantized" for node in self._nodes.values()):
            return None
        name = "model.embed_tokens.weight"
        if f"{name}_Q8" in self._tensors:
            return self.tensor(f"{name}_Q8") * self.tensor(f"{name}_scales")
        return self.tensor(name)

    def rope_base(self, head_size: int) -> float:
        """Of the rotary embedding, from the angles of the first position after zero."""
        angles = np.arctan2(self.tensor("sin_cache")[1], self.tensor("cos_cache")[1])
        exponents = np.arange(len(angles)) * 2 / head_size
        base = float(angles[-1].astype(np.float64) ** (-1 / exponents[-1]))
        base = round(base) if abs(base - round(base)) < 1e-4 * base else base
        if not np.allclose(angles, base**-exponents, rtol=1e-3):
            raise ModelImportError(
                "The bundle's graph scales its positions, which cannot be told from it.",
                "Import the model that it was exported from.",
            )
        return base

    def _dequantized(self, node: onnx.NodeProto) -> Floats:
        facts = _attributes(node)
        bits, width, rows = facts["bits"], facts["K"], facts["N"]
        packed = numpy_helper.to_array(self._tensors[node.input[1]])
        blocks = packed.shape[1]
        values = packed
        if bits == 4:  # two to a byte, the first in its lower half
            values = np.stack([packed & 0xF, packed >> 4], axis=-1)
        values = values.reshape(rows, blocks, -1).astype(np.float32) - 2 ** (bits - 1)
        scales = self.tensor(node.input[2]).reshape(rows, blocks, 1)
        if len(node.input) > 3 and node.input[3]:
            raise ModelImportError(
                "The bundle's graph is quantised with zero points, which are not read.",
                "Import the model that it was exported from.",
            )
        weights: Floats = (values * scales).reshape(rows, -1)[:, :width]
        return weights


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _model(graph: _Graph, bundle: Bundle, end: int) -> LlamaForCausalLM:
    kv, head = bundle.manifest.kv, graph.linear["/lm_head/MatMul"]
    vocabulary, width = head.shape
    table = graph.embedding()
    tied = table is None or _are_one(table, head)
    weights = {"model.embed_tokens.weight": head if table is None else table}
    if not tied:
        weights["lm_head.weight"] = head
    for name, matrix in graph.linear.items():
        if found := _LAYER.fullmatch(name):
            number, part, matrix_name = found.groups()
            weights |= _of_layer(f"model.layers.{number}", part, matrix_name, matrix, kv)
    for number in range(kv.layers):
        for norm in ("input_layernorm", "post_attention_layernorm"):
            name = f"model.layers.{number}.{norm}.weight"
            weights[name] = graph.tensor(name)
    last = f"model.layers.{kv.layers}.final_norm_layernorm.weight"
    weights["model.norm.weight"] = graph.tensor(last)
    queries = weights["model.layers.0.self_attn.q_proj.weight"]
    config = LlamaConfig(  # type: ignore[no-untyped-call]
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=len(weights["model.layers.0.mlp.up_proj.weight"]),
        num_hidden_layers=kv.layers,
        num_attention_heads=len(queries) // kv.head_size,
        num_key_value_heads=kv.kv_heads,
        head_dim=kv.head_size,
        max_position_embeddings=len(graph.tensor("cos_cache")),
        rms_norm_eps=graph.epsilon(),
        rope_theta=graph.rope_base(kv.head_size),
        tie_word_embeddings=tied,
        bos_token_id=end,
        eos_token_id=end,
    )
    model: LlamaForCausalLM = LlamaForCausalLM(config)  # type: ignore[no-untyped-call]
    state = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
    if tied:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model


def _of_layer(layer: str, part: str, name: str, matrix: Floats, kv: KvShape) -> dict[str, Floats]:
    if part == "mlp":
        return {f"{layer}.mlp.{name}.weight": matrix}
    if name != "qkv_proj":
        return {f"{layer}.self_attn.{name}.weight": matrix}
    shared = kv.kv_heads * kv.head_size
    queries = len(matrix) - 2 * shared
    cut = np.split(matrix, [queries, queries + shared])
    names = ("q_proj", "k_proj", "v_proj")
    return {f"{layer}.self_attn.{n}.weight": m for n, m in zip(names, cut, strict=True)}


def _are_one(table: Floats, head: Floats) -> bool:
    """Whether two tables are the same but for their rounding to 8 bits."""
    if table.shape != head.shape:
        return False
    step = np.abs(table).max(axis=1, keepdims=True) / 127
    return bool((np.abs(table - head) <= _TABLE_STEPS * step).all())

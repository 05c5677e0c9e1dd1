"""Weight-only quantisation of a fused graph: MatMulNBits for matrices, 8 bits for the embedding.

Knows ONNX graphs and neither torch nor checkpoints.
"""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Bits = Literal[4, 8]

LM_HEAD = "/lm_head/MatMul"
_EMBEDDING = "/model/embed_tokens/Gather"
_LARGEST_BLOCK, _SMALLEST_BLOCK = 128, 16


def quantize(
    model: onnx.ModelProto, bits: Bits, *, head_bits: Bits = 8, block_size: int | None = None
) -> onnx.ModelProto:
    """``model`` with every constant matrix in ``bits`` and the LM head in ``head_bits``.

    ``block_size`` weights along the input dimension share one scale; without it as many as divide
    the dimension, at most 128, so that no block is padded. Where embedding and head are the same
    weights and the head has 8 bits, the graph holds one table for both. Activations are quantised
    to 8 bits per block at run time (``accuracy_level`` 4).
    """
    shared = head_bits == 8 and _are_tied(model)
    if not shared:
        quantize_embedding(model)
    groups: dict[tuple[Bits, int], list[str]] = {}
    for name, width in _matrices(model).items():
        form = (head_bits if name == LM_HEAD else bits), block_size or _block_size(width)
        groups.setdefault(form, []).append(name)
    for (of_group, block), names in groups.items():
        others = [name for name in _matrices(model) if name not in names]
        model = _matmuls(model, of_group, block, exclude=others)
    if shared:
        _share_table(model)
    return model


def _block_size(width: int) -> int:
    """The largest block that divides ``width``; the largest of all where only tiny ones do."""
    size = _LARGEST_BLOCK
    while size >= _SMALLEST_BLOCK:
        if width % size == 0:
            return size
        size //= 2
    return _LARGEST_BLOCK


def _matrices(model: onnx.ModelProto) -> dict[str, int]:
    """Names of the nodes that multiply by a constant matrix, and its input dimension."""
    shapes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    return {
        node.name: int(shapes[node.input[1]][0])
        for node in model.graph.node
        if node.op_type == "MatMul" and len(shapes.get(node.input[1], ())) == 2
    }


def _are_tied(model: onnx.ModelProto) -> bool:
    """Whether the head multiplies by the table that the embedding looks up."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = {node.name: node for node in model.graph.node}
    head, lookup = nodes[LM_HEAD], nodes[_EMBEDDING]
    if head.op_type != "MatMul" or head.input[1] not in tensors:
        return False
    table, weights = (
        numpy_helper.to_array(tensors[name]) for name in (lookup.input[0], head.input[1])
    )
    return table.shape == weights.T.shape and np.array_equal(table, weights.T)


def _share_table(model: onnx.ModelProto) -> None:
    """Look the embedding up in the head's quantised table [vocabulary, blocks, block], in place."""
    graph = model.graph
    nodes = {node.name: node for node in graph.node}
    lookup = nodes[_EMBEDDING]
    head = next(node for node in graph.node if node.name.startswith(LM_HEAD))
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    rows, blocks, block = tensors[head.input[1]].dims
    base = "/model/embed_tokens"
    graph.initializer.remove(tensors[lookup.input[0]])
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([rows, blocks, 1], np.int64), f"{base}/by_block"),
            numpy_helper.from_array(np.array([0, 0, blocks * block], np.int64), f"{base}/shape"),
        ]
    )
    scales = helper.make_node(
        "Reshape", [head.input[2], f"{base}/by_block"], [f"{base}/scales"], f"{base}/Scales"
    )
    gather = helper.make_node(
        "GatherBlockQuantized",
        [head.input[1], lookup.input[1], f"{base}/scales"],
        [f"{base}/blocks"],
        f"{base}/GatherBlockQuantized",
        domain="com.microsoft",
        gather_axis=0,
        quantize_axis=2,
        block_size=block,
        bits=8,
    )
    joined = helper.make_node(
        "Reshape", [f"{base}/blocks", f"{base}/shape"], [lookup.output[0]], f"{base}/Reshape"
    )
    at = list(graph.node).index(lookup)
    graph.node.remove(lookup)
    for offset, node in enumerate((scales, gather, joined)):
        graph.node.insert(at + offset, node)


def quantize_embedding(model: onnx.ModelProto) -> None:
    """Store the token embedding as int8 with one scale per row, in place.

    Rows are looked up and scaled with standard operators, so any execution provider can run it;
    the embedding of a small model is otherwise its largest tensor.
    """
    graph = model.graph
    lookup = next(node for node in graph.node if node.name == _EMBEDDING)
    table_name, ids = lookup.input[0], lookup.input[1]
    table = next(tensor for tensor in graph.initializer if tensor.name == table_name)
    quantized, scales = _rows_to_int8(numpy_helper.to_array(table))
    graph.initializer.remove(table)
    graph.initializer.extend(
        [
            numpy_helper.from_array(quantized, f"{table_name}_Q8"),
            numpy_helper.from_array(scales, f"{table_name}_scales"),
        ]
    )
    base = "/model/embed_tokens"
    nodes = [
        helper.make_node("Gather", [f"{table_name}_Q8", ids], [f"{base}/rows"], f"{base}/rows"),
        helper.make_node(
            "Gather", [f"{table_name}_scales", ids], [f"{base}/scales"], f"{base}/scales"
        ),
        helper.make_node(
            "Cast", [f"{base}/rows"], [f"{base}/float"], f"{base}/float", to=onnx.TensorProto.FLOAT
        ),
        helper.make_node(
            "Mul", [f"{base}/float", f"{base}/scales"], [lookup.output[0]], f"{base}/scaled"
        ),
    ]
    at = list(graph.node).index(lookup)
    graph.node.remove(lookup)
    for offset, node in enumerate(nodes):
        graph.node.insert(at + offset, node)


def _rows_to_int8(
    table: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """[rows, width] to int8 [rows, width] and scales [rows, 1]."""
    scales = np.abs(table).max(axis=1, keepdims=True).astype(np.float32) / 127
    scales[scales == 0] = 1
    return np.rint(table / scales).astype(np.int8), scales


def _matmuls(
    model: onnx.ModelProto, bits: int, block_size: int, exclude: list[str]
) -> onnx.ModelProto:
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        MatMulNBitsQuantizer,
    )

    # It logs a line for every node at level INFO.
    logging.getLogger(MatMulNBitsQuantizer.__module__).setLevel(logging.WARNING)
    quantizer = MatMulNBitsQuantizer(
        model,
        bits=bits,
        block_size=block_size,
        is_symmetric=True,
        accuracy_level=4,
        nodes_to_exclude=exclude,
        op_types_to_quantize=("MatMul",),
    )
    quantizer.process()
    quantized: onnx.ModelProto = quantizer.model.model
    return quantized

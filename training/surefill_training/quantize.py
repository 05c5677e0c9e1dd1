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


def quantize(
    model: onnx.ModelProto, bits: Bits, *, head_bits: Bits = 8, block_size: int = 128
) -> onnx.ModelProto:
    """``model`` with every constant matrix in ``bits`` and the LM head in ``head_bits``.

    Blocks of ``block_size`` weights along the input dimension share one scale; a shorter last block
    is padded. Activations are quantised to 8 bits per block at run time (``accuracy_level`` 4).
    """
    quantize_embedding(model)
    if bits != head_bits:
        model = _matmuls(model, bits, block_size, exclude=[LM_HEAD])
    return _matmuls(model, head_bits, block_size, exclude=[])


def quantize_embedding(model: onnx.ModelProto) -> None:
    """Store the token embedding as int8 with one scale per row, in place.

    Rows are looked up and scaled with standard operators, so any execution provider can run it;
    the embedding of a small model is otherwise its largest tensor.
    """
    graph = model.graph
    lookup = next(node for node in graph.node if node.name == "/model/embed_tokens/Gather")
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

"""8-bit integer products (W8A8): weights rounded by output channel, activations by token.

Processors multiply bytes several times as fast as floats. The scale of a token's activations is
found when it is forwarded and depends on no other token, so a prompt of which a part is reused
rounds as it does from scratch. Knows ONNX graphs and neither torch nor checkpoints; ``smoothing``
prepares the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

_LARGEST = 127
_ZERO = 128
"""What stands for 0 among the activations, which are unsigned: U8S8 is the product that processors
are fastest at."""
_PREFIX = "/by_token"
_CONSTANTS: dict[str, np.ndarray[Any, Any]] = {
    f"{_PREFIX}/step": np.array(1 / _LARGEST, np.float32),
    f"{_PREFIX}/least": np.array(1e-9, np.float32),  # a token of nothing but zeros has a scale
    f"{_PREFIX}/one": np.array(1, np.float32),
    f"{_PREFIX}/zero": np.array(_ZERO, np.uint8),
    f"{_PREFIX}/last_axis": np.array([-1], np.int64),
}


def use_integer_products(model: onnx.ModelProto, *, leave: str) -> None:
    """Replace every product by a constant matrix but that of the node ``leave``, in place."""
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    rounded: dict[str, tuple[str, str]] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        constant = node.op_type == "MatMul" and node.input[1] in tensors and node.name != leave
        if not constant:
            nodes.append(node)
            continue
        activations, weights = node.input
        if activations not in rounded:
            rounded[activations] = f"{node.name}/rounded", f"{node.name}/scale"
            nodes.extend(_by_token(activations, *rounded[activations]))
        graph.initializer.extend(_by_channel(tensors[weights]))
        graph.initializer.remove(tensors.pop(weights))
        nodes.extend(_product(node, *rounded[activations]))
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in _CONSTANTS.items())


def _by_token(activations: str, rounded: str, scale: str) -> Iterator[onnx.NodeProto]:
    """``activations`` [.., width] as bytes and the size of a step [.., 1] of each token."""
    base = scale.removesuffix("/scale")
    steps = [
        ("Abs", [activations], f"{base}/absolute"),
        ("ReduceMax", [f"{base}/absolute", f"{_PREFIX}/last_axis"], f"{base}/largest"),
        ("Mul", [f"{base}/largest", f"{_PREFIX}/step"], f"{base}/exact_scale"),
        ("Add", [f"{base}/exact_scale", f"{_PREFIX}/least"], scale),
        ("Div", [activations, scale], f"{base}/scaled"),
        ("QuantizeLinear", [f"{base}/scaled", f"{_PREFIX}/one", f"{_PREFIX}/zero"], rounded),
    ]
    for kind, inputs, output in steps:
        yield helper.make_node(kind, inputs, [output], f"{output}/{kind}")


def _by_channel(tensor: onnx.TensorProto) -> list[onnx.TensorProto]:
    """Weights [in, out] as signed bytes, and a scale for each output channel [out]."""
    weights = numpy_helper.to_array(tensor)
    scales = np.abs(weights).max(axis=0).astype(np.float32) / _LARGEST
    scales[scales == 0] = 1
    rounded = np.rint(weights / scales).astype(np.int8)
    return [
        numpy_helper.from_array(rounded, f"{tensor.name}_I8"),
        numpy_helper.from_array(scales, f"{tensor.name}_scales"),
    ]


def _product(node: onnx.NodeProto, rounded: str, scale: str) -> Iterator[onnx.NodeProto]:
    weights, unscaled = node.input[1], f"{node.name}/unscaled"
    one, zero = f"{_PREFIX}/one", f"{_PREFIX}/zero"
    yield helper.make_node(
        "MatMulIntegerToFloat",
        [rounded, f"{weights}_I8", one, f"{weights}_scales", zero],
        [unscaled],
        f"{node.name}_I8",
        domain="com.microsoft",
    )
    yield helper.make_node("Mul", [unscaled, scale], node.output, f"{node.name}_scaled")

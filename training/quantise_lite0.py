"""The float32 network to int8: static quantisation on pictures like those it will see.

Weights are quantised per channel, activations per tensor, in the QDQ form that ONNX Runtime turns
into integer kernels. The mean over the map stays in float32: its 1280 numbers are the features.

    python -m training.quantise_lite0      # writes training/work/lite0.int8.onnx
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from training.export_lite0 import (
    FLOAT_MODEL,
    INPUT_SCALE,
    INPUT_ZERO,
    SIZE,
    WORK,
    session_open,
)
from training.pictures import calibration_pictures, check_pictures

INT8_MODEL = WORK / "lite0.int8.onnx"


class PictureReader(CalibrationDataReader):
    """Feeds the calibration one normalised picture at a time."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self._pictures: Iterator[NDArray[np.uint8]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        picture = next(self._pictures, None)
        if picture is None:
            return None
        planes = (picture.astype(np.float32) - INPUT_ZERO) * INPUT_SCALE
        return {"normalised": planes.transpose(2, 0, 1)[None]}


def front_remove(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network from its normalised planes on: the quantiser wants to see a float input."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    kept = [node for node in model.graph.node if node.name not in ("planes", "normalised")]
    constants = [c for c in model.graph.initializer if not c.name.startswith("input_")]
    del bare.graph.node[:], bare.graph.input[:], bare.graph.initializer[:]
    bare.graph.node.extend(kept)
    bare.graph.initializer.extend(constants)
    bare.graph.input.append(
        helper.make_tensor_value_info("normalised", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])
    )
    return bare


def front_restore(model: onnx.ModelProto) -> None:
    """Read uint8 pictures: the input's quantisation becomes the normalisation itself, exactly."""
    first = next(node for node in model.graph.node if node.input[:1] == ["normalised"])
    if first.op_type != "QuantizeLinear":
        raise ValueError(f"the quantised network begins with {first.op_type}")
    values = dict(zip(first.input[1:3], (INPUT_SCALE, INPUT_ZERO), strict=True))
    for constant in model.graph.initializer:
        if constant.name in values:
            constant.CopyFrom(
                numpy_helper.from_array(np.array(values[constant.name]), constant.name)
            )
    planes = helper.make_node(
        "Transpose", ["pictures"], [first.output[0]], name="planes", perm=[0, 3, 1, 2]
    )
    model.graph.node.remove(first)
    model.graph.node.insert(0, planes)
    del model.graph.input[:]
    model.graph.input.append(
        helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", SIZE, SIZE, 3])
    )


def quantise(
    source: Path,
    target: Path,
    pictures: NDArray[np.uint8],
    *,
    exclude: Sequence[str] = (),
    method: CalibrationMethod = CalibrationMethod.MinMax,
) -> None:
    bare = WORK / "lite0.bare.onnx"
    onnx.save(front_remove(onnx.load(source)), bare)
    quantize_static(
        str(bare),
        str(target),
        PictureReader(pictures),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Clip", "Add"],
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=list(exclude),
        calibrate_method=method,
    )
    model = onnx.load(target)
    front_restore(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)
    bare.unlink()


def features_of(path: Path, pictures: NDArray[np.uint8], *, batch: int = 12) -> NDArray[np.float32]:
    session = session_open(path)
    starts = range(0, len(pictures), batch)
    return np.concatenate(
        [session.run(["features"], {"pictures": pictures[i : i + batch]})[0] for i in starts]
    )


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1) / norms


def milliseconds_a_picture(path: Path, pictures: NDArray[np.uint8], *, batch: int) -> float:
    """Median CPU time of 20 runs on one thread."""
    session = session_open(path)
    feed = {"pictures": np.resize(pictures, (batch, *pictures.shape[1:]))}
    times = []
    for _ in range(23):
        start = time.process_time()
        session.run(["features"], feed)
        times.append(time.process_time() - start)
    return float(np.median(times[3:])) / batch * 1e3


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exclude", nargs="*", default=[], help="nodes that stay float32")
    parser.add_argument("--method", default="MinMax", choices=CalibrationMethod.__members__)
    parser.add_argument("--out", type=Path, default=INT8_MODEL)
    chosen = parser.parse_args(arguments)
    method = CalibrationMethod[chosen.method]
    quantise(FLOAT_MODEL, chosen.out, calibration_pictures(), exclude=chosen.exclude, method=method)
    pictures = check_pictures()
    float_features = features_of(FLOAT_MODEL, pictures)
    same = cosines(float_features, features_of(chosen.out, pictures))
    print(f"{chosen.out.name}: {chosen.out.stat().st_size / 1e6:.2f} MB, cosine to float32 of")
    print(f"{len(same)} other pictures: median {np.median(same):.4f}, worst {same.min():.4f}")
    for path in (FLOAT_MODEL, chosen.out):
        timings = [milliseconds_a_picture(path, pictures, batch=n) for n in (1, 12)]
        print(f"{path.name}: {timings[0]:.1f} ms a picture alone, {timings[1]:.1f} ms in a dozen")


if __name__ == "__main__":
    main()

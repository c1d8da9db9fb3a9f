"""A network outside torch: written as ONNX once, then run by ONNX Runtime or OpenVINO.

For CPUs on which torch has no short numbers that are fast. Files lie in the folder of the space
they were made from: `<side>.fp32.onnx` and `<side>.int8.onnx`, side being pictures or texts.
"""

import importlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from search.engine.encoders.running import Float, Way
from search.engine.errors import EncoderError

SIDES = ("pictures", "texts")
INT8_FROM = ("MatMul", "Gemm", "Conv")  # what is worth counting in 8 bits: where the time goes


def exported_file(folder: Path, side: str, precision: str) -> Path:
    """OpenVINO rounds to bf16 by itself, so that has no file of its own."""
    return folder / f"{side}.{'int8' if precision == 'int8' else 'fp32'}.onnx"


def export_write(tower: Any, example: NDArray[Any], path: Path) -> None:
    """A torch module in eval mode, on the CPU in fp32, as ONNX; rows may be any number.

    Raises EncoderError("export_failed"): not every network can be written down.
    """
    torch = importlib.import_module("torch")
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        try:
            torch.onnx.export(
                tower, (torch.from_numpy(example),), str(made), dynamo=True, verbose=False,
                input_names=["rows"], output_names=["found"], optimize=True,
                dynamic_shapes=({0: torch.export.Dim("n", min=1, max=4096)},),
                external_data=False,
            )  # fmt: skip
        except ImportError as error:
            raise EncoderError(
                "encoder_not_installed", "Exporting needs onnx and onnxscript.",
                command="pip install onnx onnxscript",
            ) from error  # fmt: skip
        except Exception as error:
            detail = " ".join(str(error).split())[:200]
            raise EncoderError(
                "export_failed", f"This network cannot be exported: {detail}", detail=detail
            ) from error
        made.replace(path)


def export_quantise(source: Path, target: Path, rows: Sequence[NDArray[Any]]) -> None:
    """Weights and activations in 8 bits, their ranges taken from `rows`, batches of real input."""
    quantization = importlib.import_module("onnxruntime.quantization")
    prepare = importlib.import_module("onnxruntime.quantization.shape_inference")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.left = iter(rows)

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self.left, None)
            return None if batch is None else {"rows": batch}

    with TemporaryDirectory(dir=target.parent) as folder:
        plain, made = Path(folder) / "plain.onnx", Path(folder) / target.name
        prepare.quant_pre_process(str(source), str(plain), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(plain), str(made), Reader(),
            quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            op_types_to_quantize=list(INT8_FROM),
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )  # fmt: skip
        made.replace(target)


class OnnxRunning:
    """Both sides in ONNX Runtime, a session for each number of threads that is asked with."""

    def __init__(self, folder: Path, way: Way) -> None:
        self.way = way
        self._files = _files(folder, way)
        self._sessions: dict[tuple[str, int], onnxruntime.InferenceSession] = {}

    def pictures(self, batch: NDArray[np.uint8], *, threads: int) -> Float:
        return self._run("pictures", batch, threads)

    def texts(self, tokens: NDArray[np.int64], *, threads: int) -> Float:
        return self._run("texts", tokens, threads)

    def _run(self, side: str, rows: NDArray[Any], threads: int) -> Float:
        # Two threads that both find none make two and keep one: no answer waits for a lock.
        session = self._sessions.get((side, threads)) or self._open(side, threads)
        found: Float = session.run(None, {"rows": rows})[0]
        return found

    def _open(self, side: str, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(
            str(self._files[side]), options, providers=["CPUExecutionProvider"]
        )
        return self._sessions.setdefault((side, threads), session)


class OpenVinoRunning:
    """Both sides in OpenVINO, which must be installed by itself."""

    def __init__(self, folder: Path, way: Way) -> None:
        self.way = way
        self._files = _files(folder, way)
        self._compiled: dict[tuple[str, int], Any] = {}
        try:
            self._openvino = importlib.import_module("openvino")
        except ImportError as error:
            raise EncoderError(
                "encoder_not_installed", "The runtime openvino is not installed.",
                command="pip install openvino",
            ) from error  # fmt: skip

    def pictures(self, batch: NDArray[np.uint8], *, threads: int) -> Float:
        return self._run("pictures", batch, threads)

    def texts(self, tokens: NDArray[np.int64], *, threads: int) -> Float:
        return self._run("texts", tokens, threads)

    def _run(self, side: str, rows: NDArray[Any], threads: int) -> Float:
        compiled = self._compiled.get((side, threads)) or self._open(side, threads)
        # A request of its own: one request answers one thread at a time.
        found = compiled.create_infer_request().infer([rows])[0]
        return np.array(found, np.float32)

    def _open(self, side: str, threads: int) -> Any:
        compiled = self._openvino.Core().compile_model(
            str(self._files[side]), "CPU",
            {
                "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "bf16" if self.way.precision == "bf16" else "f32",
            },
        )  # fmt: skip
        return self._compiled.setdefault((side, threads), compiled)


def exported_running(folder: Path, way: Way) -> OnnxRunning | OpenVinoRunning:
    """Raises EncoderError: export_missing, encoder_not_installed."""
    return (OnnxRunning if way.runtime == "onnx" else OpenVinoRunning)(folder, way)


def exported_ways(folder: Path) -> list[Way]:
    """What can be run from the files that are there and the runtimes that are installed."""
    runtimes = ["onnx"]
    if find_spec("openvino") is not None:
        runtimes.append("openvino")
    precisions = {"onnx": ("fp32", "int8"), "openvino": ("fp32", "bf16", "int8")}
    return [
        Way(runtime, precision)
        for runtime in runtimes
        for precision in precisions[runtime]
        if exported_file(folder, "pictures", precision).is_file()
    ]


def _files(folder: Path, way: Way) -> dict[str, Path]:
    files = {side: exported_file(folder, side, way.precision) for side in SIDES}
    if not files["pictures"].is_file():
        raise EncoderError(
            "export_missing",
            f"{files['pictures']} is missing: manage.py engine_fetch NAME --measure makes it.",
            runtime=way.runtime,
        )
    return files

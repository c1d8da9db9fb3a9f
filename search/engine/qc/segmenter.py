"""Another network to find the piece with: any ONNX of the U2-Net kind, from a path of one's own.

One input (1, 3, h, w) of normalised RGB, first output (1, 1, h, w), chances or log odds of the
piece: U2-Net, IS-Net, BiRefNet and their kin as they are commonly exported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from search.engine.errors import InspectionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from search.engine.render.types import Bytes, Floats

Segmenter: TypeAlias = "Callable[[Bytes], Bytes | None]"
"""(h, w, 3) sRGB -> (h, w) uint8, 255 on the piece; None when it sees none"""

# Of ImageNet, which most were trained with.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ANY_SIDE = 320  # of networks that take every size: U2-Net's own
LEAST_SHARE = 0.0005  # of the picture: less is no piece


class OnnxSegmenter:
    """A network's file, loaded once; calling it finds the piece. Threads may share one."""

    def __init__(
        self,
        path: str | Path,
        *,
        mean: tuple[float, float, float] = MEAN,
        deviation: tuple[float, float, float] = DEVIATION,
        threads: int = 1,
    ) -> None:
        """Raises InspectionError bad_segmenter where the file is no such network."""
        import onnxruntime

        self._mean = np.array(mean, np.float32)
        self._deviation = np.array(deviation, np.float32)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            inputs = self._session.get_inputs()
            (_, channels, height, width) = inputs[0].shape
        except Exception as error:  # onnxruntime's own kinds, and shapes of another length
            raise InspectionError(
                "bad_segmenter", f"{path} is no segmentation network of one picture."
            ) from error
        if len(inputs) != 1 or channels != 3:
            raise InspectionError("bad_segmenter", f"{path} does not take one RGB picture.")
        self._input = inputs[0].name
        self._output = self._session.get_outputs()[0].name
        self._size = (
            width if isinstance(width, int) else ANY_SIDE,
            height if isinstance(height, int) else ANY_SIDE,
        )

    def __call__(self, picture: Bytes) -> Bytes | None:
        small = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        given = (small.astype(np.float32) / 255 - self._mean) / self._deviation
        given = np.ascontiguousarray(given.transpose(2, 0, 1)[None], np.float32)
        (found,) = self._session.run([self._output], {self._input: given})
        chances = _chances(np.asarray(found, np.float32))
        grown = cv2.resize(chances, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        mask = np.where(grown > 0.5, 255, 0).astype(np.uint8)
        return mask if np.count_nonzero(mask) > LEAST_SHARE * mask.size else None


def _chances(found: NDArray[np.float32]) -> Floats:
    """(h, w) 0..1 of an output (1, 1, h, w): log odds are told by what lies beyond 0..1."""
    if found.ndim != 4 or found.shape[:2] != (1, 1):
        raise InspectionError(
            "bad_segmenter", f"The segmentation network answers {found.shape}, not (1, 1, h, w)."
        )
    plane = found[0, 0]
    if plane.min() < -1e-3 or plane.max() > 1 + 1e-3:
        plane = 0.5 * (1 + np.tanh(plane / 2))
    return np.ascontiguousarray(plane, np.float32)

"""The encoder that ships with the product: EfficientNet-Lite0 in int8 and a linear projection.

The network reads pictures as they are (its first node normalises them) and answers with the last
convolution's map averaged over its 7 x 7 cells; the projection turns that mean into an embedding.
How the files were made: training/README.md. What they can do: models/README.md.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from search.engine.encoders.base import PICTURE_SIZE
from search.engine.encoders.space import Space, weights_sha
from search.engine.errors import EncoderError

NETWORK = "lite0.int8.onnx"
PROJECTION = "lite0.projection.npy"
MANIFEST = "manifest.json"

Float = NDArray[np.float32]


class MiniEncoder:
    """Loads at the first picture, once, whichever thread comes first.

    `threads` are those of one call; `batch` pictures go through the network together. Raises
    EncoderError: manifest_unreadable at once; weights_missing or weights_changed when it loads.
    """

    def __init__(self, folder: Path, *, threads: int = 1, batch: int = 12) -> None:
        self._folder = folder
        self._threads = threads
        self._batch = batch
        self._checksums, self.space = _manifest_read(folder / MANIFEST)
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> Float:
        """(n, 224, 224, 3) uint8 RGB on a white ground -> (n, d) float32, L2-normalised."""
        (features,) = self._run(pictures, ["features"])
        return _normalise(self.features_project(features))

    def maps_embed(self, pictures: NDArray[np.uint8]) -> tuple[Float, Float]:
        """The embeddings (n, d) and the maps (n, 7, 7, 1280) they are the mean of.

        features_project(map) has the embedding before normalisation as its mean over the cells:
        an embedding's similarity divides exactly into what each cell adds to it.
        """
        features, maps = self._run(pictures, ["features", "map"])
        return _normalise(self.features_project(features)), np.moveaxis(maps, 1, -1)

    def features_project(self, features: Float) -> Float:
        """(..., 1280) -> (..., d): the embedding before normalisation, affine in its argument."""
        projection = self._load().projection
        return features @ projection[:, :-1].T + projection[:, -1]

    def _run(self, pictures: NDArray[np.uint8], outputs: list[str]) -> list[Float]:
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (PICTURE_SIZE, PICTURE_SIZE, 3):
            raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}")
        session = self._load().session
        # An empty stack still runs once, so that the shapes of the answer are the network's own.
        starts = range(0, max(len(pictures), 1), self._batch)
        parts = [
            session.run(outputs, {"pictures": pictures[start : start + self._batch]})
            for start in starts
        ]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _load(self) -> "_Loaded":
        with self._lock:
            if self._loaded is None:
                network = self._file_read(NETWORK)
                self._file_read(PROJECTION)
                projection = np.load(self._folder / PROJECTION, allow_pickle=False)
                self._loaded = _Loaded(
                    session=_session_open(network, threads=self._threads),
                    projection=np.ascontiguousarray(projection, np.float32),
                )
            return self._loaded

    def _file_read(self, name: str) -> bytes:
        try:
            data = (self._folder / name).read_bytes()
        except OSError as error:
            raise EncoderError(
                "weights_missing", f"The weights file {name} cannot be read.", file=name
            ) from error
        if hashlib.sha256(data).hexdigest() != self._checksums[name]:
            raise EncoderError(
                "weights_changed",
                f"The weights file {name} is not the one that {MANIFEST} describes.",
                file=name,
            )
        return data


@dataclass(frozen=True)
class _Loaded:
    session: onnxruntime.InferenceSession
    projection: Float  # (d, 1281), the last column is the offset


def _manifest_read(path: Path) -> tuple[dict[str, str], Space]:
    """The checksums of the encoder's files, and the space they make."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))["mini"]
        checksums = {name: str(entry["files"][name]["sha256"]) for name in (NETWORK, PROJECTION)}
        space = Space(
            encoder="mini",
            weights_sha=weights_sha(checksums),
            preprocessing=str(entry["preprocessing"]),
            d=int(entry["d"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            "manifest_unreadable", f"{path.name} of the mini encoder cannot be read: {error!r}."
        ) from error
    return checksums, space


def _session_open(network: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    """The fastest session whose answers are those of exact 8-bit products.

    Without VNNI, x86 kernels let sums of 8-bit products saturate, and the same picture would get
    another embedding there; asking for exact ones costs 2.3 times the time where it is not needed.
    So both are opened, asked once, and the fast one is kept where they agree.
    """
    fast, exact = (_session_make(network, threads=threads, exact=exact) for exact in (False, True))
    probe = np.random.default_rng(0).integers(0, 256, (2, PICTURE_SIZE, PICTURE_SIZE, 3), np.uint8)
    probe[1] = probe[1] // 128 * 255  # black and white: the largest sums there are
    quick, true = (s.run(["features"], {"pictures": probe})[0] for s in (fast, exact))
    return fast if np.allclose(quick, true, rtol=1e-3, atol=1e-4) else exact


def _session_make(network: bytes, *, threads: int, exact: bool) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Spinning threads would take the cores from the web and worker processes beside us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.x64quantprecision", "1" if exact else "0")
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


def _normalise(vectors: Float) -> Float:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Float = vectors / np.maximum(norms, np.float32(1e-12))
    return units

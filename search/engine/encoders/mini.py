"""The encoder that ships with the product: EfficientNet-Lite0 in int8, and what stands on it.

The network reads pictures as they are (its first node normalises them) and answers with the last
convolution's map averaged over its 7 x 7 cells. A linear projection of that mean is the embedding
of a picture among pictures; a head of it, the embedding among words, which a student of hashed
letters gives to texts. How the files were made: training/README.md. What they can do:
models/README.md.
"""

import hashlib
import io
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from search.engine.calibration import Logistic
from search.engine.encoders.base import PICTURE_SIZE
from search.engine.encoders.layers import unit
from search.engine.encoders.picture_head import PictureHead
from search.engine.encoders.space import Space, weights_sha
from search.engine.encoders.text_student import TextStudent
from search.engine.errors import EncoderError

NETWORK = "lite0.int8.onnx"
PROJECTION = "lite0.projection.npy"
PICTURE_HEAD = "words.pictures.npz"
TEXT_STUDENT = "words.texts.npz"
MANIFEST = "manifest.json"

Float = NDArray[np.float32]


class MiniEncoder:
    """Loads at the first picture, once, whichever thread comes first.

    `threads` are those of one call; `batch` pictures go through the network together. The text
    side loads on its own, so that a query of words never waits for the network. Raises
    EncoderError: manifest_unreadable at once; weights_missing or weights_changed when it loads.
    """

    picture_size = PICTURE_SIZE

    def __init__(self, folder: Path, *, threads: int = 1, batch: int = 12) -> None:
        self._folder = folder
        self._threads = threads
        self._batch = batch
        manifest = _manifest_read(folder / MANIFEST)
        self._checksums = manifest.checksums
        self.space, self.words_space = manifest.space, manifest.words_space
        self.calibration = manifest.calibration
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._student: TextStudent | None = None

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> Float:
        """(n, 224, 224, 3) uint8 RGB on a white ground -> (n, d) float32, L2-normalised."""
        (features,) = self._run(pictures, ["features"])
        return unit(self.features_project(features))

    def pictures_embed_both(self, pictures: NDArray[np.uint8]) -> tuple[Float, Float]:
        """As pictures_embed, and the same pictures in the words' space (n, dw)."""
        (features,) = self._run(pictures, ["features"])
        return unit(self.features_project(features)), self.features_words(features)

    def texts_embed(self, texts: Sequence[str]) -> Float:
        """Texts in any script -> (n, dw) float32, L2-normalised, in the words' space."""
        return self._load_student().embed(texts)

    def maps_embed(self, pictures: NDArray[np.uint8]) -> tuple[Float, Float]:
        """The embeddings (n, d) and the maps (n, 7, 7, 1280) they are the mean of.

        features_project(map) has the embedding before normalisation as its mean over the cells:
        an embedding's similarity divides exactly into what each cell adds to it.
        """
        features, maps = self._run(pictures, ["features", "map"])
        return unit(self.features_project(features)), np.moveaxis(maps, 1, -1)

    def features_project(self, features: Float) -> Float:
        """(..., 1280) -> (..., d): the embedding before normalisation, affine in its argument."""
        projection = self._load().projection
        return features @ projection[:, :-1].T + projection[:, -1]

    def features_along(self, features: Float, target: Float) -> Float:
        """(..., 1280), (d,) -> (...): features_project(features) @ target, in one product."""
        projection = self._load().projection
        along: Float = features @ (target @ projection[:, :-1]) + target @ projection[:, -1]
        return along

    def features_words(self, features: Float) -> Float:
        """(..., 1280) -> (..., dw), L2-normalised: where the words for them are."""
        return self._load().head.embed(features)

    def words_slope(self, features: Float, target: Float) -> Float:
        """(n, 1280), (dw,) of length 1 -> (n, 1280): how the cosine of features_words and the
        target changes with the features."""
        return self._load().head.slope(features, target)

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
                projection = np.load(io.BytesIO(self._file_read(PROJECTION)), allow_pickle=False)
                self._loaded = _Loaded(
                    session=_session_open(network, threads=self._threads),
                    projection=np.ascontiguousarray(projection, np.float32),
                    head=PictureHead.from_arrays(self._arrays_read(PICTURE_HEAD)),
                )
            return self._loaded

    def _load_student(self) -> TextStudent:
        with self._lock:
            if self._student is None:
                self._student = TextStudent.from_arrays(self._arrays_read(TEXT_STUDENT))
            return self._student

    def _arrays_read(self, name: str) -> dict[str, NDArray[Any]]:
        with np.load(io.BytesIO(self._file_read(name)), allow_pickle=False) as file:
            return dict(file)

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
    head: PictureHead


@dataclass(frozen=True)
class _Manifest:
    checksums: dict[str, str]
    space: Space
    words_space: Space
    calibration: Mapping[str, Logistic]


def _manifest_read(path: Path) -> _Manifest:
    """The checksums of the encoder's files, the spaces they make, what similarities are worth."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))["mini"]
        checksums = {name: str(file["sha256"]) for name, file in entry["files"].items()}
        looks = {name: checksums[name] for name in (NETWORK, PROJECTION)}
        words = {name: checksums[name] for name in (NETWORK, PICTURE_HEAD, TEXT_STUDENT)}
        preprocessing = str(entry["preprocessing"])
        return _Manifest(
            checksums=checksums,
            space=Space("mini", weights_sha(looks), preprocessing, int(entry["d"])),
            words_space=Space(
                "mini_words", weights_sha(words), preprocessing, int(entry["words_d"])
            ),
            calibration={
                kind: Logistic.from_json(of) for kind, of in entry.get("calibration", {}).items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(
            "manifest_unreadable", f"{path.name} of the mini encoder cannot be read: {error!r}."
        ) from error


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

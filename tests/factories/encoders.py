"""Weights made by code: the mini engine's own network, under a text side that was taught nothing.

The same text always has the same vector, and different texts different ones; what a picture shows
has no bearing on where it stands among words.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from search.engine.encoders.layers import Linear
from search.engine.encoders.mini import NETWORK, PICTURE_HEAD, PROJECTION, TEXT_STUDENT
from search.engine.encoders.picture_head import PictureHead
from search.engine.encoders.text_student import TextStudent

MODELS = Path(__file__).resolve().parents[2] / "models"
D, FEATURES = 64, 1280


def words_checkpoint(folder: Path, *, seed: int = 0, calibration: dict | None = None) -> Path:
    """A folder that `MiniEncoder` reads; `calibration` as in its manifest."""
    rng = np.random.default_rng(seed)

    def linear(o: int, i: int) -> Linear:
        weight = rng.standard_normal((o, i)).astype(np.float32) / np.sqrt(i)
        return Linear(weight, np.zeros(o, np.float32))

    head = PictureHead(
        linear=linear(D, FEATURES), inner=linear(16, FEATURES), outer=linear(D, 16),
        classes=linear(8, FEATURES), seen=linear(D, 8),
    )  # fmt: skip
    student = TextStudent(
        table=rng.integers(-127, 128, (4096, 32), np.int8),
        scale=np.full(32, 1 / 127, np.float32),
        importance=np.zeros(4096, np.float32),
        inner=linear(16, 32), outer=linear(32, 16), last=linear(D, 32),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name in (NETWORK, PROJECTION):
        shutil.copy(MODELS / name, folder / name)
    np.savez(folder / PICTURE_HEAD, **head.arrays())
    np.savez(folder / TEXT_STUDENT, **student.arrays())
    files = {
        name: {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
        for name in (NETWORK, PROJECTION, PICTURE_HEAD, TEXT_STUDENT)
    }
    shipped = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))["mini"]
    entry = {"d": shipped["d"], "words_d": D, "preprocessing": "test", "files": files}
    manifest = {"mini": {**entry, "calibration": calibration or {}}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder

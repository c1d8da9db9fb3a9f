"""Weights made by code: the mini engine's own, with a text side that has forgotten what it knew.

The same text always has the same vector, and different texts different ones; what a picture shows
has no bearing on where a text stands.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from search.engine.encoders.mini import PROJECTION, TEXT_STUDENT

MODELS = Path(__file__).resolve().parents[2] / "models"


def words_checkpoint(
    folder: Path, *, seed: int = 0, calibration: dict | None = None, turned: bool = False
) -> Path:
    """A folder that `MiniEncoder` reads; `calibration` as in its manifest.

    Another seed is another words' space, and the same space of pictures; unless that is `turned`:
    then it is another one, too, in which similarities are what they were.
    """
    shutil.copytree(MODELS, folder, dirs_exist_ok=True)
    with np.load(folder / TEXT_STUDENT, allow_pickle=False) as file:
        arrays = dict(file)
    rng = np.random.default_rng(seed)
    arrays["codes"] = rng.integers(0, 256, arrays["codes"].shape, np.uint8)
    np.savez(folder / TEXT_STUDENT, **arrays)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    checksum = hashlib.sha256((folder / TEXT_STUDENT).read_bytes()).hexdigest()
    manifest["mini"]["files"][TEXT_STUDENT]["sha256"] = checksum
    if turned:
        projection = np.load(folder / PROJECTION)
        turn, _upper = np.linalg.qr(rng.standard_normal((len(projection), len(projection))))
        np.save(folder / PROJECTION, (turn @ projection).astype(np.float32))
        checksum = hashlib.sha256((folder / PROJECTION).read_bytes()).hexdigest()
        manifest["mini"]["files"][PROJECTION]["sha256"] = checksum
    manifest["mini"]["calibration"] = calibration or {}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder

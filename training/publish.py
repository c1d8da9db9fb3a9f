"""Copies what training made into models/ and describes it in models/manifest.json.

Only the section of the mini encoder is rewritten, and of it what was measured with the weights
(calibration, classify) is kept until training.calibrate measures it again.

    python -m training.publish
    python -m training.publish --fold validation --models DIR    # to judge what was kept out
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.engine.encoders.mini import MANIFEST, NETWORK, PICTURE_HEAD, PROJECTION, TEXT_STUDENT
from training.places import MODELS
from training.projection import PROJECTION_FILE
from training.quantise_lite0 import INT8_MODEL
from training.words import FOLDS, folder_of

PREPROCESSING = "224x224 uint8 RGB on white, normalised inside the network"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="another folder, to try it")
    parser.add_argument("--fold", choices=FOLDS, default="everything")
    chosen = parser.parse_args(arguments)
    folder, words = chosen.models, folder_of(chosen.fold)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for source, name in (
        (INT8_MODEL, NETWORK),
        (PROJECTION_FILE, PROJECTION),
        (words / PICTURE_HEAD, PICTURE_HEAD),
        (words / TEXT_STUDENT, TEXT_STUDENT),
    ):
        shutil.copyfile(source, folder / name)
        data = source.read_bytes()
        files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest_path = folder / MANIFEST
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    with np.load(words / TEXT_STUDENT, allow_pickle=False) as student:
        words_d = len(student["last.scale"])
    manifest["mini"] = manifest.get("mini", {}) | {
        "d": len(np.load(PROJECTION_FILE, allow_pickle=False)),
        "words_d": words_d,
        "preprocessing": PREPROCESSING,
        "files": files,
    }
    manifest_path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    for name, file in files.items():
        print(f"{name}: {file['bytes'] / 1e6:.2f} MB, {file['sha256'][:12]}")


if __name__ == "__main__":
    main()

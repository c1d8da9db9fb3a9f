"""Copies what training made into models/ and describes it in models/manifest.json.

Only the section of the mini encoder is rewritten; other encoders keep theirs.

    python -m training.publish
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.engine.encoders.mini import MANIFEST, NETWORK, PROJECTION
from training.projection import PROJECTION_FILE
from training.quantise_lite0 import INT8_MODEL

MODELS = Path(__file__).parents[1] / "models"
PREPROCESSING = "224x224 uint8 RGB on white, normalised inside the network"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, help="another folder, to try it")
    folder = parser.parse_args(arguments).models
    folder.mkdir(exist_ok=True)
    files = {}
    for source, name in ((INT8_MODEL, NETWORK), (PROJECTION_FILE, PROJECTION)):
        shutil.copyfile(source, folder / name)
        data = source.read_bytes()
        files[name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    manifest_path = folder / MANIFEST
    manifest = json.loads(manifest_path.read_text()) if manifest_path.exists() else {}
    dimension = len(np.load(PROJECTION_FILE, allow_pickle=False))
    manifest["mini"] = {"d": dimension, "preprocessing": PREPROCESSING, "files": files}
    manifest_path.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    for name, file in files.items():
        print(f"{name}: {file['bytes'] / 1e6:.2f} MB, {file['sha256'][:12]}")


if __name__ == "__main__":
    main()

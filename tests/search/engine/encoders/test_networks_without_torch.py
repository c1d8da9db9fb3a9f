"""Without the extra `clip`, large engines are named, described, and refused in a sentence.

Torch is hidden by an import hook in a process of its own, so this runs the same where it is there.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
CONFIG = {
    "model_cfg": {"embed_dim": 512, "vision_cfg": {"image_size": 256}, "text_cfg": {}},
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "resize_mode": "squash"},
}
SCRIPT = """
import importlib.abc, sys
from pathlib import Path

class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "open_clip", "transformers"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
import numpy as np
from search.engine.encoders.choose import encoder_make
from search.engine.encoders.openclip_files import Source
from search.engine.errors import EncoderError

here = Path(sys.argv[1])

def tell(call):
    try:
        print(call())
    except EncoderError as error:
        print(error.code, "|", error)

def clip(**more):
    source = Source("clip", here / "f", here / "n", **more)
    return encoder_make("openclip", source=source, folder=here)

def resnet(checkpoint):
    return encoder_make("resnet50", name="r", fetched=here, notes=here / "n", folder=here,
                        checkpoint=checkpoint)

"""


def told(folder: Path, *lines: str) -> list[str]:
    script = SCRIPT + "\n".join(f"tell(lambda: {line})" for line in lines)
    run = subprocess.run(
        [sys.executable, "-c", script, folder],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fetched folder; its weights are only hashed here."""
    (tmp_path / "open_clip_config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"weights")
    return tmp_path


def test_the_space_of_a_folder_needs_no_torch(folder) -> None:
    key, size, preprocessing = told(
        folder,
        "clip(checkpoint=here).space.key",
        "clip(checkpoint=here).picture_size",
        "clip(checkpoint=here).space.preprocessing",
    )
    assert key.startswith("openclip-")
    assert key.endswith("-512")
    assert size == "256"
    assert preprocessing.startswith("256 squash bicubic mean 0.5,0.5,0.5")
    (folder / "open_clip_model.safetensors").write_bytes(b"others!")
    assert told(folder, "clip(checkpoint=here).space.key") != [key]


def test_what_needs_torch_says_what_to_install(folder) -> None:
    (folder / "resnet.pth").write_bytes(b"weights")
    answers = told(
        folder,
        'clip(checkpoint=here).texts_embed(["ring"])',
        "clip(checkpoint=here).pictures_embed(np.zeros((1, 256, 256, 3), np.uint8))",
        'clip(model_name="ViT-B-32", pretrained="openai")',
        'resnet(here / "resnet.pth").pictures_embed(np.zeros((1, 224, 224, 3), np.uint8))',
    )
    for answer in answers:
        assert answer.startswith("encoder_not_installed | ")
        assert "pip install -e '.[clip]'" in answer


def test_resnet_is_described_without_torch(folder) -> None:
    (folder / "resnet.pth").write_bytes(b"weights")
    key, missing = told(folder, 'resnet(here / "resnet.pth").space.key', "resnet(None)")
    assert key.startswith("resnet50-")
    assert key.endswith("-2048")
    assert missing.startswith("weights_not_found | ")
    assert "manage.py engine_fetch r" in missing

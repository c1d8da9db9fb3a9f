"""Weights are data that anybody may have made: whatever they hold is refused in a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.encoders.openclip_files import Source
from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.running import Wanted, probe_pictures
from search.engine.errors import EncoderError
from tests.factories.networks import (
    SMALL,
    clip_folder,
    openai_archive,
    siglip_folder,
    weights_save,
    xlm_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"


def encoder_of(folder: Path, tmp_path: Path, **more: str) -> OpenClipEncoder:
    source = Source("clip", tmp_path / "f", tmp_path / "n", checkpoint=folder, **more)
    wanted = Wanted("cpu", "fp32", "torch")
    return OpenClipEncoder(source, folder=tmp_path / "s", wanted=wanted)


def detail_of(call: Any) -> str:
    """Of the refusal; anything else than one fails the test."""
    with pytest.raises(EncoderError) as caught:
        call()
    assert caught.value.code == "weights_wrong"
    return str(caught.value.params["detail"])


def config_change(folder: Path, **changes: Any) -> Path:
    """The folder, other keys in its model_cfg."""
    file = folder / CONFIG
    held = json.loads(file.read_text(encoding="utf-8"))
    held["model_cfg"] |= changes
    file.write_text(json.dumps(held), encoding="utf-8")
    return folder


@pytest.mark.parametrize("std", [[0, 0, 0], [0.2, 0.2, -1], float("nan"), [1, float("inf"), 1]])
def test_a_deviation_that_divides_by_nothing(std) -> None:
    assert "deviation" in detail_of(lambda: Preprocessing.read({"std": std}, size=224))


@pytest.mark.parametrize("size", [0, -3, 10**9, float("inf"), "x"])
def test_pictures_of_no_size(size) -> None:
    detail_of(lambda: Preprocessing.read({}, size=size))


@pytest.mark.parametrize(
    "model_cfg",
    [
        {**SMALL, "text_cfg": None}, {**SMALL, "text_cfg": [1]}, {**SMALL, "vision_cfg": []},
        {**SMALL, "embed_dim": -3}, {**SMALL, "embed_dim": 1e300}, {**SMALL, "embed_dim": "x"},
        {**SMALL, "vision_cfg": {"image_size": 10**9}},
    ],
)  # fmt: skip
def test_a_configuration_that_describes_no_network(model_cfg, tmp_path) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    (tmp_path / CONFIG).write_text(json.dumps({"model_cfg": model_cfg}), encoding="utf-8")
    detail_of(lambda: encoder_of(tmp_path, tmp_path))
    said = {"model_cfg": SMALL, "preprocess_cfg": ["mean"]}
    (tmp_path / CONFIG).write_text(json.dumps(said), encoding="utf-8")
    assert "preprocess_cfg" in detail_of(lambda: encoder_of(tmp_path, tmp_path))


@pytest.mark.clip
@pytest.mark.parametrize("key", ["visual.proj", "text_projection"])
def test_weights_that_hold_no_numbers(key, tmp_path) -> None:
    from safetensors.torch import load_file

    folder = clip_folder(tmp_path / "nan")
    state = load_file(folder / WEIGHTS)
    state[key] = state[key].fill_(float("nan"))
    weights_save(state, folder / WEIGHTS)
    encoder = encoder_of(folder, tmp_path)
    asked = {
        "visual.proj": lambda: encoder.pictures_embed(probe_pictures(64)),
        "text_projection": lambda: encoder.texts_embed(["ring"]),
    }
    assert "not finite" in detail_of(asked.pop(key))
    assert np.isfinite(asked.popitem()[1]()).all()


@pytest.mark.clip
def test_an_archive_of_another_network(tmp_path) -> None:
    """OpenAI's archives say themselves what network they hold: it is to be the one named."""
    import open_clip

    network = {**SMALL, "embed_dim": 48}
    network["vision_cfg"] = {"image_size": 224, "layers": 1, "width": 64, "patch_size": 32}
    made = open_clip.CLIP(**network).eval()
    archive = openai_archive(made, tmp_path / "ViT-B-32.pt")
    encoder = encoder_of(archive, tmp_path, model_name="ViT-B-32", pretrained="openai")
    assert "48 numbers, not with 512" in detail_of(
        lambda: encoder.pictures_embed(probe_pictures(224, 1))
    )
    assert "48" in detail_of(lambda: encoder.texts_embed(["ring"]))


@pytest.mark.clip
@pytest.mark.parametrize("name", ["tokenizer_config.json", "config.json"])
def test_code_that_comes_with_weights_is_not_run(name, tmp_path) -> None:
    folder = xlm_folder(tmp_path / "xlm")
    text = folder / "text"
    (text / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    held = json.loads((text / name).read_text(encoding="utf-8"))
    held |= {
        "auto_map": {"AutoTokenizer": ["own.Own", None], "AutoConfig": "own.Own"},
        "tokenizer_class": "Own", "model_type": "own",
    }  # fmt: skip
    (text / name).write_text(json.dumps(held), encoding="utf-8")
    # As far as the folder can ask for it.
    model = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
    asked = {**model["text_cfg"], "tokenizer_kwargs": {"trust_remote_code": True}}
    config_change(folder, text_cfg=asked)
    assert "code of its own" in detail_of(
        lambda: encoder_of(folder, tmp_path).texts_embed(["ring"])
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.clip
def test_a_tokenizer_that_cannot_be_read(tmp_path) -> None:
    folder = xlm_folder(tmp_path / "xlm")
    for text in ("{", "[]", '{"model": {"type": "BPE"}}', ""):
        (folder / "text" / "tokenizer.json").write_text(text, encoding="utf-8")
        detail_of(lambda: encoder_of(folder, tmp_path).texts_embed(["ring"]))


@pytest.mark.clip
@pytest.mark.parametrize("name", ["hf-hub:somebody/vit", "local-dir:/tmp/vit", "no_such_vit"])
def test_a_tower_from_elsewhere(name, tmp_path) -> None:
    folder = siglip_folder(tmp_path / "siglip")
    config_change(folder, vision_cfg={"image_size": 160, "timm_model_name": name})
    detail_of(lambda: encoder_of(folder, tmp_path).pictures_embed(probe_pictures(160, 1)))

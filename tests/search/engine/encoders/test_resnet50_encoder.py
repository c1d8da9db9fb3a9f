"""ResNet50 answers as torchvision does, and its maps add up to its embeddings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from search.engine.encoders import resnet50
from search.engine.encoders.resnet50 import ResNet50Encoder
from search.engine.encoders.running import Wanted, probe_pictures
from search.engine.errors import EncoderError
from tests.factories.networks import resnet_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clip

EXACT = Wanted("cpu", "fp32", "torch")


def encoder_of(tmp_path: Path, **options: Any) -> ResNet50Encoder:
    places = {"fetched": tmp_path / "fetched", "notes": tmp_path / "n", "folder": tmp_path / "s"}
    return ResNet50Encoder("resnet50", **{**places, "wanted": EXACT, **options})


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return resnet_file(tmp_path_factory.mktemp("resnet") / "weights.pth")


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    noise = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), np.uint8)
    return np.concatenate([probe_pictures(224, 3), noise])


def test_pictures_are_as_torchvision_sees_them(weights, pictures, tmp_path) -> None:
    import torch
    from torchvision.models import ResNet50_Weights
    from torchvision.models import resnet50 as plain

    network = plain(weights=None)
    network.load_state_dict(torch.load(weights, weights_only=True))
    seen = []
    network.avgpool.register_forward_hook(lambda _m, _i, out: seen.append(out.flatten(1)))
    # torchvision's own preprocessing, told that the picture has its size already.
    prepare = ResNet50_Weights.IMAGENET1K_V1.transforms(resize_size=224)
    batch = torch.from_numpy(np.moveaxis(pictures, -1, 1).copy())
    with torch.inference_mode():
        network.eval()(prepare(batch))
    expected = seen[0].numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    encoder = encoder_of(tmp_path, checkpoint=weights, batch=2)
    found = encoder.pictures_embed(pictures)
    assert found.shape == (5, 2048)
    assert found.dtype == np.float32
    assert np.sum(found * expected, axis=1).min() >= 0.9999


def test_what_each_cell_adds_is_exact(weights, pictures, tmp_path) -> None:
    encoder = encoder_of(tmp_path, checkpoint=weights)
    embeddings, maps = encoder.maps_embed(pictures)
    assert maps.shape == (5, 7, 7, 2048)
    assert np.allclose(embeddings, encoder.pictures_embed(pictures), atol=1e-5)
    features = maps.mean(axis=(1, 2))
    lengths = np.linalg.norm(features, axis=1)
    cells = maps / (49 * lengths[:, None, None, None])
    heat = np.einsum("nyxc,c->nyx", cells, embeddings[0])
    assert np.allclose(heat.sum(axis=(1, 2)), embeddings @ embeddings[0], atol=1e-4)


def test_it_knows_no_words(weights, tmp_path) -> None:
    encoder = encoder_of(tmp_path, checkpoint=weights)
    assert not hasattr(encoder, "words_space")
    assert encoder.space.d == 2048
    assert encoder.picture_size == 224


def test_torchs_own_cache_is_looked_at(weights, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(EncoderError) as caught:
        encoder_of(tmp_path)
    assert caught.value.code == "weights_not_found"
    for said in ("manage.py engine_fetch resnet50", str(tmp_path / "torch"), "fetched"):
        assert said in str(caught.value)
    data = weights.read_bytes()
    name = f"resnet50-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    monkeypatch.setitem(resnet50.FILES, "IMAGENET1K_V1", name)
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / name).write_bytes(data)
    assert encoder_of(tmp_path).space == encoder_of(tmp_path, checkpoint=weights).space
    (cache / name).write_bytes(data[:-1])
    with pytest.raises(EncoderError) as caught:
        encoder_of(tmp_path)
    assert caught.value.code == "weights_changed"


def test_other_weights_are_another_space(weights, tmp_path) -> None:
    other = resnet_file(tmp_path / "other.safetensors", seed=1)
    spaces = {encoder_of(tmp_path, checkpoint=path).space.key for path in (weights, other)}
    assert len(spaces) == 2
    encoder_of(tmp_path, checkpoint=other).pictures_embed(probe_pictures(224, 1))


def test_weights_of_another_network(tmp_path) -> None:
    import torch

    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "bad.pth")
    with pytest.raises(EncoderError) as caught:
        encoder_of(tmp_path, checkpoint=tmp_path / "bad.pth").pictures_embed(probe_pictures(224))
    assert caught.value.code == "weights_wrong"


def test_a_name_torchvision_does_not_know(tmp_path) -> None:
    with pytest.raises(EncoderError) as caught:
        encoder_of(tmp_path, pretrained="IMAGENET22K")
    assert caught.value.code == "pretrained_unknown"
    assert "IMAGENET1K_V2" in caught.value.params["known"]

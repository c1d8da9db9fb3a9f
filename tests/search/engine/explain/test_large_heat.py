"""The large encoders through the same small interface: who gets which explainer, and that it runs.

Untrained checkpoints: that ResNet50's cells add up is exact; of LeGrad and Grad-CAM only the path.
"""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.encoders.openclip_files import Source
from search.engine.encoders.resnet50 import ResNet50Encoder
from search.engine.encoders.running import Wanted
from search.engine.explain.choose import explainer_make
from search.engine.explain.picture import picture_heat
from tests.factories.networks import SMALL, clip_folder, resnet_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clip

EXACT = Wanted("cpu", "fp32", "torch")
# As RN50x64 is built: its picture is pooled by attention.
POOLED = SMALL | {
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "head_width": 128}
}


def clip_encoder(tmp_path: Path, network: dict) -> OpenClipEncoder:
    folder = clip_folder(tmp_path / "clip", network=network)
    source = Source("clip", tmp_path / "fetched", tmp_path / "notes", checkpoint=folder)
    return OpenClipEncoder(source, folder=tmp_path / "spaces", wanted=EXACT)


def pictures_of(size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)


@pytest.mark.parametrize(
    ("network", "method", "grid"), [(SMALL, "legrad", 4), (POOLED, "gradcam", 2)]
)
@pytest.mark.parametrize("words", [False, True])
def test_an_open_clip_network_is_explained(tmp_path, network, method, grid, words) -> None:
    encoder = clip_encoder(tmp_path, network)
    pictures = pictures_of(encoder.picture_size)
    explainer = explainer_make(encoder, words=words)
    assert explainer.method == method
    target = encoder.texts_embed(["ring"])[0] if words else encoder.pictures_embed(pictures)[1]
    heat = explainer.heat(pictures, target)
    assert heat.shape == (2, grid, grid)
    assert np.isfinite(heat).all() and (heat >= 0).all()
    mask = np.ones(pictures.shape[1:3], bool)
    cells, spread = picture_heat(explainer, pictures[0], mask, target)
    np.testing.assert_allclose(cells, heat[0], rtol=1e-3, atol=1e-7)
    assert spread.min() >= 0 and spread.max() <= 1


def test_a_network_that_was_explained_by_leaves_the_memory(tmp_path) -> None:
    encoder = clip_encoder(tmp_path, SMALL)
    pictures = pictures_of(encoder.picture_size)
    target = encoder.pictures_embed(pictures)[1]
    explainer = explainer_make(encoder)
    before = explainer.heat(pictures, target)
    with encoder.visual_use() as (visual, _):
        held = weakref.ref(visual)
    del visual
    assert encoder.unload()
    gc.collect()
    assert held() is None
    np.testing.assert_array_equal(explainer.heat(pictures, target), before)


def test_the_cosine_of_resnet50_divides_exactly(tmp_path) -> None:
    encoder = ResNet50Encoder(
        "resnet50", fetched=tmp_path, notes=tmp_path / "notes", folder=tmp_path / "spaces",
        checkpoint=resnet_file(tmp_path / "weights.pth"), wanted=EXACT,
    )  # fmt: skip
    pictures = pictures_of(224)
    explainer = explainer_make(encoder)
    assert explainer.method == "exact"
    embeddings = encoder.pictures_embed(pictures)
    heat = explainer.heat(pictures, embeddings[1])
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), embeddings @ embeddings[1], atol=1e-5)
    assert explainer.patches(pictures).shape == (2, 7, 7, 2048)

"""ViT-B/32 at its full size, by the name people write, against an implementation of its own.

The weights are random and saved once, named as OpenAI names them. What is compared: the package
`clip` (OpenAI's code), open_clip called plainly, and ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.encoders.openclip_files import Source
from search.engine.encoders.running import Wanted, probe_pictures
from tests.factories.networks import openai_archive, openai_clip

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clip

TEXTS = ["a silver ring with a diamond", "gear", "M8 hex bolt, 40 mm", "flange"]


@pytest.fixture(scope="module")
def openai_model() -> Any:
    import torch

    torch.manual_seed(0)
    return openai_clip().model.CLIP(512, 224, 12, 768, 32, 77, 49408, 512, 8, 12).float().eval()


@pytest.fixture(scope="module")
def checkpoint(openai_model, tmp_path_factory) -> Path:
    import torch

    path = tmp_path_factory.mktemp("openai") / "ViT-B-32.pt"
    torch.save(openai_model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    noise = np.random.default_rng(2).integers(0, 256, (1, 224, 224, 3), np.uint8)
    return np.concatenate([probe_pictures(224, 3), noise])


def encoder_of(checkpoint: Path, tmp_path: Path, *, precision: str = "fp32") -> OpenClipEncoder:
    source = Source(
        "clip", tmp_path / "f", tmp_path / "n",
        model_name="ViT-B-32", pretrained="openai", checkpoint=checkpoint,
    )  # fmt: skip
    wanted = Wanted("cpu", precision, "torch")
    return OpenClipEncoder(source, folder=tmp_path / "s", wanted=wanted)


def least(some: np.ndarray, others: Any) -> float:
    rows = others.float().numpy()
    return float(np.sum(some * rows / np.linalg.norm(rows, axis=1, keepdims=True), axis=1).min())


def test_as_openais_own_code(openai_model, checkpoint, pictures, tmp_path) -> None:
    import torch

    clip = openai_clip()
    encoder = encoder_of(checkpoint, tmp_path)
    prepare = clip.clip._transform(224)
    with torch.inference_mode():
        batch = torch.stack([prepare(Image.fromarray(picture)) for picture in pictures])
        seen = openai_model.encode_image(batch)
        read = openai_model.encode_text(clip.tokenize(TEXTS))
    looks, words = encoder.pictures_embed(pictures), encoder.texts_embed(TEXTS)
    assert least(looks, seen) >= 0.9999
    assert least(words, read) >= 0.9999
    # Words and pictures are in one space: their cosines are those of the other implementation.
    across = torch.nn.functional.normalize(seen) @ torch.nn.functional.normalize(read).T
    assert np.allclose(looks @ words.T, across.numpy(), atol=1e-4)


def test_as_open_clip_called_plainly(checkpoint, pictures, tmp_path) -> None:
    import open_clip
    import torch

    network, _train, prepare = open_clip.create_model_and_transforms(
        "ViT-B-32", pretrained=str(checkpoint), force_quick_gelu=True
    )
    encoder = encoder_of(checkpoint, tmp_path)
    with torch.inference_mode():
        batch = torch.stack([prepare(Image.fromarray(picture)) for picture in pictures])
        seen = network.eval().encode_image(batch)
        read = network.encode_text(open_clip.get_tokenizer("ViT-B-32")(TEXTS))
    assert least(encoder.pictures_embed(pictures), seen) >= 0.9999
    assert least(encoder.texts_embed(TEXTS), read) >= 0.9999


def test_short_numbers_stay_in_the_space(openai_model, checkpoint, pictures, tmp_path) -> None:
    exact = encoder_of(checkpoint, tmp_path)
    short = encoder_of(checkpoint, tmp_path, precision="bf16")
    assert short.space == exact.space
    for call, asked in (("pictures_embed", pictures), ("texts_embed", TEXTS)):
        rows = [getattr(encoder, call)(asked) for encoder in (exact, short)]
        assert np.sum(rows[0] * rows[1], axis=1).min() >= 0.995
    assert short.way() == "torch bf16"


def test_openais_archive_gives_the_same(openai_model, pictures, tmp_path) -> None:
    """OpenAI's own files hold a traced program; only their weights count."""
    import torch

    encoder = encoder_of(openai_archive(openai_model, tmp_path / "ViT-B-32.pt"), tmp_path)
    prepare = openai_clip().clip._transform(224)
    with torch.inference_mode():
        batch = torch.stack([prepare(Image.fromarray(p)) for p in pictures[:2]])
        assert (
            least(encoder.pictures_embed(pictures[:2]), openai_model.encode_image(batch)) > 0.9999
        )

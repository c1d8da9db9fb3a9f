"""An open_clip network answers as open_clip does, whatever file it comes from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.encoders.openclip_files import Source
from search.engine.encoders.running import Wanted, probe_pictures
from search.engine.errors import EncoderError
from tests.factories.networks import PREPARE, SMALL, clip_folder, weights_save

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clip

EXACT = Wanted("cpu", "fp32", "torch")
TEXTS = ["a silver ring", "銀色戒指", "gear with 24 teeth", "hex bolt M8 " * 60, ""]


def encoder_of(checkpoint: Path | None, tmp_path: Path, **options: Any) -> OpenClipEncoder:
    named = {key: options.pop(key) for key in ("model_name", "pretrained") if key in options}
    source = Source(
        "clip", tmp_path / "fetched", tmp_path / "notes", checkpoint=checkpoint, **named
    )
    options = {"wanted": EXACT, **options}
    return OpenClipEncoder(source, folder=tmp_path / "spaces", **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return clip_folder(tmp_path_factory.mktemp("clip") / "small")


@pytest.fixture(scope="module")
def plain(folder) -> Any:
    """open_clip by itself: the network and its own preprocessing of a PIL picture."""
    import open_clip

    network, _train, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    return network.eval(), prepare, open_clip.get_tokenizer(f"local-dir:{folder}")


def rows_equal(some: np.ndarray, others: np.ndarray, *, least: float = 0.9999) -> None:
    others = others / np.linalg.norm(others, axis=1, keepdims=True)
    assert some.shape == others.shape
    assert np.sum(some * others, axis=1).min() >= least


def test_pictures_are_as_open_clip_sees_them(folder, plain, tmp_path) -> None:
    import torch

    encoder = encoder_of(folder, tmp_path, batch=3)
    network, prepare, _tokenize = plain
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (4, 64, 64, 3), np.uint8)
    pictures = np.concatenate([probe_pictures(64), noise])
    found = encoder.pictures_embed(pictures)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    with torch.inference_mode():
        batch = torch.stack([prepare(Image.fromarray(picture)) for picture in pictures])
        rows_equal(found, network.encode_image(batch).numpy())
    both = encoder.pictures_embed_both(pictures[:2])
    assert np.allclose(both, found[:2], atol=1e-5)


def test_texts_are_as_open_clip_reads_them(folder, plain, tmp_path) -> None:
    import torch

    network, _prepare, tokenize = plain
    encoder = encoder_of(folder, tmp_path, batch=2)
    found = encoder.texts_embed(TEXTS)
    with torch.inference_mode():
        # Texts are read in simplified characters; all else as it is written.
        rows_equal(found, network.encode_text(tokenize([TEXTS[0], "银色戒指", *TEXTS[2:]])).numpy())
    assert np.allclose(found[1], encoder.texts_embed(["银色戒指"])[0], atol=1e-6)
    assert encoder.texts_embed([]).shape == (0, 32)


def test_the_space_tells_weights_preprocessing_and_size(folder, tmp_path) -> None:
    encoder = encoder_of(folder, tmp_path)
    assert encoder.space == encoder.words_space
    assert encoder.space.key.startswith("openclip-")
    assert encoder.space.d == 32
    assert encoder.picture_size == 64
    for said in ("64", "squash", "bilinear", "0.5,0.4,0.3", "0.2,0.3,0.4"):
        assert said in encoder.space.preprocessing
    others = {
        encoder_of(clip_folder(tmp_path / name, **made), tmp_path).space.key
        for name, made in {
            "weights": {"seed": 1},
            "activation": {"network": SMALL | {"quick_gelu": True}},
            "mean": {"prepare": PREPARE | {"mean": [0.5, 0.4, 0.31]}},
            "resize": {"prepare": PREPARE | {"resize_mode": "shortest"}},
        }.items()
    }
    assert len(others | {encoder.space.key}) == 5
    same = encoder_of(clip_folder(tmp_path / "again"), tmp_path)
    assert same.space == encoder.space


def test_the_same_weights_in_another_file_give_the_same(folder, tmp_path) -> None:
    pictures = probe_pictures(64)
    expected = encoder_of(folder, tmp_path).pictures_embed(pictures)
    pickled = clip_folder(tmp_path / "bin", kind="bin")
    assert np.allclose(encoder_of(pickled, tmp_path).pictures_embed(pictures), expected, atol=1e-5)


def test_several_threads_share_one_network(folder, tmp_path) -> None:
    encoder = encoder_of(folder, tmp_path)
    pictures = probe_pictures(64)
    built = []
    sides = encoder._sides
    encoder._sides = lambda: built.append(1) or sides()
    asked = encoder.with_threads(2)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: (encoder, asked)[n % 2].pictures_embed(pictures), range(8)))
        words = list(pool.map(lambda _: encoder.texts_embed(["ring"]), range(4)))
    assert all(np.allclose(one, found[0], atol=1e-5) for one in found)
    assert all(np.allclose(one, words[0], atol=1e-5) for one in words)
    assert built == [1]


@pytest.mark.parametrize("shape", [(1, 224, 224, 3), (1, 64, 64), (1, 64, 64, 4)])
def test_pictures_of_another_size_are_a_mistake(folder, tmp_path, shape) -> None:
    with pytest.raises(ValueError, match="pictures are"):
        encoder_of(folder, tmp_path).pictures_embed(np.zeros(shape, np.uint8))


def test_no_pictures_have_the_shape_of_some(folder, tmp_path) -> None:
    encoder = encoder_of(folder, tmp_path)
    assert encoder.pictures_embed(np.zeros((0, 64, 64, 3), np.uint8)).shape == (0, 32)


# What is wrong, and said ------------------------------------------------------------------------


def refusal(call: Any) -> EncoderError:
    with pytest.raises(EncoderError) as caught:
        call()
    return caught.value


def test_a_file_changed_under_a_running_process(folder, tmp_path) -> None:
    copy = clip_folder(tmp_path / "copy")
    encoder = encoder_of(copy, tmp_path)
    before = encoder.space.key
    encoder.pictures_embed(probe_pictures(64))
    clip_folder(tmp_path / "copy", seed=5)
    assert encoder.unload()
    assert refusal(lambda: encoder.pictures_embed(probe_pictures(64))).code == "weights_changed"
    after = encoder_of(copy, tmp_path)
    assert after.space.key != before
    after.pictures_embed(probe_pictures(64))


@pytest.mark.parametrize("kind", ["other", "noise", "empty", "cut"])
def test_weights_of_another_network(folder, tmp_path, kind) -> None:
    import torch

    bad = clip_folder(tmp_path / "bad", kind="pt")
    file = bad / "open_clip_model.pt"
    whole = file.read_bytes()
    match kind:
        case "other":
            weights_save({"visual.conv1.weight": torch.zeros(3, 3)}, file)
        case "noise":
            file.write_bytes(b"not weights at all" * 100)
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(whole[: len(whole) // 2])
    encoder = encoder_of(bad, tmp_path)
    error = refusal(lambda: encoder.pictures_embed(probe_pictures(64)))
    assert error.code == "weights_wrong"
    assert error.params["detail"]
    # And a second try says the same, instead of hanging on a lock.
    assert refusal(lambda: encoder.texts_embed(["x"])).code == "weights_wrong"


def test_a_pickle_that_would_run_something_is_refused(tmp_path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> Any:
            return (open, (str(tmp_path / "ran"), "w"))

    bad = clip_folder(tmp_path / "bad", kind="pt")
    (bad / "open_clip_model.pt").write_bytes(pickle.dumps({"state_dict": Evil()}))
    error = refusal(lambda: encoder_of(bad, tmp_path).texts_embed(["x"]))
    assert error.code == "weights_wrong"
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_not_here(tmp_path) -> None:
    error = refusal(lambda: encoder_of(tmp_path / "none.pt", tmp_path, model_name="ViT-B-32"))
    assert error.code == "weights_not_found"
    assert "none.pt" in str(error)
    error = refusal(lambda: encoder_of(None, tmp_path, model_name="ViT-B-32", pretrained="openai"))
    assert error.code == "weights_not_found"
    for said in (
        "manage.py engine_fetch clip",
        str(tmp_path / "fetched"),
        "huggingface",
        "ViT-B-32",
    ):
        assert said in str(error)


def test_names_that_open_clip_does_not_know(tmp_path) -> None:
    def ask(model_name: str, pretrained: str) -> EncoderError:
        return refusal(
            lambda: encoder_of(None, tmp_path, model_name=model_name, pretrained=pretrained)
        )

    assert ask("ViT-Z-99", "openai").code == "model_unknown"
    error = ask("ViT-B-32", "openay")
    assert error.code == "pretrained_unknown"
    assert "laion2b_s34b_b79k" in error.params["known"]
    assert ask("../../secret", "openai").code == "model_unknown"


def test_a_device_that_is_not_here(folder, tmp_path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    encoder = encoder_of(folder, tmp_path, wanted=Wanted("cuda"))
    assert refusal(lambda: encoder.pictures_embed(probe_pictures(64))).code == "device_missing"


def test_a_folder_without_its_configuration(folder, tmp_path) -> None:
    bad = clip_folder(tmp_path / "bad")
    for text in ("{", "[]", '{"model_cfg": {}}', '{"model_cfg": {"embed_dim": 8}}'):
        (bad / "open_clip_config.json").write_text(text, encoding="utf-8")
        assert refusal(lambda: encoder_of(bad, tmp_path)).code == "weights_wrong"

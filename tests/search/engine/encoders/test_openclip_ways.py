"""The way a network runs is measured or told, noted, and never one whose embeddings are others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from search.engine.encoders import running
from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.encoders.openclip_files import Source
from search.engine.encoders.resnet50 import ResNet50Encoder
from search.engine.encoders.running import Timed, Wanted, Way, probe_pictures
from search.engine.errors import EncoderError
from tests.factories.networks import (
    PREPARE,
    clip_folder,
    resnet_file,
    siglip_folder,
    weights_save,
    xlm_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

FP32, BF16 = Way("torch", "fp32"), Way("torch", "bf16")
INT8 = Way("onnx", "int8")


def timed(way: Way, pictures_s: float, cosine: float = 1.0) -> Timed:
    return Timed(way, pictures_s, cosine)


def chosen(folder: Path, wanted: Wanted, *made: Way) -> Way | None:
    return running.way_noted(wanted, "cpu", 1, folder, made)


def test_the_fastest_that_is_the_same_is_taken(tmp_path) -> None:
    assert chosen(tmp_path, Wanted()) is None  # to be measured
    running.timed_write(tmp_path, "cpu", 1, [timed(FP32, 10), timed(BF16, 40, 0.9999)])
    assert chosen(tmp_path, Wanted()) == BF16
    running.timed_write(tmp_path, "cpu", 1, [timed(INT8, 90, 0.99)])
    assert chosen(tmp_path, Wanted(), INT8) == BF16  # the fastest, and not the same
    running.timed_write(tmp_path, "cpu", 1, [timed(INT8, 90, 0.996)])
    assert chosen(tmp_path, Wanted(), INT8) == INT8
    assert chosen(tmp_path, Wanted()) == BF16  # its files are gone
    assert chosen(tmp_path, Wanted(precision="fp32"), INT8) == FP32
    assert running.way_noted(Wanted(), "cuda", 1, tmp_path, [INT8]) is None  # another machine


def test_what_was_asked_for_is_done_or_refused(tmp_path) -> None:
    with pytest.raises(EncoderError) as caught:
        chosen(tmp_path, Wanted(runtime="onnx"))
    assert caught.value.code == "export_missing"
    assert "--measure" in str(caught.value)
    running.timed_write(tmp_path, "cpu", 1, [timed(INT8, 90, 0.9)])
    with pytest.raises(EncoderError) as caught:
        chosen(tmp_path, Wanted(runtime="onnx", precision="int8"), INT8)
    assert caught.value.code == "way_differs"
    running.timed_write(tmp_path, "cpu", 2, [timed(INT8, 50, 0.999)])
    assert chosen(tmp_path, Wanted(runtime="onnx", precision="int8"), INT8) == INT8


def test_a_note_that_cannot_be_read_is_none(tmp_path) -> None:
    for text in ("{", "[]", json.dumps({running._machine("cpu", 1): {"torch fp32": 3}})):
        (tmp_path / running.NOTE).write_text(text, encoding="utf-8")
        assert chosen(tmp_path, Wanted()) is None


# With real networks -----------------------------------------------------------------------------


def encoder_of(folder: Path, tmp_path: Path, wanted: Wanted, **more: Any) -> OpenClipEncoder:
    source = Source("clip", tmp_path / "f", tmp_path / "n", checkpoint=folder)
    return OpenClipEncoder(source, folder=tmp_path / "s", wanted=wanted, **more)


@pytest.mark.clip
def test_auto_measures_once(tmp_path) -> None:
    folder = clip_folder(tmp_path / "small")
    encoder = encoder_of(folder, tmp_path, Wanted("cpu"))
    assert encoder.way() in {"torch fp32", "torch bf16"}
    note = encoder.folder / running.NOTE
    (ways,) = json.loads(note.read_text(encoding="utf-8")).values()
    assert set(ways) == {"torch fp32", "torch bf16"}
    assert ways["torch fp32"]["cosine"] == 1
    # The note decides from now on, whatever would be measured.
    running.timed_write(encoder.folder, "cpu", 1, [timed(FP32, 1), timed(BF16, 2, 0.9999)])
    assert encoder_of(folder, tmp_path, Wanted("cpu")).way() == "torch bf16"
    running.timed_write(encoder.folder, "cpu", 1, [timed(BF16, 2, 0.9)])
    assert encoder_of(folder, tmp_path, Wanted("cpu")).way() == "torch fp32"


@pytest.mark.clip
def test_short_numbers_that_were_asked_for_are_measured_too(tmp_path) -> None:
    folder = clip_folder(tmp_path / "small")
    encoder = encoder_of(folder, tmp_path, Wanted("cpu", "bf16"))
    assert encoder.way() == "torch bf16"
    (ways,) = json.loads((encoder.folder / running.NOTE).read_text(encoding="utf-8")).values()
    assert 0.995 <= ways["torch bf16"]["cosine"] < 1  # compared with fp32, not with itself


@pytest.mark.clip
def test_short_numbers_that_cannot_hold_the_network_are_refused(tmp_path) -> None:
    from safetensors.torch import load_file

    folder = clip_folder(tmp_path / "small")
    file = folder / "open_clip_model.safetensors"
    state = load_file(file)
    state["visual.proj"] *= 1e7  # more than fp16 can count
    weights_save(state, file)
    pictures = probe_pictures(64)
    exact = encoder_of(folder, tmp_path, Wanted("cpu", "fp32", "torch")).pictures_embed(pictures)
    assert np.isfinite(exact).all()
    for _ in range(2):  # measured, then known
        with pytest.raises(EncoderError) as caught:
            encoder_of(folder, tmp_path, Wanted("cpu", "fp16")).pictures_embed(pictures)
        assert caught.value.code == "way_differs"
        assert "torch fp16" in str(caught.value)


@pytest.mark.clip
def test_a_card_that_is_not_in_this_machine(monkeypatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert running.device_find("auto") == "cuda"
    assert running.device_find("cuda:1") == "cuda:1"
    with pytest.raises(EncoderError) as caught:
        running.device_find("cuda:2")
    assert caught.value.code == "device_missing"


@pytest.mark.clip
def test_a_network_as_siglip_2(tmp_path) -> None:
    """A tower of timm, and texts read as open_clip's own tokenizer of it reads them."""
    import open_clip
    import torch

    folder = siglip_folder(tmp_path / "siglip")
    encoder = encoder_of(folder, tmp_path, Wanted("cpu", "fp32", "torch"))
    assert encoder.picture_size == 160
    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]
    config.pop("custom_text")
    network = open_clip.CustomTextCLIP(**config).eval()
    open_clip.load_checkpoint(network, str(folder / "open_clip_model.safetensors"))
    tokenize = open_clip.tokenizer.HFTokenizer(
        str(folder / "text"), context_length=64, clean="canonicalize"
    )
    texts = ["A Ring, with teeth!", "银色戒指", "gear " * 60, ""]
    pictures = probe_pictures(160, 2)
    mean, std = (np.array(PREPARE[of], np.float32) for of in ("mean", "std"))
    batch = np.moveaxis((pictures / np.float32(255) - mean) / std, -1, 1)
    with torch.inference_mode():
        read = network.encode_text(tokenize(texts), normalize=True).numpy()
        seen = network.encode_image(torch.from_numpy(batch.copy()), normalize=True).numpy()
    found = encoder.texts_embed(texts)
    assert np.sum(found * read, axis=1).min() >= 0.9999
    assert np.sum(encoder.pictures_embed(pictures) * seen, axis=1).min() >= 0.9999
    assert np.allclose(found[0], encoder.texts_embed(["a ring with teeth"])[0], atol=1e-6)
    assert np.allclose(found[1], encoder.texts_embed(["銀色戒指"])[0], atol=1e-6)


@pytest.mark.clip
def test_an_export_answers_as_the_network(tmp_path) -> None:
    pytest.importorskip("onnxscript")
    folder = clip_folder(tmp_path / "small")
    exact = encoder_of(folder, tmp_path, Wanted("cpu", "fp32", "torch"))
    pictures, texts = probe_pictures(64, 5), ["a ring", "銀色戒指", "gear"]
    looks, words = exact.pictures_embed(pictures), exact.texts_embed(texts)
    found = {str(of.way): of for of in exact.measure(pictures)}
    assert {"torch fp32", "torch bf16", "onnx fp32", "onnx int8"} <= found.keys()
    assert found["onnx fp32"].cosine > 0.9999
    for precision in ("fp32", *(["int8"] if found["onnx int8"].is_same else [])):
        wanted = Wanted("cpu", precision, "onnx")
        out = encoder_of(folder, tmp_path, wanted, batch=2)
        assert out.space == exact.space
        assert out.way() == f"onnx {precision}"
        assert np.sum(out.pictures_embed(pictures) * looks, axis=1).min() >= 0.995
        assert np.sum(out.texts_embed(texts) * words, axis=1).min() >= 0.995
        assert np.allclose(out.with_threads(2).texts_embed(texts[:1])[0] @ words[0], 1, atol=5e-3)
    # An export of weights that are no longer there is not run.
    out = encoder_of(folder, tmp_path, Wanted("cpu", "fp32", "onnx"))
    clip_folder(tmp_path / "small", seed=9)
    with pytest.raises(EncoderError) as caught:
        out.pictures_embed(pictures)
    assert caught.value.code == "weights_changed"


@pytest.mark.clip
def test_a_text_tower_of_transformers(tmp_path) -> None:
    import open_clip
    import torch

    folder = xlm_folder(tmp_path / "xlm")
    encoder = encoder_of(folder, tmp_path, Wanted("cpu", "fp32", "torch"))
    texts = ["ring", "银色戒指", "gear wheel"]
    found = encoder.texts_embed(texts)
    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    text = {**config["model_cfg"]["text_cfg"], "hf_model_name": str(folder / "text")}
    network = open_clip.CustomTextCLIP(
        **{**config["model_cfg"], "text_cfg": {**text, "hf_model_pretrained": False}}
    )
    open_clip.load_checkpoint(network, str(folder / "open_clip_model.safetensors"))
    tokenize = open_clip.tokenizer.HFTokenizer(str(folder / "text"), context_length=77)
    with torch.inference_mode():
        expected = network.eval().encode_text(tokenize(texts), normalize=True).numpy()
    assert np.sum(found * expected, axis=1).min() >= 0.9999
    assert np.allclose(found[1], encoder.texts_embed(["銀色戒指"])[0], atol=1e-6)
    # The tokenizer is part of what makes the space.
    tokenizer = folder / "text" / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    other = encoder_of(folder, tmp_path, Wanted("cpu", "fp32", "torch"))
    assert other.space.key != encoder.space.key


@pytest.mark.clip
@pytest.mark.slow
def test_resnet_in_another_runtime_keeps_its_maps(tmp_path) -> None:
    pytest.importorskip("onnxscript")
    weights = resnet_file(tmp_path / "weights.pth")
    places = {"fetched": tmp_path, "notes": tmp_path / "n", "folder": tmp_path / "s"}
    pictures = probe_pictures(224, 2)
    exact = ResNet50Encoder(
        "resnet50", checkpoint=weights, wanted=Wanted("cpu", "fp32", "torch"), **places
    )
    embeddings, maps = exact.maps_embed(pictures)
    exact.measure(pictures)
    out = ResNet50Encoder(
        "resnet50", checkpoint=weights, wanted=Wanted("cpu", "fp32", "onnx"), **places
    )
    again, other = out.maps_embed(pictures)
    assert other.shape == maps.shape
    assert np.sum(again * embeddings, axis=1).min() > 0.9999

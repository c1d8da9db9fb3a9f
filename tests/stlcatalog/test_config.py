"""A configuration that cannot be used says where and why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stlcatalog.config import ConfigError, NetworkEngine, config_load

CLIP = "  clip: {encoder: openclip, model_name: ViT-B/32, pretrained: openai}\n"
GOOD = "engines:\n  mini: {encoder: mini}\n"


def load(tmp_path: Path, text: str):
    file = tmp_path / "search.yaml"
    file.write_text(text, encoding="utf-8")
    return config_load(file)


def test_what_is_left_out_has_a_default(tmp_path) -> None:
    config = load(tmp_path, GOOD)
    assert (config.search.default_k, config.search.max_k) == (5, 20)
    assert config.search.hybrid_alpha == 0.6


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "engines"),
        ("engines: {}", "engines"),
        ("engines:\n  mini: {encoder: mnii}\n", "engines.mini"),
        (GOOD + "search: {default_k: 0}\n", "search.default_k"),
        (GOOD + "search: {default_k: 30}\n", "default_k is larger than max_k"),
        (GOOD + "search: {defualt_k: 5}\n", "search.defualt_k"),
        (GOOD + "search: {fusion_weights: {clip: 1}}\n", "clip"),
        (GOOD + "search: {hybrid_alpha: 1.5}\n", "search.hybrid_alpha"),
        (GOOD + "faiss: {index_type: Flatt}\n", "faiss.index_type"),
        (GOOD + "limits: {upload_mb: lots}\n", "limits.upload_mb"),
        ("engines:\n  words: {encoder: mini}\n", "words"),
        ("engines: [", "not valid YAML"),
        (GOOD + CLIP + "use: [mini]\n", None),
        (GOOD + CLIP, "use: say which engines; clip is large"),
        (GOOD + "  clip: {encoder: openclip}\n", "name model_name and pretrained, or a checkpoint"),
        (GOOD + "  clip: {encoder: openclip, model_name: ViT-B-32}\n", "engines.clip"),
        (GOOD + "  r: {encoder: resnet50, device: gpu}\nuse: [mini]\n", "engines.r.*device"),
        (GOOD + "  r: {encoder: resnet50, device: 'cuda:1'}\nuse: [mini]\n", None),
        (GOOD + "  r: {encoder: resnet50, batch_size: 0}\nuse: [mini]\n", "batch_size"),
        (GOOD + "  r: {encoder: resnet50, precision: int8}\nuse: [mini]\n", "int8 needs"),
        (GOOD + "  r: {encoder: resnet50, runtime: tensorrt}\nuse: [mini]\n", "runtime"),
        (GOOD + "  A/b: {encoder: shape}\nuse: [mini]\n", "engines"),
    ],
)
def test_the_message_names_the_key(tmp_path, text, named) -> None:
    if named is None:
        load(tmp_path, text)
        return
    with pytest.raises(ConfigError, match=named) as error:
        load(tmp_path, text)
    assert "search.yaml" in str(error.value)


def test_openais_names_are_understood(tmp_path) -> None:
    config = load(tmp_path, GOOD + CLIP + "use: [mini]\n")
    assert config.engines["clip"].model_name == "ViT-B-32"


def test_the_shipped_file_has_the_large_engines_ready_and_unused() -> None:
    config = config_load(Path(__file__).resolve().parents[2] / "config" / "search.yaml")
    large = {name: of for name, of in config.engines.items() if isinstance(of, NetworkEngine)}
    assert set(large) == {
        "clip", "clip-large", "clip-rn50x64", "clip-multilingual", "siglip2", "resnet50"
    }  # fmt: skip
    assert not set(config.use) & large.keys()


def test_a_device_of_the_environment_that_makes_no_sense() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import stlcatalog.settings"],
        env={**os.environ, "STLCATALOG_DEVICE": "gpu"}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode
    assert "STLCATALOG_DEVICE is gpu; write auto, cpu" in run.stderr


def test_no_file(tmp_path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config_load(tmp_path / "none.yaml")


def test_weights_may_name_an_encoder_or_an_engine_out_of_use(tmp_path) -> None:
    text = GOOD + "  form: {encoder: shape}\nuse: [mini]\n"
    text += "search: {mesh_weights: {shape: 0.8, form: 0.7}, fusion_weights: {resnet50: 0.3}}\n"
    assert load(tmp_path, text).search.mesh_weights == {"shape": 0.8, "form": 0.7}

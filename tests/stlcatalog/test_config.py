"""A configuration that cannot be used says where and why."""

from pathlib import Path

import pytest

from stlcatalog.config import ConfigError, config_load

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
    ],
)
def test_the_message_names_the_key(tmp_path, text, named) -> None:
    with pytest.raises(ConfigError, match=named) as error:
        load(tmp_path, text)
    assert "search.yaml" in str(error.value)


def test_no_file(tmp_path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config_load(tmp_path / "none.yaml")


def test_weights_may_name_an_encoder_or_an_engine_out_of_use(tmp_path) -> None:
    text = GOOD + "  form: {encoder: shape}\nuse: [mini]\n"
    text += "search: {mesh_weights: {shape: 0.8, form: 0.7}, fusion_weights: {resnet50: 0.3}}\n"
    assert load(tmp_path, text).search.mesh_weights == {"shape": 0.8, "form": 0.7}

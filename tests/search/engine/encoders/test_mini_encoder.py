"""The mini encoder: what it promises to those who store and compare its embeddings."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from search.engine.encoders.choose import encoder_make
from search.engine.encoders.mini import (
    MANIFEST,
    NETWORK,
    PICTURE_HEAD,
    PROJECTION,
    TEXT_STUDENT,
    MiniEncoder,
)
from search.engine.errors import EncoderError
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from tests.factories import meshes
from tests.factories.encoders import words_checkpoint

MODELS = Path(__file__).parents[4] / "models"

Pictures = NDArray[np.uint8]


@pytest.fixture(scope="module")
def encoder() -> MiniEncoder:
    return MiniEncoder(MODELS)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Blocks of colour with white edges; 17 of them, so that no batch size divides them."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (17, 14, 14, 3), dtype=np.uint8)
    coarse[:, :2] = coarse[:, -2:] = 255
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


def unit(triangles: NDArray[np.float64]) -> NDArray[np.float32]:
    corners = triangles.reshape(-1, 3)
    centred = triangles - (corners.min(0) + corners.max(0)) / 2
    return (centred / np.linalg.norm(centred, axis=2).max()).astype(np.float32)


def models_copy(folder: Path) -> Path:
    for name in (MANIFEST, NETWORK, PROJECTION, PICTURE_HEAD):
        shutil.copy(MODELS / name, folder)
    return folder


def test_embeddings_are_float32_unit_vectors_of_the_spaces_dimension(
    encoder: MiniEncoder, pictures: Pictures
) -> None:
    embeddings = encoder.pictures_embed(pictures)
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (len(pictures), encoder.space.d)
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_no_pictures_give_no_embeddings(encoder: MiniEncoder, pictures: Pictures) -> None:
    assert encoder.pictures_embed(pictures[:0]).shape == (0, encoder.space.d)
    assert encoder.maps_embed(pictures[:0])[1].shape == (0, 7, 7, 1280)


@pytest.mark.parametrize("wrong", [(2, 224, 224), (2, 3, 224, 224), (2, 225, 224, 3)])
def test_a_stack_of_another_shape_is_refused(encoder: MiniEncoder, wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="pictures"):
        encoder.pictures_embed(np.zeros(wrong, np.uint8))


def test_floats_are_refused_since_their_range_would_be_a_guess(encoder: MiniEncoder) -> None:
    with pytest.raises(ValueError, match="float32"):
        encoder.pictures_embed(np.zeros((1, 224, 224, 3), np.float32))  # type: ignore[arg-type]


def test_the_same_picture_gives_the_same_bits(encoder: MiniEncoder, pictures: Pictures) -> None:
    once = encoder.pictures_embed(pictures)
    again = MiniEncoder(MODELS).pictures_embed(pictures)
    assert np.array_equal(once, again)


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_a_pictures_neighbours_in_a_batch_do_not_matter(
    encoder: MiniEncoder, pictures: Pictures, batch: int
) -> None:
    other = MiniEncoder(MODELS, batch=batch).pictures_embed(pictures)
    assert np.allclose(other, encoder.pictures_embed(pictures), atol=1e-5)


def test_the_number_of_threads_does_not_matter(encoder: MiniEncoder, pictures: Pictures) -> None:
    other = MiniEncoder(MODELS, threads=2).pictures_embed(pictures)
    assert np.allclose(other, encoder.pictures_embed(pictures), atol=1e-5)


def test_an_embedding_is_the_projected_mean_of_its_map(
    encoder: MiniEncoder, pictures: Pictures
) -> None:
    embeddings, maps = encoder.maps_embed(pictures)
    assert maps.shape == (len(pictures), 7, 7, 1280)
    cells = encoder.features_project(maps)
    summed = cells.mean(axis=(1, 2))
    assert np.allclose(
        summed / np.linalg.norm(summed, axis=1, keepdims=True), embeddings, atol=1e-5
    )
    assert np.allclose(embeddings, encoder.pictures_embed(pictures), atol=1e-5)


def test_many_threads_load_it_once_and_agree(encoder: MiniEncoder, pictures: Pictures) -> None:
    shared = MiniEncoder(MODELS)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: shared.pictures_embed(pictures[:3]), range(8)))
    expected = encoder.pictures_embed(pictures[:3])
    assert all(np.allclose(answer, expected, atol=1e-6) for answer in answers)


def test_views_of_one_part_are_nearer_than_views_of_different_parts(encoder: MiniEncoder) -> None:
    parts = [meshes.ring(), meshes.box((30, 20, 4)), meshes.cylinder(5, 40)]
    near = viewpoints_fibonacci(12)[3]
    turned = near + (0.12, -0.1, 0.08)
    embeddings = np.stack(
        [
            encoder.pictures_embed(views_render(unit(part), viewpoints=[near, turned]).rgb)
            for part in parts
        ]
    )
    similarity = embeddings[:, 0] @ embeddings[:, 1].T
    same = similarity.diagonal()
    different = similarity[~np.eye(len(parts), dtype=bool)]
    assert same.min() > different.max()


@pytest.mark.parametrize("name", [NETWORK, PROJECTION])
def test_weights_that_are_not_the_manifests_are_refused(
    tmp_path: Path, pictures: Pictures, name: str
) -> None:
    path = models_copy(tmp_path) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(EncoderError, match=name) as caught:
        MiniEncoder(tmp_path).pictures_embed(pictures[:1])
    assert (caught.value.code, caught.value.params) == ("weights_changed", {"file": name})


@pytest.mark.parametrize("name", [NETWORK, PROJECTION])
def test_missing_weights_are_named(tmp_path: Path, pictures: Pictures, name: str) -> None:
    (models_copy(tmp_path) / name).unlink()
    with pytest.raises(EncoderError, match=name) as caught:
        MiniEncoder(tmp_path).pictures_embed(pictures[:1])
    assert caught.value.code == "weights_missing"


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"mini": {"d": 3, "files": {}}}'])
def test_a_manifest_that_cannot_be_read_is_refused_at_once(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(EncoderError) as caught:
        MiniEncoder(tmp_path)
    assert caught.value.code == "manifest_unreadable"


@pytest.mark.parametrize("name", [NETWORK, PROJECTION])
def test_a_change_of_any_file_makes_another_space(tmp_path: Path, name: str) -> None:
    manifest_path = models_copy(tmp_path) / MANIFEST
    before = MiniEncoder(tmp_path).space
    manifest = json.loads(manifest_path.read_text())
    manifest["mini"]["files"][name]["sha256"] = hashlib.sha256(b"other weights").hexdigest()
    manifest_path.write_text(json.dumps(manifest))
    assert MiniEncoder(tmp_path).space.key != before.key


def test_the_space_is_known_without_loading_the_weights(
    tmp_path: Path, encoder: MiniEncoder
) -> None:
    shutil.copy(MODELS / MANIFEST, tmp_path)
    assert MiniEncoder(tmp_path).space == encoder.space


def test_the_manifest_describes_every_file_in_the_folder() -> None:
    manifest = json.loads((MODELS / MANIFEST).read_text())
    described = {
        name: file for encoder in manifest.values() for name, file in encoder["files"].items()
    }
    weights = {path.name for path in MODELS.iterdir()} - {MANIFEST, "README.md"}
    assert set(described) == weights
    for name, file in described.items():
        data = (MODELS / name).read_bytes()
        assert (file["sha256"], file["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))


def test_an_encoder_is_made_by_its_kinds_name(encoder: MiniEncoder) -> None:
    assert encoder_make("mini", folder=MODELS).space == encoder.space


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(EncoderError, match="elephant") as caught:
        encoder_make("elephant", folder=MODELS)
    assert caught.value.code == "unknown_encoder"


def test_words_in_either_script_of_chinese_are_one(encoder: MiniEncoder) -> None:
    one, other = (
        encoder.texts_embed(["六角螺絲釘與齒輪"]),
        encoder.texts_embed(["六角螺丝钉与齿轮"]),
    )
    assert np.array_equal(one, other)
    assert one.shape == (1, encoder.words_space.d)
    assert one.dtype == np.float32


def test_a_picture_is_among_pictures_and_among_words_at_once(
    encoder: MiniEncoder, pictures: Pictures
) -> None:
    looks, words = encoder.pictures_embed_both(pictures[:3])
    assert np.allclose(looks, encoder.pictures_embed(pictures[:3]), atol=1e-6)
    assert words.shape == (3, encoder.words_space.d)
    assert np.allclose(np.linalg.norm(words, axis=1), 1, atol=1e-5)
    assert encoder.words_space.key != encoder.space.key


def test_another_text_side_is_another_words_space_and_the_same_of_pictures(tmp_path: Path) -> None:
    one = MiniEncoder(words_checkpoint(tmp_path / "one", seed=1))
    other = MiniEncoder(words_checkpoint(tmp_path / "other", seed=2))
    assert one.space == other.space
    assert one.words_space != other.words_space
    assert not np.allclose(one.texts_embed(["gear"]), other.texts_embed(["gear"]))


def test_words_need_no_network(tmp_path: Path) -> None:
    folder = words_checkpoint(tmp_path)
    (folder / NETWORK).unlink()
    encoder = MiniEncoder(folder)
    assert len(encoder.texts_embed(["gear"])) == 1
    with pytest.raises(EncoderError) as caught:
        encoder.pictures_embed(np.zeros((1, 224, 224, 3), np.uint8))
    assert caught.value.code == "weights_missing"


def test_a_changed_text_side_is_refused(tmp_path: Path) -> None:
    folder = words_checkpoint(tmp_path)
    with (folder / TEXT_STUDENT).open("ab") as file:
        file.write(b"x")
    with pytest.raises(EncoderError) as caught:
        MiniEncoder(folder).texts_embed(["gear"])
    assert caught.value.code == "weights_changed"

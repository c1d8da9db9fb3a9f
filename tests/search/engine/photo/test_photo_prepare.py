"""A photo becomes the part alone, centred on white; what cannot be cut out is kept whole."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from search.engine.encoders.space import Space
from search.engine.errors import PictureError
from search.engine.photo.mask import mask_find
from search.engine.photo.prepare import cutout_png, photo_embed, photo_prepare
from search.engine.photo.types import Box


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], grain: float) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), grain)
    return (noise / noise.std())[..., None]


def ground(kind: str, rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) float 0..255: what parts are photographed on."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    fall = (1 + 0.3 * (x - y))[..., None]
    if kind == "paper":
        return np.array([225.0, 222, 215]) * fall + rng.normal(0, 2, (*shape, 1))
    if kind == "wood":
        stripes = cv2.GaussianBlur(
            rng.normal(size=shape).astype(np.float32), (0, 0), 1, sigmaY=40
        )  # fmt: skip
        return np.array([150.0, 105, 65]) * fall * (1 + 0.12 * (stripes / stripes.std())[..., None])
    if kind == "cloth":
        weave = np.sin(x * 260) * np.sin(y * 260)
        return np.array([50.0, 70, 120]) * fall * (1 + 0.15 * weave[..., None])
    return np.array([110.0, 112, 115]) * fall * (1 + 0.1 * smooth_noise(rng, shape, 1.2))


def photo_of(
    kind: str, seed: int, *, centre=(0.5, 0.5), size=0.28, shape=(480, 640)
) -> tuple[np.ndarray, np.ndarray]:
    """A shaded L-shaped part with a hole on a textured ground, and its true mask."""
    rng = np.random.default_rng(seed)
    part = np.zeros(shape, np.uint8)
    reach = size * min(shape)
    corners = np.array([(-1, -1), (1, -1), (1, -0.2), (0.1, 0), (0.1, 1), (-1, 1)]) * reach
    angle = rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array(centre) * (shape[1], shape[0])
    cv2.fillPoly(part, [(corners @ turn.T + middle).astype(np.int32)], 255)
    hole = (np.array([-0.5, -0.5]) * reach) @ turn.T + middle
    cv2.circle(part, tuple(int(v) for v in hole), int(0.22 * reach), 0, -1)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    colour = {"paper": (110, 112, 120), "wood": (185, 188, 195), "cloth": (200, 160, 70)}
    shade = (0.75 + 0.5 * (x * np.cos(angle) + y * np.sin(angle)))[..., None]
    body = np.array(colour.get(kind, (205, 60, 45))) * shade
    shadow = cv2.GaussianBlur(np.roll(part, (9, 9), (0, 1)), (0, 0), 9)[..., None] / 255
    pixels = np.where(part[..., None] > 0, body, ground(kind, rng, shape) * (1 - 0.3 * shadow))
    pixels = cv2.GaussianBlur(pixels, (0, 0), 0.8) + rng.normal(0, 3, (*shape, 3))
    return np.clip(pixels, 0, 255).astype(np.uint8), part


def jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero((a > 0) & (b > 0)) / np.count_nonzero((a > 0) | (b > 0))


@pytest.mark.parametrize("kind", ["paper", "wood", "cloth", "stone"])
def test_the_mask_finds_the_part_on_textured_grounds(kind):
    ious = []
    for seed in range(5):
        pixels, truth = photo_of(kind, seed)
        mask = mask_find(pixels)
        assert mask is not None
        ious.append(overlap(mask, truth))
    assert np.median(ious) > 0.93
    assert min(ious) > 0.85


@pytest.mark.parametrize("size", [0.07, 0.45])
def test_small_and_large_parts(size):
    pixels, truth = photo_of("wood", 3, size=size)
    assert overlap(mask_find(pixels), truth) > 0.8


def test_a_part_on_a_white_ground():
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[100:200, 120:300] = (150, 150, 160)
    mask = mask_find(pixels)
    assert overlap(mask, (pixels[..., 0] < 255)) > 0.97


def test_a_dark_part_on_a_black_ground_with_light_from_one_side():
    y, x = np.mgrid[0:300, 0:400]
    pixels = (np.repeat((10 + 30 * x / 400)[..., None], 3, 2)).astype(np.uint8)
    truth = (x - 200) ** 2 + (y - 150) ** 2 < 70**2
    pixels[truth] += 60
    assert overlap(mask_find(pixels), truth) > 0.93


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.default_rng(0).integers(0, 255, (200, 260, 3), dtype=np.uint8),
        np.repeat(np.linspace(0, 255, 260, dtype=np.uint8)[None, :, None], 200, 0).repeat(3, 2),
    ],
    ids=["noise", "gradient"],
)
def test_no_part_is_invented(pixels):
    assert mask_find(pixels) is None


@pytest.mark.parametrize("towards", [(40, 0), (-30, 30), (0, -45)])
def test_a_hard_shadow_is_not_the_part(towards):
    pixels = np.full((480, 640, 3), (200.0, 195, 185))
    truth = np.zeros((480, 640), np.uint8)
    cv2.circle(truth, (320, 240), 90, 255, -1)
    cv2.circle(truth, (320, 240), 35, 0, -1)
    shadow = np.roll(truth, towards, (1, 0)) > 0
    pixels[shadow] *= 0.45
    y, x = np.mgrid[0:480, 0:640]
    pixels[truth > 0] = np.array([190, 60, 50]) * (0.6 + 0.5 * x / 640)[truth > 0][:, None]
    pixels = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    pixels += np.random.default_rng(0).normal(0, 3, pixels.shape)
    mask = mask_find(np.clip(pixels, 0, 255).astype(np.uint8))
    only_shadow = shadow & (truth == 0)
    assert overlap(mask, truth) > 0.85
    assert (mask[only_shadow] > 0).mean() < 0.2


def test_a_telling_alpha_is_the_mask():
    pixels, truth = photo_of("stone", 0)
    assert np.array_equal(mask_find(pixels, alpha=truth), truth)


def test_the_part_lies_centred_on_white():
    pixels, _ = photo_of("wood", 1, centre=(0.3, 0.6))
    photo = photo_prepare(jpeg(pixels))
    assert photo.cut
    assert photo.picture.shape == (224, 224, 3)
    assert (photo.picture[[0, -1]] == 255).all()
    rows, columns = np.nonzero((photo.picture < 250).any(2))
    assert abs(rows.min() + rows.max() - 223) <= 4
    assert abs(columns.min() + columns.max() - 223) <= 4
    assert max(np.ptp(rows), np.ptp(columns)) > 0.85 * 224


def test_variants_are_the_quarter_turns_of_the_cut_and_of_the_box_with_its_ground():
    pixels, truth = photo_of("wood", 1)
    photo = photo_prepare(jpeg(pixels))
    assert photo.variants.shape == (8, 224, 224, 3)
    for turn in range(4):
        assert np.array_equal(photo.variants[turn], np.rot90(photo.picture, turn))
        assert np.array_equal(photo.variants[4 + turn], np.rot90(photo.variants[4], turn))
    corner = np.median(photo.variants[4, 100:124, 2:10], axis=(0, 1))
    ground = np.median(pixels[truth == 0], axis=0)
    assert np.abs(corner - ground).max() < 60  # wood, where the cut-out is white


@pytest.mark.parametrize("cut_by", ["alpha", "nothing"])
def test_without_a_ground_to_keep_there_is_one_way_to_show_the_part(cut_by):
    if cut_by == "alpha":
        out = io.BytesIO()
        Image.fromarray(np.dstack(photo_of("wood", 1))).save(out, "PNG")
        photo = photo_prepare(out.getvalue())
    else:
        noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
        photo = photo_prepare(jpeg(noise))
    assert photo.cut == (cut_by == "alpha")
    assert len(photo.variants) == 4


class MeanColours:
    """An encoder whose embeddings are a picture's mean colours, cell by cell."""

    space = Space(encoder="colours", weights_sha="0", preprocessing="", d=12)
    picture_size = 224

    def pictures_embed(self, pictures: np.ndarray) -> np.ndarray:
        cells = pictures.reshape(-1, 2, 112, 2, 112, 3).mean((2, 4)).reshape(-1, 12) / 255
        return (cells / np.linalg.norm(cells, axis=1, keepdims=True)).astype(np.float32)


def test_a_photo_becomes_one_vector_a_quarter_turn():
    encoder = MeanColours()
    photo = photo_prepare(jpeg(photo_of("wood", 1)[0]))
    vectors = photo_embed(photo, encoder)
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, 12)
    for turn, vector in enumerate(vectors):
        pair = encoder.pictures_embed(photo.variants[[turn, 4 + turn]]).mean(axis=0)
        assert np.allclose(vector, pair / np.linalg.norm(pair), atol=1e-5)


def test_the_users_crop_wins():
    left, _ = photo_of("wood", 1, shape=(400, 400))
    right, truth = photo_of("wood", 2, shape=(400, 400))
    data = jpeg(np.hstack([left, right]))
    photo = photo_prepare(data, crop=Box(0.5, 0.0, 1.0, 1.0))
    assert photo.cut
    assert not photo.mask[:, :400].any()
    assert overlap(photo.mask[:, 400:], truth) > 0.9
    assert photo.box.left >= 0.5


def test_a_picture_without_a_believable_part_is_kept_whole():
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    photo = photo_prepare(jpeg(noise))
    assert not photo.cut
    assert photo.box == Box(0, 0, 1, 1)
    assert (photo.mask == 255).all()
    assert (photo.picture[:30] == 255).all()  # wider than tall: white above and below


def test_the_same_bytes_give_the_same_photo():
    data = jpeg(photo_of("stone", 4)[0])
    first, second = photo_prepare(data), photo_prepare(data)
    assert np.array_equal(first.variants, second.variants)
    assert np.array_equal(first.mask, second.mask)


def test_the_cut_out_is_a_small_transparent_png():
    pixels, truth = photo_of("cloth", 2)
    photo = photo_prepare(jpeg(pixels))
    png = Image.open(io.BytesIO(cutout_png(photo, longest=120)))
    assert png.format == "PNG"
    assert png.mode == "RGBA"
    assert max(png.size) == 120
    colour, alpha = np.asarray(png)[..., :3], np.asarray(png)[..., 3]
    assert 0.2 < (alpha > 127).mean() < 0.9
    inside = np.median(colour[alpha == 255], axis=0)
    assert np.abs(inside - np.median(pixels[truth > 0], axis=0)).max() < 15


NAN = float("nan")


@pytest.mark.parametrize(
    "corners",
    [(-0.1, 0, 1, 1), (0, 0, 1.01, 1), (0.5, 0, 0.5, 1), (0, 0.9, 1, 0.1), (0, 0, NAN, 1)],
)
def test_a_senseless_crop_is_refused(corners):
    with pytest.raises(PictureError) as caught:
        Box(*corners)
    assert caught.value.code == "bad_box"


def test_a_crop_of_less_than_a_pixel_still_gives_a_picture():
    photo = photo_prepare(jpeg(photo_of("paper", 0)[0]), crop=Box(0.9999, 0.9999, 1, 1))
    assert photo.picture.shape == (224, 224, 3)
    assert not photo.cut

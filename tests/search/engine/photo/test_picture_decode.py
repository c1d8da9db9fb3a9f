"""Hostile and odd picture files: an upright picture, or a code that says why not."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from search.engine.errors import PictureError
from search.engine.photo.decode import FORMATS, picture_decode
from search.engine.photo.types import PhotoLimits


def scene(width: int = 96, height: int = 64) -> np.ndarray:
    """Four quarters of different colours: every flip and turn of it is another picture."""
    pixels = np.full((height, width, 3), 60, np.uint8)
    pixels[: height // 2, : width // 2] = (220, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 200, 60)
    pixels[height // 2 :, : width // 2] = (40, 70, 220)
    return pixels


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def code_of(data: bytes, **options: object) -> str:
    with pytest.raises(PictureError) as caught:
        picture_decode(data, **options)
    assert str(caught.value)
    return caught.value.code


def near(a: np.ndarray, b: np.ndarray, tolerance: float = 8) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b).mean()) < tolerance


@pytest.mark.parametrize("kind", FORMATS)
def test_every_allowed_format_is_read(kind):
    decoded = picture_decode(saved(Image.fromarray(scene()), kind))
    assert near(decoded.picture, scene())
    assert decoded.picture.dtype == np.uint8
    assert decoded.alpha is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_every_exif_orientation_gives_the_same_upright_picture(kind, turn):
    upright = Image.fromarray(scene())
    # How a camera held that way would have stored the upright scene.
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    assert near(picture_decode(saved(stored, kind, exif=exif)).picture, scene())


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_senseless_orientation_is_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(scene()), "JPEG", exif=exif)
    assert near(picture_decode(data).picture, scene())


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*junk"]
)
def test_a_broken_exif_block_is_ignored(block):
    data = saved(Image.fromarray(scene()), "JPEG", exif=block)
    assert near(picture_decode(data).picture, scene())


def test_cmyk_jpeg():
    data = saved(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95)
    assert near(picture_decode(data).picture, scene(), 12)


def test_grey_jpeg_and_bilevel_png_become_three_channels():
    grey = np.asarray(Image.fromarray(scene()).convert("L"))
    decoded = picture_decode(saved(Image.fromarray(grey), "JPEG"))
    assert near(decoded.picture, np.repeat(grey[..., None], 3, 2))
    bilevel = picture_decode(saved(Image.fromarray(grey > 80).convert("1"), "PNG"))
    assert set(np.unique(bilevel.picture)) == {0, 255}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_tones(kind):
    ramp = np.linspace(0, 65535, 96).astype(np.uint16)[None].repeat(64, 0)
    picture = picture_decode(saved(Image.fromarray(ramp), kind)).picture
    assert near(picture[..., 0], (ramp / 257).astype(np.uint8), 2)


def test_twelve_bits_in_sixteen_use_the_whole_range():
    ramp = np.linspace(0, 4095, 96).astype(np.uint16)[None].repeat(64, 0)
    picture = picture_decode(saved(Image.fromarray(ramp), "TIFF")).picture
    assert picture.max() == 255


def test_floats_with_nan_and_infinity():
    ramp = np.linspace(-3, 5, 96, dtype=np.float32)[None].repeat(64, 0)
    ramp[0, 0], ramp[1, 1] = np.nan, np.inf
    picture = picture_decode(saved(Image.fromarray(ramp), "TIFF")).picture
    assert picture[5, 0, 0] == 0
    assert picture[5, -1, 0] == 255


def test_alpha_is_kept_and_the_picture_lies_on_white():
    alpha = np.zeros((64, 96), np.uint8)
    alpha[16:48, 24:72] = 255
    data = saved(Image.fromarray(np.dstack([scene(), alpha])), "PNG")
    decoded = picture_decode(data)
    assert np.array_equal(decoded.alpha, alpha)
    assert (decoded.picture[:16] == 255).all()
    assert np.array_equal(decoded.picture[16:48, 24:72], scene()[16:48, 24:72])


def test_an_opaque_alpha_tells_nothing():
    data = saved(Image.fromarray(scene()).convert("RGBA"), "PNG")
    assert picture_decode(data).alpha is None


def test_palette_with_transparency():
    image = Image.fromarray(scene()).quantize(8)
    clear = int(np.asarray(image)[0, 0])
    decoded = picture_decode(saved(image, "PNG", transparency=clear))
    assert decoded.alpha is not None
    assert (decoded.alpha[:32, :48] == 0).all()
    assert (decoded.alpha[32:] == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_the_first_frame_of_a_moving_picture(kind):
    first, second = Image.fromarray(scene()), Image.fromarray(255 - scene())
    data = saved(first, kind, save_all=True, append_images=[second, second])
    assert near(picture_decode(data).picture, scene(), 12)


def test_large_pictures_shrink_and_small_ones_never_grow():
    large = Image.fromarray(scene()).resize((3000, 2000), Image.Resampling.NEAREST)
    for kind in ("JPEG", "PNG"):
        assert picture_decode(saved(large, kind)).picture.shape == (533, 800, 3)
    assert picture_decode(saved(Image.fromarray(scene()), "PNG")).picture.shape == (64, 96, 3)


def test_colour_hidden_under_transparency_does_not_bleed_when_shrinking():
    pixels = np.zeros((2000, 2000, 4), np.uint8)
    pixels[..., 1] = 255  # loud green below the transparent half
    pixels[:, 1003:] = (200, 30, 30, 255)
    shrunk = picture_decode(saved(Image.fromarray(pixels), "PNG")).picture.astype(int)
    assert (shrunk[..., 1] <= shrunk[..., 0]).all()


def test_empty_file():
    assert code_of(b"") == "empty_file"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"hello, this is not a picture",
        b"<html><body>404</body></html>",
        b"%PDF-1.7\n%binary",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nshowpage",
        b"solid part\nfacet normal 0 0 1\n",
        bytes(84),
        np.random.default_rng(0).bytes(50_000),
    ],
    ids=["byte", "text", "html", "pdf", "eps", "stl", "zeros", "noise"],
)
def test_what_is_not_a_picture(data):
    assert code_of(data) == "not_a_picture"


def test_formats_outside_the_list_are_refused():
    for kind in ("PPM", "ICO", "TGA", "PCX"):
        assert code_of(saved(Image.fromarray(scene()), kind)) == "not_a_picture"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files(kind, share):
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    assert code_of(data[: int(len(data) * share)]) == "truncated_picture"


def test_a_flipped_byte_inside_a_png_is_damage():
    data = bytearray(saved(Image.fromarray(scene()), "PNG"))
    data[len(data) // 2] ^= 0xFF
    assert code_of(bytes(data)) == "truncated_picture"


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(8000, 8000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_before_it_is_decoded(size):
    with pytest.raises(PictureError) as caught:
        picture_decode(png_claiming(*size))
    assert caught.value.code == "too_many_pixels"
    assert caught.value.params["limit"] == PhotoLimits().pixels


def test_limits_are_the_callers():
    data = saved(Image.fromarray(scene()), "PNG")
    assert code_of(data, limits=PhotoLimits(pixels=6000)) == "too_many_pixels"
    assert code_of(data, limits=PhotoLimits(megabytes=0)) == "too_many_bytes"
    assert picture_decode(data, limits=PhotoLimits(longest_side=48)).picture.shape == (32, 48, 3)


def test_a_jpeg_of_a_thousand_scans_is_refused():
    data = saved(Image.fromarray(scene()), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    assert code_of(data[:-2] + last * 1000 + b"\xff\xd9") == "not_a_picture"
    assert near(picture_decode(data).picture, scene())


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15), (30_000, 100)])
def test_too_small_or_too_thin(size):
    stripes = np.zeros((size[1], size[0]), np.uint8)
    stripes[:, ::2] = 255
    assert code_of(saved(Image.fromarray(stripes), "PNG")) == "too_small"


@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_blank_picture(level):
    blank = Image.fromarray(np.full((300, 400, 3), level, np.uint8))
    for kind in ("PNG", "JPEG"):
        assert code_of(saved(blank, kind)) == "blank_picture"


def test_wholly_transparent_is_blank_and_a_transparent_cut_out_is_not():
    clear = np.dstack([scene(), np.zeros((64, 96), np.uint8)])
    assert code_of(saved(Image.fromarray(clear), "PNG")) == "blank_picture"
    white = np.full((64, 96, 4), 255, np.uint8)
    white[:20, :, 3] = 0  # a white part, visible through its alpha alone
    assert picture_decode(saved(Image.fromarray(white), "PNG")).alpha is not None


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None)
@given(
    head=st.sampled_from(
        [b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0"]
    ),
    body=st.binary(max_size=400),
)
def test_any_bytes_end_in_a_picture_or_a_reason(head, body):
    try:
        decoded = picture_decode(head + body)
    except PictureError as error:
        assert error.code
    else:
        assert decoded.picture.shape[2] == 3


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(FORMATS),
    at=st.floats(0, 0.999),
    junk=st.binary(min_size=1, max_size=12),
)
def test_a_damaged_picture_ends_in_a_picture_or_a_reason(kind, at, junk):
    data = bytearray(saved(Image.fromarray(scene()), kind))
    start = int(at * len(data))
    data[start : start + len(junk)] = junk
    try:
        decoded = picture_decode(bytes(data))
    except PictureError as error:
        assert error.code
    else:
        assert decoded.picture.ndim == 3

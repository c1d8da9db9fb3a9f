"""The photo gate: what the file tells of its lens, and what speaks against a photo."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from search.engine.errors import PictureError
from search.engine.qc.gate import border_touched, edge_width, object_count, photo_reasons
from search.engine.qc.read import inspection_photo_read
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket


def jpeg(size=(400, 300), *, focal=None, orientation=None):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), np.uint8))
    exif = Image.Exif()
    if focal is not None:
        exif.get_ifd(0x8769)[0xA405] = focal
    if orientation is not None:
        exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("orientation", [None, 6])
def test_the_lens_is_read_in_pixels(orientation):
    photo = inspection_photo_read(jpeg(focal=26, orientation=orientation))
    # 26 mm on the 43.27 mm diagonal of a full frame; the photo's diagonal is 500 pixels.
    assert photo.focal == pytest.approx(26 / 43.267 * 500, rel=1e-3)
    assert photo.rgb.shape == ((300, 400, 3) if orientation is None else (400, 300, 3))


@pytest.mark.parametrize("focal", [None, 0, 9999])
def test_an_unbelievable_lens_is_none(focal):
    assert inspection_photo_read(jpeg(focal=focal)).focal is None


def test_what_is_no_picture_is_refused():
    with pytest.raises(PictureError):
        inspection_photo_read(b"no picture at all")


@pytest.fixture(scope="module")
def plain():
    return photo_of(drilled_bracket().astype(np.float32))


def codes(rgb, mask):
    return [reason.code for reason in photo_reasons(rgb, mask)]


def test_a_plain_photo_is_fit(plain):
    assert codes(plain.rgb, plain.mask.astype(np.uint8) * 255) == []


def test_a_blurred_photo_is_told(plain):
    blurred = cv2.GaussianBlur(plain.rgb, (0, 0), 6)
    assert "blurred" in codes(blurred, plain.mask.astype(np.uint8) * 255)
    assert edge_width(blurred, plain.mask.astype(np.uint8)) > edge_width(
        plain.rgb, plain.mask.astype(np.uint8)
    )


def test_a_drawing_is_no_photo(plain):
    flat = np.full_like(plain.rgb, 240)
    flat[plain.mask] = (90, 120, 160)
    assert "not_a_photo" in codes(flat, plain.mask.astype(np.uint8) * 255)


def test_glare_and_dark_are_told(plain):
    mask = plain.mask.astype(np.uint8) * 255
    bright, dark = plain.rgb.copy(), plain.rgb.copy()
    bright[plain.mask], dark[plain.mask] = 255, 2
    assert "glare" in codes(bright, mask)
    assert "dark" in codes(dark, mask)


def test_a_piece_at_the_border_is_told():
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:50] = 255
    assert not border_touched(mask)
    mask[20:40, 70:] = 255
    assert border_touched(mask)
    assert object_count(mask) == 2

"""Another network of the U2-Net kind may find the piece: any size, log odds or chances."""

import numpy as np
import pytest

from search.engine.errors import InspectionError
from search.engine.qc.inspect import InspectionPhoto, OnnxSegmenter, part_prepare, photo_inspect
from tests.factories.onnx_files import brightness_network
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket


@pytest.fixture
def network(tmp_path):
    def made(**how):
        path = tmp_path / "network.onnx"
        path.write_bytes(brightness_network(**how))
        return path

    return made


def bright_square() -> np.ndarray:
    picture = np.full((90, 120, 3), 30, np.uint8)
    picture[30:60, 40:80] = 220
    return picture


@pytest.mark.parametrize("chances", [False, True])
@pytest.mark.parametrize("shape", [(1, 3, 32, 48), (1, 3, "height", "width"), ("n", 3, 90, 120)])
def test_it_finds_what_the_network_finds(network, chances, shape):
    found = OnnxSegmenter(network(chances=chances, shape=shape))(bright_square())
    truth = bright_square()[..., 0] > 100
    assert found.shape == truth.shape
    assert found.dtype == np.uint8
    assert ((found > 0) & truth).sum() / ((found > 0) | truth).sum() > 0.9


def test_nothing_found_is_none(network):
    assert OnnxSegmenter(network())(np.zeros((90, 120, 3), np.uint8)) is None


def test_a_file_that_is_no_network_is_told(tmp_path):
    path = tmp_path / "junk.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(InspectionError) as raised:
        OnnxSegmenter(path)
    assert raised.value.code == "bad_segmenter"


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InspectionError) as raised:
        OnnxSegmenter(tmp_path / "none.onnx")
    assert raised.value.code == "bad_segmenter"


@pytest.mark.parametrize("shape", [(1, 1, 32, 48), (1, 3, 32)])
def test_a_network_of_another_kind_is_told(network, shape):
    with pytest.raises(InspectionError) as raised:
        OnnxSegmenter(network(shape=shape))
    assert raised.value.code == "bad_segmenter"


def test_an_inspection_looks_where_it_is_told(network):
    """The piece is the bright thing: the network given finds it, one that sees none does not."""
    triangles = drilled_bracket().astype(np.float32)
    part, photo = part_prepare(triangles), photo_of(triangles)
    lit = np.where(photo.mask[..., None], 190 + photo.rgb // 4, photo.rgb // 4).astype(np.uint8)
    whole = (1, 3, "height", "width")
    seen = photo_inspect(InspectionPhoto(lit), part, segmenter=OnnxSegmenter(network(shape=whole)))
    assert seen.measures.iou > 0.95
    dark = InspectionPhoto(np.zeros_like(photo.rgb))
    with pytest.raises(InspectionError) as raised:
        photo_inspect(dark, part, segmenter=OnnxSegmenter(network()))
    assert raised.value.code == "no_object"

"""Real millimetres from a printed sheet: the sheet is drawn, photographed, found and measured."""

import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from search.engine.qc.inspect import InspectionPhoto, part_prepare, photo_inspect
from search.engine.qc.scale import (
    PAPERS,
    field_box,
    scale_find,
    sheet_markers,
    sheet_picture,
    sheet_svg,
    size_factor,
)
from search.engine.qc.types import Pose
from search.engine.render.pose import pose_render
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera
from tests.factories.solids import drilled_bracket

FOCAL, SHAPE = 1100.0, (900, 1200)


def sheet_pose(tilt: float, distance: float = 420.0) -> Pose:
    """A camera over the middle of the A4 page (mm, z away from the camera at no tilt)."""
    rotation = cv2.Rodrigues(np.array([np.radians(tilt), 0, 0.2]))[0]
    middle = np.array([105.0, 148.5, 0])
    return Pose(rotation, np.array([0, 0, distance]) - rotation @ middle, FOCAL)


def photo_of_sheet(pose: Pose, paper="a4"):
    dots = 8.0
    page = sheet_picture(paper, dots_a_mm=dots)
    camera = np.array([[pose.focal, 0, SHAPE[1] / 2], [0, pose.focal, SHAPE[0] / 2], [0, 0, 1]])
    plane = camera @ np.column_stack([pose.rotation[:, :2], pose.translation])
    to_photo = plane @ np.diag([1 / dots, 1 / dots, 1])
    # OpenCV's pixel centres are whole.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    warp = np.linalg.inv(half) @ to_photo @ half
    seen = cv2.warpPerspective(page, warp, SHAPE[::-1], borderValue=90)
    return cv2.cvtColor(cv2.GaussianBlur(seen, (0, 0), 0.8), cv2.COLOR_GRAY2RGB)


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("tilt", [0, 25, -35])
def test_a_photographed_sheet_gives_millimetres_whatever_its_paper(tilt, paper):
    pose = sheet_pose(tilt)
    scale = scale_find(photo_of_sheet(pose, paper))
    assert scale is not None
    assert scale.paper == paper
    assert scale.markers >= 10
    assert scale.error < 0.3
    known = np.array([[60.0, 100, 0], [150, 100, 0], [105, 220, 0]])
    there = known @ pose.rotation.T + pose.translation
    pixels = there[:, :2] / there[:, 2:] * FOCAL + np.array(SHAPE[::-1]) / 2
    assert scale.on_sheet(pixels) == pytest.approx(known[:, :2], abs=0.4)


@pytest.mark.parametrize("factor", [1.0, 0.9, 1.12])
@pytest.mark.parametrize("tilt", [10, 30])
def test_a_piece_of_another_size_is_measured(factor, tilt):
    ground = sheet_pose(tilt)
    scale = scale_find(photo_of_sheet(ground))
    assert scale is not None
    # The part stands upside down on the page, its lowest points touching it: z grows downwards.
    points = drilled_bracket().reshape(-1, 3)
    turn = np.diag([1.0, -1, -1])
    stands = np.array([80.0, 170, 0])
    rotation = ground.rotation @ turn
    translation = ground.rotation @ stands + ground.translation
    # What the pose search finds of a piece `factor` as large: the same picture, `factor` nearer.
    found = Pose(rotation, translation / factor, FOCAL)
    assert size_factor(scale, points, found, SHAPE) == pytest.approx(factor, rel=0.01)


def test_no_marker_is_no_scale():
    rng = np.random.default_rng(0)
    assert scale_find(rng.integers(0, 255, (300, 400, 3), np.uint8)) is None


def test_one_marker_of_known_size_is_enough():
    pose = sheet_pose(15)
    photo = photo_of_sheet(pose)
    corners = sheet_markers()[0]
    there = np.column_stack([corners, np.zeros(4)]) @ pose.rotation.T + pose.translation
    pixels = there[:, :2] / there[:, 2:] * FOCAL + np.array(SHAPE[::-1]) / 2
    low, high = pixels.min(0).astype(int) - 12, pixels.max(0).astype(int) + 12
    alone = np.full_like(photo, 255)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    alone[window] = photo[window]
    scale = scale_find(alone, marker_mm=20.0)
    assert scale is not None
    assert scale.markers == 1
    side = scale.on_sheet(pixels)
    assert np.linalg.norm(side[1] - side[0]) == pytest.approx(20, rel=0.03)


def test_the_field_holds_no_marker():
    pose = sheet_pose(0)
    scale = scale_find(photo_of_sheet(pose))
    assert scale is not None
    left, top, right, bottom = field_box(scale, SHAPE)
    assert right - left > 100
    assert bottom - top > 100
    for corners in sheet_markers().values():
        there = np.column_stack([corners, np.zeros(4)]) @ pose.rotation.T + pose.translation
        x, y = (there[:, :2] / there[:, 2:] * FOCAL + np.array(SHAPE[::-1]) / 2).T
        assert not ((x > left) & (x < right) & (y > top) & (y < bottom)).any()


@pytest.mark.parametrize("paper", list(PAPERS))
def test_the_sheet_is_a_page_to_print(paper):
    root = ElementTree.fromstring(sheet_svg(paper, caption="A & B <ruler>"))
    width, height = PAPERS[paper]
    assert root.get("width") == f"{width}mm"
    assert root.get("height") == f"{height}mm"
    assert "A & B <ruler>" in "".join(root.itertext())
    for corners in sheet_markers(paper).values():
        assert corners.min() > 0
        assert (corners < [width, height]).all()


def photo_on_sheet(factor: float):
    """The bracket, `factor` as large, standing upside down on the sheet."""
    ground = sheet_pose(25, 330.0)
    photo = photo_of_sheet(ground)
    rotation = ground.rotation @ np.diag([1.0, -1, -1])
    translation = ground.rotation @ np.array([80.0, 170, 0]) + ground.translation
    camera = Camera(rotation, translation, FOCAL, (SHAPE[1] / 2, SHAPE[0] / 2), SHAPE[1], SHAPE[0])
    triangles = (drilled_bracket() * factor).astype(np.float32)
    maps = pose_render(surface_make(triangles), camera)
    light = 60 + 120 * np.clip(maps.normals @ np.array([0.4, 0.6, 0.69]), 0, 1)
    seen = maps.mask > 0
    photo[seen] = (light[seen, None] * np.array([0.9, 0.5, 0.3])).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 2, photo.shape)
    return (cv2.GaussianBlur(photo, (0, 0), 0.6) + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("factor", [1.0, 0.9])
def test_an_inspection_on_the_sheet_tells_the_size(factor):
    rgb = photo_on_sheet(factor)
    sheet = scale_find(rgb)
    assert sheet is not None
    part = part_prepare(drilled_bracket().astype(np.float32))
    seen = photo_inspect(InspectionPhoto(rgb, FOCAL), part, sheet=sheet)
    assert seen.size == pytest.approx(factor, rel=0.02)
    told = "size_deviation" in [reason.code for reason in seen.reasons]
    assert told == (factor != 1.0)
    assert (seen.verdict == "pass") == (factor == 1.0)

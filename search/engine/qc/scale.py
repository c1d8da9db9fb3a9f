"""Real millimetres in a photo: from a printed sheet of markers, or from a marker of known size.

One photo tells shape, not size. A sheet of ArUco markers (Garrido-Jurado et al. 2014) lying in
the piece's plane gives the camera's distance from that plane, hence mm. The sheet is drawn here,
as SVG for printing and as PNG; markers are found by OpenCV. Knows no part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from search.engine.errors import InspectionError

if TYPE_CHECKING:
    from search.engine.qc.types import Pose
    from search.engine.render.types import Bytes, Doubles

# Markers of 4 x 4 bits, 50 of them: few bits are read from far away.
DICTIONARY = cv2.aruco.DICT_4X4_50
CELLS = 6  # a marker's side in cells, its black border included
# An A4 page with markers around an empty field where the piece lies. mm.
PAGE = (210.0, 297.0)
MARKER = 20.0
EDGE = 12.0  # from the page's edge to a marker
RULER = 100.0  # of the line to check the print by
Paper = Literal["a4", "letter"]
PAPERS: dict[str, tuple[float, float]] = {"a4": PAGE, "letter": (215.9, 279.4)}
# The number of each paper's first marker, so that a photo tells which paper it shows.
FIRST = {"a4": 0, "letter": 20}
# Corners further than this (shares of a marker's side) from one plane are no sheet of ours.
MOST_OFF = 0.06


@dataclass(frozen=True, eq=False)
class Scale:
    """Where the sheet lies. `plane` (3, 3) maps photo pixels (x, y, 1) to mm on the sheet (scaled);
    `markers` how many were found; `error` the corners' root mean square distance from where the
    sheet has them, mm; `paper` which sheet it is."""

    plane: Doubles
    markers: int
    error: float
    paper: Paper = "a4"

    def on_sheet(self, pixels: Doubles) -> Doubles:
        """(n, 2) pixels -> (n, 2) mm on the sheet, from its top left corner."""
        ends = np.column_stack([pixels, np.ones(len(pixels))]) @ self.plane.T
        return np.asarray(ends[:, :2] / ends[:, 2:])

    def mm_a_pixel(self, x: float, y: float) -> float:
        """How many mm of the sheet a pixel covers at a place of the photo, by area."""
        square = np.array([[0, 0], [1, 0], [0, 1]]) - 0.5
        there = self.on_sheet(square + [x, y])
        right, down = there[1] - there[0], there[2] - there[0]
        return float(np.sqrt(abs(right[0] * down[1] - right[1] * down[0])))


def sheet_markers(paper: Paper = "a4") -> dict[int, Doubles]:
    """The corners (4, 2) mm of each marker on the page, clockwise from the top left, by id."""
    width, height = PAPERS[paper]
    across = np.linspace(EDGE, width - EDGE - MARKER, 5)
    down = np.linspace(EDGE, height - EDGE - MARKER - 10, 6)
    places = [(x, down[0]) for x in across] + [(x, down[-1]) for x in across]
    places += [(x, y) for y in down[1:-1] for x in (across[0], across[-1])]
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * MARKER
    return {number: square + np.array(place) for number, place in enumerate(places, FIRST[paper])}


def marker_cells(number: int) -> Bytes:
    """(CELLS, CELLS) uint8, 0 black and 255 white, without the white margin."""
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    return np.asarray(cv2.aruco.generateImageMarker(dictionary, number, CELLS), np.uint8)


def sheet_svg(paper: Paper = "a4", *, caption: str = "") -> str:
    """The sheet to print at 100%: markers, an empty field, and a line of RULER mm to check by.

    `caption` stands beside the line.
    """
    width, height = PAPERS[paper]
    shapes = []
    for number, corners in sheet_markers(paper).items():
        x, y = corners[0]
        cell = MARKER / CELLS
        dark = np.argwhere(marker_cells(number) == 0)
        path = "".join(
            f"M{x + column * cell:.3f} {y + row * cell:.3f}h{cell:.3f}v{cell:.3f}h-{cell:.3f}z"
            for row, column in dark
        )
        # A hairline about each cell: renderers else leave white seams between them.
        shapes.append(f'<path d="{path}" stroke="#000" stroke-width=".02"/>')
    left, base = (width - RULER) / 2, height - 8
    shapes.append(
        f'<path d="M{left} {base - 2}v4m0-2h{RULER}m0-2v4" fill="none" stroke="#000" '
        f'stroke-width=".3"/><text x="{left + RULER + 3}" y="{base + 1.2}" font-size="3.5" '
        f'font-family="sans-serif">{RULER:g} mm {_escaped(caption)}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(shapes)
        + "</svg>"
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sheet_picture(paper: Paper = "a4", *, dots_a_mm: float = 12.0) -> Bytes:
    """(h, w) uint8 grey: the markers of the sheet, for a PNG or a screen."""
    width, height = PAPERS[paper]
    page = np.full((round(height * dots_a_mm), round(width * dots_a_mm)), 255, np.uint8)
    for number, corners in sheet_markers(paper).items():
        left, top = np.round(corners[0] * dots_a_mm).astype(int)
        right, bottom = np.round(corners[2] * dots_a_mm).astype(int)
        size = (int(right - left), int(bottom - top))
        page[top:bottom, left:right] = cv2.resize(
            marker_cells(number), size, interpolation=cv2.INTER_NEAREST
        )
    base, left = round((height - 8) * dots_a_mm), round((width - RULER) / 2 * dots_a_mm)
    page[base : base + 4, left : left + round(RULER * dots_a_mm)] = 0
    return page


def scale_find(
    rgb: Bytes, *, paper: Paper | None = None, marker_mm: float | None = None
) -> Scale | None:
    """The sheet in a photo (h, w, 3); None where no marker is seen. Its markers tell its paper,
    where `paper` does not.

    `marker_mm`: the side of a single marker laid beside the piece instead of the sheet. Raises
    InspectionError bad_sheet when what is seen cannot be a flat sheet of ours.
    """
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    settings = cv2.aruco.DetectorParameters()
    settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(dictionary, settings)
    found, ids, _ = detector.detectMarkers(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    if ids is None or not len(ids):
        return None
    if marker_mm is not None:
        square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * marker_mm
        seen, known = found[0].reshape(4, 2), square
    else:
        paper = paper or ("letter" if np.median(ids) >= FIRST["letter"] else "a4")
        places = sheet_markers(paper)
        pairs = [
            (corners.reshape(4, 2), places[int(number)])
            for corners, number in zip(found, ids.ravel(), strict=True)
            if int(number) in places
        ]
        if not pairs:
            return None
        seen, known = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return replace(_plane_fit(seen.astype(np.float64), known), paper=paper or "a4")


def _plane_fit(seen: Doubles, known: Doubles) -> Scale:
    """The homography from pixels to mm, without corners that do not belong."""
    # Detected corners are whole at pixel centres; ours are halves there.
    seen = seen + 0.5
    method = cv2.RANSAC if len(seen) > 4 else 0
    plane, kept = cv2.findHomography(seen, known, method, MOST_OFF * MARKER)
    inside = np.asarray(kept).ravel() > 0
    if plane is None or not np.isfinite(plane).all() or inside.mean() < 0.6:
        raise InspectionError("bad_sheet", "The markers do not lie as on the printed sheet.")
    scale = Scale(np.asarray(plane, np.float64), int(inside.sum() // 4), 0.0)
    off = np.linalg.norm(scale.on_sheet(seen[inside]) - known[inside], axis=1)
    return Scale(scale.plane, scale.markers, float(np.sqrt((off**2).mean())))


def field_box(scale: Scale, shape: tuple[int, int]) -> tuple[int, ...]:
    """(left, top, right, bottom) pixels of the photo (h, w) that hold the sheet's empty field and
    no marker, as far as a rectangle can: where to look for the piece."""
    width, height = PAPERS[scale.paper]
    first = EDGE + MARKER + 2
    field = np.array(
        [
            [first, first],
            [width - first, first],
            [width - first, height - first - 10],
            [first, height - first - 10],
        ]
    )
    ends = np.column_stack([field, np.ones(4)]) @ np.linalg.inv(scale.plane).T
    x, y = np.sort(ends[:, 0] / ends[:, 2]), np.sort(ends[:, 1] / ends[:, 2])
    # Of four corners the second and third bound the rectangle inside, when the sheet lies straight.
    left, right = max(0, int(x[1])), min(shape[1], int(x[2]))
    top, bottom = max(0, int(y[1])), min(shape[0], int(y[2]))
    if right - left < 32 or bottom - top < 32:
        return 0, 0, shape[1], shape[0]
    return left, top, right, bottom


def size_factor(scale: Scale, points: Doubles, pose: Pose, shape: tuple[int, int]) -> float:
    """How large the piece is beside the part, 1 being equal, where the piece stands on the sheet.

    `points` (m, 3) mm are of the part's surface, in its own frame; `shape` (h, w) of the photo.
    The sheet's plane before the camera is n . x = d (Zhang 2000, 3.1: a homography is the camera
    matrix times two axes and the place of a plane). A piece k times as large stands at k times
    the pose's distance; k is where its lowest point touches the plane.
    """
    height, width = shape
    camera = np.array([[pose.focal, 0, width / 2], [0, pose.focal, height / 2], [0, 0, 1.0]])
    axes = np.linalg.inv(camera) @ np.linalg.inv(scale.plane)
    axes /= np.linalg.norm(axes[:, :2], axis=0).mean()
    if axes[2, 2] < 0:
        axes = -axes
    normal = np.cross(axes[:, 0], axes[:, 1])
    normal /= np.linalg.norm(normal)
    distance = float(normal @ axes[:, 2])
    if distance > 0:
        normal, distance = -normal, -distance
    heights = (points @ pose.rotation.T + pose.translation) @ normal
    return float(distance / heights.min())

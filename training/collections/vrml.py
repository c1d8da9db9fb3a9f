"""Reads the flat VRML 2.0 that CAD programs export: shapes of indexed face sets, nothing placed.

Only geometry: colours and crease angles are skipped. A scene with Transform nodes is refused, so
that no part is ever read with its pieces in the wrong places.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COMMENT = re.compile(r"#[^\n]*")
PLACED = re.compile(r"\b(?:Transform|Inline|PROTO|Extrusion|ElevationGrid)\b")
ARRAY = re.compile(r"\b(coordIndex|point)\s*\[([^]]*)\]")


def triangles_read(path: Path) -> NDArray[np.float64]:
    """(n, 3, 3) corners in file units. ValueError when the file is of another kind or broken."""
    return triangles_parse(path.read_text(encoding="utf-8", errors="replace"))


def triangles_parse(text: str) -> NDArray[np.float64]:
    """The triangles of every IndexedFaceSet; faces of more corners are fanned."""
    if not text.startswith("#VRML V2.0"):
        raise ValueError("not VRML 2.0")
    text = COMMENT.sub("", text)
    if found := PLACED.search(text):
        raise ValueError(f"{found[0]} is not understood")
    blocks = []
    waiting: dict[str, str] = {}
    # Within a face set the two arrays come in either order; a pair makes a set.
    for key, values in ARRAY.findall(text):
        if key in waiting:
            raise ValueError(f"two arrays {key} in one face set")
        waiting[key] = values
        if len(waiting) == 2:
            blocks.append(_face_set(waiting["coordIndex"], waiting["point"]))
            waiting = {}
    if waiting:
        raise ValueError("a face set without corners or faces")
    if not blocks:
        raise ValueError("no face sets")
    return np.concatenate(blocks)


def _face_set(indices: str, points: str) -> NDArray[np.float64]:
    corners = np.array(points.replace(",", " ").split(), dtype=np.float64)
    if len(corners) % 3:
        raise ValueError("corners are not three numbers each")
    corners = corners.reshape(-1, 3)
    faces = _fans(np.array(indices.replace(",", " ").split(), dtype=np.int64))
    if len(faces) and not 0 <= faces.min() <= faces.max() < len(corners):
        raise ValueError("a face names a corner that is not there")
    return corners[faces]


def _fans(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces ended by -1 -> (n, 3) triangles: first corner, and each pair after it."""
    if len(indices) and indices[-1] != -1:
        indices = np.append(indices, -1)
    if not (indices[3::4] == -1).all() or len(indices) % 4:
        ends = np.flatnonzero(indices == -1)
        polygons = [face[:-1] for face in np.split(indices, ends + 1) if len(face) > 3]
        fans = [(face[0], *face[i : i + 2]) for face in polygons for i in range(1, len(face) - 1)]
        return np.array(fans, dtype=np.int64).reshape(-1, 3)
    return indices.reshape(-1, 4)[:, :3]

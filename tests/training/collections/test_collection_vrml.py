"""The VRML reader: shapes as CAD programs export them, and nothing it would misplace."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.collections.vrml import triangles_parse, triangles_read

HEAD = "#VRML V2.0 utf8\n# made by hand\n"


def face_set(indices: str, points: str) -> str:
    return (
        "Shape { geometry IndexedFaceSet\n{ creaseAngle 0.50 coordIndex [" + indices + "]\n"
        "coord Coordinate { point [" + points + "]\n}}\nappearance Appearance{material USE PIN }}\n"
    )


def test_reads_the_triangles_of_every_shape_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "part.wrl"
    first = face_set("0,1,2,-1", "0 0 0,1 0 0,0 1 0")
    second = face_set("2,1,0,-1", "0 0 5, 2 0 5, 0 2 5")
    path.write_text(HEAD + first + second, encoding="utf-8")
    expected = [[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 2, 5], [2, 0, 5], [0, 0, 5]]]
    assert triangles_read(path).tolist() == expected


@pytest.mark.parametrize("indices", ["0 1 2 3 -1", "0, 1, 2, 3", "0,1,2,-1,0,2,3,-1"])
def test_fans_faces_of_more_corners_whatever_divides_them(indices: str) -> None:
    square = face_set(indices, "0 0 0, 1 0 0, 1 1 0, 0 1 0")
    expected = [[[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0], [0, 1, 0]]]
    assert triangles_parse(HEAD + square).tolist() == expected


def test_corners_may_stand_before_faces() -> None:
    text = "IndexedFaceSet { coord Coordinate { point [0 0 0 1 0 0 0 1 0] } coordIndex [0 1 2 -1] }"
    assert triangles_parse(HEAD + text).shape == (1, 3, 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("solid cube", "not VRML"),
        (HEAD, "no face sets"),
        (HEAD + "Transform { translation 1 0 0 children [] }", "Transform"),
        (HEAD + face_set("0,1,3,-1", "0 0 0,1 0 0,0 1 0"), "corner that is not there"),
        (HEAD + face_set("0,1,2,-1", "0 0 0,1 0 0,0 1"), "three numbers"),
        (HEAD + "coordIndex [0 1 2 -1] coordIndex [0 1 2 -1]", "two arrays"),
        (HEAD + "coordIndex [0 1 2 -1]", "without corners"),
    ],
)
def test_refuses_what_it_would_misread(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        triangles_parse(text)


@given(st.lists(st.integers(3, 7), min_size=1, max_size=8))
def test_a_face_of_n_corners_gives_n_minus_two_triangles_that_begin_there(sizes: list[int]) -> None:
    corners, faces = [], []
    for face, size in enumerate(sizes):
        faces.append([len(corners) + i for i in range(size)])
        corners += [(face, i, i * i) for i in range(size)]
    indices = ",-1,".join(",".join(map(str, face)) for face in faces)
    points = ",".join(" ".join(map(str, corner)) for corner in corners)
    found = triangles_parse(HEAD + face_set(indices, points))
    assert len(found) == sum(size - 2 for size in sizes)
    starts = np.repeat([corners[face[0]] for face in faces], [s - 2 for s in sizes], axis=0)
    np.testing.assert_array_equal(found[:, 0], starts)

"""Meshes made by code: shapes as triangles, and the bytes of every file format the product reads.

A shape is `(n, 3, 3) float64`, counter-clockwise seen from outside, watertight under exact
welding unless its name says otherwise, in mm. A writer turns triangles into a file's bytes and
depends on no reader of ours, so that a round trip proves something.
"""

import base64
import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Triangles = NDArray[np.float64]

STL_DTYPE = np.dtype([("normal", "<f4", (3,)), ("triangle", "<f4", (3, 3)), ("attribute", "<u2")])


# --- shapes -----------------------------------------------------------------------------------


def extrude(polygon: ArrayLike, height: float) -> Triangles:
    """A prism on a counter-clockwise polygon (p, 2) that is star-shaped from its first corner."""
    flat = np.asarray(polygon, dtype=np.float64)
    low = np.column_stack([flat, np.zeros(len(flat))])
    high = np.column_stack([flat, np.full(len(flat), float(height))])
    low_next, high_next = np.roll(low, -1, axis=0), np.roll(high, -1, axis=0)
    first = slice(1, -1), slice(2, None)
    corner = np.broadcast_to(low[0], low[first[0]].shape)
    corner_high = np.broadcast_to(high[0], low[first[0]].shape)
    return np.concatenate(
        [
            np.stack([corner, low[first[1]], low[first[0]]], axis=1),
            np.stack([corner_high, high[first[0]], high[first[1]]], axis=1),
            np.stack([low, low_next, high_next], axis=1),
            np.stack([low, high_next, high], axis=1),
        ]
    )


def revolve(profile: ArrayLike, sections: int) -> Triangles:
    """A closed, counter-clockwise profile (p, 2) of (radius > 0, z) turned about the z axis."""
    flat = np.asarray(profile, dtype=np.float64)
    angle = np.arange(sections) * (2 * np.pi / sections)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    z = np.broadcast_to(flat[:, 1], (sections, len(flat)))[..., None]
    a = np.concatenate([around[:, None, :] * flat[None, :, :1], z], axis=2)
    b, d = np.roll(a, -1, axis=0), np.roll(a, -1, axis=1)
    c = np.roll(b, -1, axis=1)
    return np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(
        -1, 3, 3
    )


def box(size: Sequence[float] = (10.0, 20.0, 30.0), centre: ArrayLike = (0, 0, 0)) -> Triangles:
    """12 triangles; volume and area are the product and the sum one expects."""
    x, y, z = size
    prism = extrude([(-x / 2, -y / 2), (x / 2, -y / 2), (x / 2, y / 2), (-x / 2, y / 2)], z)
    return prism + (np.asarray(centre, dtype=np.float64) - (0, 0, z / 2))


def open_box(size: Sequence[float] = (10.0, 20.0, 30.0)) -> Triangles:
    """A box without its lid: not watertight."""
    closed = box(size)
    return closed[~np.all(closed[:, :, 2] == size[2] / 2, axis=1)]


def cylinder(radius: float = 5.0, height: float = 20.0, *, sections: int = 32) -> Triangles:
    angle = np.arange(sections) * (2 * np.pi / sections)
    return extrude(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1), height)


def ring(
    outer: float = 10.0, inner: float = 8.0, height: float = 4.0, *, sections: int = 48
) -> Triangles:
    """A flat band with a rectangular section."""
    return revolve([(inner, 0), (outer, 0), (outer, height), (inner, height)], sections)


def torus(
    major: float = 10.0, minor: float = 3.0, *, sections: int = 48, tube: int = 24
) -> Triangles:
    angle = np.arange(tube) * (2 * np.pi / tube)
    return revolve(
        np.stack([major + minor * np.cos(angle), minor * np.sin(angle)], axis=1), sections
    )


def l_bracket(width: float = 30.0, depth: float = 20.0, thickness: float = 4.0) -> Triangles:
    """Two plates at a right angle; the first corner is the inner one (star-shaped from it)."""
    w, t = width, thickness
    return extrude([(t, t), (t, w), (0, w), (0, 0), (w, 0), (w, t)], depth)


def sphere(radius: float = 10.0, *, subdivisions: int = 3) -> Triangles:
    """An icosphere of 20 * 4**subdivisions triangles, its vertices on the radius."""
    golden = (1 + 5**0.5) / 2
    signs = [(s, t) for s in (-1.0, 1.0) for t in (-golden, golden)]
    corners = np.array([p for s, t in signs for p in ((0, s, t), (s, t, 0), (t, 0, s))])
    near = np.linalg.norm(corners[:, None] - corners[None], axis=2) < 2.1
    faces = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    shape = corners[np.array(faces)]
    inward = np.linalg.det(shape) < 0
    shape[inward] = shape[inward][:, ::-1]
    shape /= np.linalg.norm(shape, axis=2, keepdims=True)
    for _ in range(subdivisions):
        a, b, c = shape[:, 0], shape[:, 1], shape[:, 2]
        ab, bc, ca = ((p + q) / np.linalg.norm(p + q, axis=1, keepdims=True)
                      for p, q in ((a, b), (b, c), (c, a)))  # fmt: skip
        shape = np.concatenate(
            [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
    return shape * radius


def grid(cells: int, *, size: float = 100.0) -> Triangles:
    """A wavy sheet of 2 * cells**2 triangles: the cheap way to a very large file."""
    axis = np.linspace(-size / 2, size / 2, cells + 1)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    p = np.stack([x, y, np.sin(x / 9) * np.cos(y / 7) * 5], axis=2)
    a, b, c, d = p[:-1, :-1], p[1:, :-1], p[1:, 1:], p[:-1, 1:]
    return np.concatenate([np.stack([a, b, c], axis=2), np.stack([a, c, d], axis=2)]).reshape(
        -1, 3, 3
    )


# --- broken and altered shapes ----------------------------------------------------------------


def noisy(triangles: Triangles, *, sigma: float, seed: int = 0) -> Triangles:
    """Every corner moved on its own by gaussian noise of `sigma` mm: a soup, no longer welded."""
    return triangles + np.random.default_rng(seed).normal(0, sigma, triangles.shape)


def with_bad_numbers(triangles: Triangles, *, every: int = 3) -> Triangles:
    """NaN, +inf and -inf in turn in one corner of every `every`-th triangle, the first included."""
    bad = triangles.copy()
    hit = bad[::every, 1, 2]
    hit[:] = np.resize([np.nan, np.inf, -np.inf], len(hit))
    return bad


def with_far_outlier(triangles: Triangles, *, at: float = 1e6) -> Triangles:
    """One more triangle that reaches from the first corner out to `at` mm."""
    first = triangles[0, 0]
    spike = np.stack([first, first + (0.0, 0.1, 0.0), np.full(3, float(at))])
    return np.concatenate([triangles, spike[None]])


def degenerate(count: int = 8) -> Triangles:
    """Triangles without area: points and needles."""
    points = np.repeat(np.arange(count, dtype=np.float64)[:, None], 9, axis=1).reshape(-1, 3, 3)
    points[1::2, 1] += (1.0, 0.0, 0.0)
    return points


# --- files ------------------------------------------------------------------------------------


def stl_binary(
    triangles: Triangles,
    *,
    header: bytes = b"made by code",
    count: int | None = None,
    trailing: bytes = b"",
) -> bytes:
    """Binary STL; `count` lies in the header when given, `trailing` follows the last triangle."""
    records = np.zeros(len(triangles), dtype=STL_DTYPE)
    records["triangle"] = triangles
    claimed = len(triangles) if count is None else count
    return header.ljust(80, b"\0")[:80] + struct.pack("<I", claimed) + records.tobytes() + trailing


def stl_ascii(
    triangles: Triangles,
    *,
    name: str = "part",
    number: str = "{:.9g}",
    upper: bool = False,
    solids: int = 1,
    indent: str = "  ",
    newline: str = "\n",
) -> bytes:
    """ASCII STL in one or several solids; `number` formats a coordinate, e.g. "{:+.9E}"."""
    lines = []
    for piece in np.array_split(triangles, solids):
        lines.append(f"solid {name}")
        for corners in piece:
            lines += [f"{indent}facet normal 0 0 0", f"{indent * 2}outer loop"]
            lines += [
                f"{indent * 3}vertex {indent.join(number.format(v) for v in p)}" for p in corners
            ]
            lines += [f"{indent * 2}endloop", f"{indent}endfacet"]
        lines.append(f"endsolid {name}")
    text = newline.join(lines) + newline
    return (text.upper() if upper else text).encode()


def _indexed(triangles: Triangles) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    vertices, inverse = np.unique(triangles.reshape(-1, 3), axis=0, return_inverse=True)
    return vertices, inverse.reshape(-1, 3)


def obj(triangles: Triangles, *, negative: bool = False, head: str = "") -> bytes:
    """Wavefront OBJ; `negative` counts the indices from the end; `head` goes first (mtllib ...)."""
    vertices, faces = _indexed(triangles)
    numbers = faces - len(vertices) if negative else faces + 1
    lines = [head] if head else []
    lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in numbers]
    return ("\n".join(lines) + "\n").encode()


def ply(triangles: Triangles, *, text: bool = False, faces_claimed: int | None = None) -> bytes:
    """PLY, binary little-endian or ascii; `faces_claimed` lies in the header."""
    vertices, faces = _indexed(triangles)
    head = (
        f"ply\nformat {'ascii' if text else 'binary_little_endian'} 1.0\n"
        f"element vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces) if faces_claimed is None else faces_claimed}\n"
        "property list uchar int vertex_indices\nend_header\n"
    ).encode()
    if text:
        rows = [f"{x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices]
        rows += [f"3 {a} {b} {c}" for a, b, c in faces]
        return head + ("\n".join(rows) + "\n").encode()
    records = np.zeros(len(faces), dtype=[("n", "u1"), ("face", "<i4", (3,))])
    records["n"], records["face"] = 3, faces
    return head + vertices.astype("<f4").tobytes() + records.tobytes()


def off(triangles: Triangles) -> bytes:
    vertices, faces = _indexed(triangles)
    rows = [f"{x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices]
    rows += [f"3 {a} {b} {c}" for a, b, c in faces]
    return (f"OFF\n{len(vertices)} {len(faces)} 0\n" + "\n".join(rows) + "\n").encode()


def _gltf_tree(triangles: Triangles, matrices: Sequence[ArrayLike]) -> tuple[dict[str, Any], bytes]:
    vertices, faces = _indexed(triangles)
    points, numbers = vertices.astype("<f4").tobytes(), faces.astype("<u4").tobytes()
    nodes = [{"mesh": 0, "matrix": np.asarray(m, float).T.ravel().tolist()} for m in matrices]
    tree = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": nodes,
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": 4}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": len(vertices),
                "type": "VEC3",
                "min": vertices.min(axis=0).tolist(),
                "max": vertices.max(axis=0).tolist(),
            },
            {"bufferView": 1, "componentType": 5125, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": len(points)},
            {"buffer": 0, "byteOffset": len(points), "byteLength": len(numbers)},
        ],
        "buffers": [{"byteLength": len(points) + len(numbers)}],
    }
    return tree, points + numbers


def glb(triangles: Triangles, *, matrices: Sequence[ArrayLike] = (np.eye(4),)) -> bytes:
    """Binary glTF: the mesh placed once by each 4x4 matrix."""
    tree, data = _gltf_tree(triangles, matrices)
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(data), 0x004E4942) + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def gltf(
    triangles: Triangles,
    *,
    matrices: Sequence[ArrayLike] = (np.eye(4),),
    buffer_uri: str | None = None,
) -> bytes:
    """glTF with its buffer embedded, or with the (foreign) `buffer_uri` instead."""
    tree, data = _gltf_tree(triangles, matrices)
    embedded = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    tree["buffers"][0]["uri"] = embedded if buffer_uri is None else buffer_uri
    return json.dumps(tree).encode()


_3MF_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" '
    'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
_3MF_RELS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)


def model_xml(
    triangles: Triangles,
    *,
    unit: str | None = "millimeter",
    transforms: Sequence[str] = ("",),
    doctype: str = "",
) -> bytes:
    """The 3D model part of a 3MF; one build item for each transform (12 numbers or empty)."""
    vertices, faces = _indexed(triangles)
    points = "".join(f'<vertex x="{x:.9g}" y="{y:.9g}" z="{z:.9g}"/>' for x, y, z in vertices)
    rows = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in faces)
    items = "".join(
        f'<item objectid="1" transform="{t}"/>' if t else '<item objectid="1"/>' for t in transforms
    )
    named = f'unit="{unit}" ' if unit else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}<model {named}xml:lang="en-US" '
        'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>'
        f'<object id="1" type="model"><mesh><vertices>{points}</vertices>'
        f"<triangles>{rows}</triangles></mesh></object></resources>"
        f"<build>{items}</build></model>"
    ).encode()


def threemf(
    triangles: Triangles,
    *,
    unit: str | None = "millimeter",
    transforms: Sequence[str] = ("",),
    model: bytes | None = None,
) -> bytes:
    """3MF; `model` replaces the model part's bytes when given."""
    part = model_xml(triangles, unit=unit, transforms=transforms) if model is None else model
    return zip_bytes(
        {
            "[Content_Types].xml": _3MF_TYPES.encode(),
            "_rels/.rels": _3MF_RELS.encode(),
            "3D/3dmodel.model": part,
        }
    )


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """A deflated zip of the named members, names taken as they are."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


WRITERS: dict[str, Callable[[Triangles], bytes]] = {
    ".stl": stl_binary,
    ".obj": obj,
    ".ply": ply,
    ".off": off,
    ".glb": glb,
    ".gltf": gltf,
    ".3mf": threemf,
}

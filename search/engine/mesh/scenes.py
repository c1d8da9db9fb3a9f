"""PLY, OFF, GLB and glTF through trimesh, STEP through cascadio. Runs in the child process.

Nothing a file refers to is ever opened: trimesh gets a resolver that refuses.
"""

import io
import re
from typing import Any, BinaryIO, NoReturn

import numpy as np
import trimesh
from numpy.typing import NDArray
from trimesh.resolvers import Resolver

from search.engine.errors import MeshError
from search.engine.mesh.types import triangles_check, truncated

_MILLIMETRES_PER_METRE = 1000.0
_PLY_HEAD_BYTES = 1 << 16


class _RefusingResolver(Resolver):
    """Refuses every file that a file names."""

    def __init__(self) -> None:
        pass

    def get(self, key: str) -> NoReturn:
        if key == "model.gltf":
            # trimesh looks for it when the file itself cannot be parsed.
            raise ValueError("not JSON, or nested too deeply")
        raise MeshError(
            "outside_reference",
            f"The file refers to another file ({key[:80]!r}); it must carry its data itself.",
            reference=key[:80],
        )

    def write(self, name: str, data: object) -> NoReturn:
        raise NotImplementedError

    def namespaced(self, namespace: str) -> "_RefusingResolver":
        return self

    def keys(self) -> tuple[()]:
        return ()


def _placed(
    vertices: NDArray[Any], faces: NDArray[Any], matrix: NDArray[Any]
) -> NDArray[np.float64]:
    """(n, 3, 3) float64 with a 4x4 matrix (column vectors) applied."""
    points = np.asarray(vertices, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    # A mirroring matrix turns the faces inside out: turn them back.
    order = slice(None, None, -1 if np.linalg.det(matrix[:3, :3]) < 0 else 1)
    corners: NDArray[np.float64] = points[np.asarray(faces)[:, order]]
    return corners


def _ply_claims_check(head: bytes, vertices: int, faces: int) -> None:
    """trimesh takes an ascii PLY that ends early as it is: compare with what its header says.

    A polygon gives one triangle at least.
    """
    for element, found in (("vertex", vertices), ("face", faces)):
        claim = re.search(rb"\nelement\s+" + element.encode() + rb"\s+(\d{1,18})\b", head)
        if claim and int(claim[1]) > found:
            raise truncated(int(claim[1]), found, of=f"{element} rows")


def scene_read(stream: BinaryIO, *, kind: str, limit: int) -> NDArray[np.float64]:
    """(n, 3, 3) float64 of a whole scene, each geometry where its node places it.

    `kind` is trimesh's name: ply, off, glb or gltf. Raises MeshError: outside_reference,
    too_many_triangles; whatever else trimesh raises means that the file is malformed.
    """
    stream.seek(0)
    scene = trimesh.load_scene(
        stream,
        file_type=kind,
        resolver=_RefusingResolver(),
        process=False,
        skip_materials=True,
    )
    placed = []
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        geometry = scene.geometry[name]
        if isinstance(geometry, trimesh.Trimesh):
            placed.append((geometry.vertices, geometry.faces, np.asarray(matrix)))
    count = sum(len(faces) for _, faces, _ in placed)
    triangles_check(count, limit)
    if kind == "ply":
        stream.seek(0)
        head = stream.read(_PLY_HEAD_BYTES).partition(b"end_header")[0]
        _ply_claims_check(head, sum(len(vertices) for vertices, _, _ in placed), count)
    return np.concatenate([np.zeros((0, 3, 3)), *(_placed(*piece) for piece in placed)])


def step_read(stream: BinaryIO, *, limit: int) -> NDArray[np.float64]:
    """(n, 3, 3) float64 in mm. Raises MeshError: needs_extra, malformed, too_many_triangles."""
    try:
        import cascadio
    except ImportError as error:
        raise MeshError(
            "needs_extra", "STEP files need the optional extra `step`.", extra="step"
        ) from error
    stream.seek(0)
    # Threads of its own would escape the single-threaded parser server's reckoning.
    data = cascadio.load(stream.read(), file_type="step", use_parallel=False)
    if not data:
        raise MeshError("malformed", "The file is not a valid STEP file.", format="step")
    # OpenCASCADE converts the file's unit to glTF's metre.
    return scene_read(io.BytesIO(data), kind="glb", limit=limit) * _MILLIMETRES_PER_METRE

"""Helpers for the mesh room's tests: bytes in, a mesh or an error's code out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from search.engine.errors import MeshError
from search.engine.mesh.load import mesh_load
from search.engine.mesh.types import DEFAULT_LIMITS, Mesh, MeshLimits

Load = Callable[..., Mesh]
Refuse = Callable[..., MeshError]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """load(data, ".stl") -> Mesh, through the room's door."""

    def load_bytes(data: bytes, suffix: str, limits: MeshLimits = DEFAULT_LIMITS) -> Mesh:
        path = tmp_path / f"part{suffix}"
        path.write_bytes(data)
        return mesh_load(path, limits=limits)

    return load_bytes


@pytest.fixture
def refuse(load: Load) -> Refuse:
    """refuse(data, ".stl") -> the MeshError that loading must raise."""

    def refuse_bytes(data: bytes, suffix: str, limits: MeshLimits = DEFAULT_LIMITS) -> MeshError:
        with pytest.raises(MeshError) as caught:
            load(data, suffix, limits)
        assert str(caught.value).endswith(".")
        return caught.value

    return refuse_bytes

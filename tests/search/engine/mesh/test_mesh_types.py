"""A mesh knows which way its own up is."""

import numpy as np
import pytest

from search.engine.mesh.normalise import mesh_normalise
from tests.factories import meshes


@pytest.mark.parametrize(("format", "axis"), [("obj", 1), ("glb", 1), ("stl-binary", 2)])
def test_upright_puts_the_formats_own_up_on_z(format: str, axis: int) -> None:
    size = [10.0, 10.0, 10.0]
    size[axis] = 40.0
    mesh = mesh_normalise(meshes.box(size), format=format)
    extents = np.ptp(mesh.triangles_upright.reshape(-1, 3), axis=0)
    assert extents.argmax() == 2


def test_upright_is_a_rotation_and_not_a_mirror() -> None:
    turned = mesh_normalise(meshes.l_bracket(), format="obj").triangles_upright
    kept = mesh_normalise(meshes.l_bracket(), format="stl-binary").triangles

    def volume(triangles: np.ndarray) -> float:
        return float(
            np.einsum("ij,ij->", triangles[:, 0], np.cross(*triangles[:, 1:].swapaxes(0, 1)))
        )

    assert volume(turned) == pytest.approx(volume(kept), rel=1e-5)

"""3MF, OBJ, PLY, OFF, GLB and glTF, sound and hostile, through mesh_load."""

import base64
import json
import struct

import numpy as np
import pytest

from search.engine.mesh.facts import facts_measure
from search.engine.mesh.types import MeshLimits
from tests.factories import meshes

SHIFT = np.array([[1, 0, 0, 40], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
MIRROR = np.diag([-1.0, 1, 1, 1])


@pytest.mark.parametrize("suffix", sorted(meshes.WRITERS))
def test_every_format_gives_the_same_part(load, suffix):
    shape = meshes.l_bracket() + (3.0, 4.0, 5.0)
    facts = facts_measure(load(meshes.WRITERS[suffix](shape), suffix))
    assert facts.triangle_count == len(shape)
    assert facts.volume_mm3 == pytest.approx(4480, rel=1e-5)
    assert facts.bbox_mm == pytest.approx((30, 30, 20), rel=1e-5)
    assert facts.watertight


# --- OBJ --------------------------------------------------------------------------------------


def test_obj_with_quads_polygons_and_slashes(load):
    text = b"""# a box of quads, one side a polygon with a middle corner
mtllib ../../etc/passwd
o box
v 0 0 0 1.0
v 1 0 0
  v 1 1 0   # trailing words
v 0 1 0
v\t0 0 1
v 1 0 1
v 1 1 1
v 0 1 1
v 0.5 0 0
vt 0 0
vn 0 0 1
usemtl gold
s off
f 4 3 2 9 1
f 5/1 6/1/1 7//1 8
f 1/1/1 9/1/1 2/1/1 6/1/1 \\
5/1/1
f 2 3 7 6
f 3 4 8 7 # comment
f 4 1 5 8
l 1 2
p 1
"""
    facts = facts_measure(load(text, ".obj"))
    assert facts.volume_mm3 == pytest.approx(1.0)
    assert facts.watertight
    assert facts.triangle_count == 3 + 2 + 3 + 2 + 2 + 2


def test_obj_negative_indices_count_from_their_own_line(load):
    first = meshes.obj(meshes.box(), negative=True)
    second = meshes.obj(meshes.box(centre=(100, 0, 0)), negative=True)
    facts = facts_measure(load(first + second, ".obj"))
    assert facts.volume_mm3 == pytest.approx(12000)
    assert facts.components == 2


@pytest.mark.parametrize("face", [b"f 1 2 9", b"f 0 1 2", b"f -4 -2 -1", b"f 1 2 x", b"f 1 2 3.5"])
def test_obj_with_an_impossible_index_is_malformed(refuse, face):
    assert refuse(b"v 0 0 0\nv 1 0 0\nv 0 1 0\n" + face, ".obj").code == "malformed"


@pytest.mark.parametrize("vertex", [b"v 1 2", b"v a b c", b"v "])
def test_obj_with_an_impossible_vertex_is_malformed(refuse, vertex):
    assert refuse(b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" + vertex, ".obj").code == "malformed"


@pytest.mark.parametrize("text", [b"# nothing\n", b"v 0 0 0\nv 1 0 0\nf 1 2\n"])
def test_obj_without_triangles(refuse, text):
    assert refuse(text, ".obj").code == "no_triangles"


# --- PLY and OFF ------------------------------------------------------------------------------


def test_ascii_ply(load):
    assert facts_measure(load(meshes.ply(meshes.box(), text=True), ".ply")).watertight


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("claimed", [13, 4_000_000_000])
def test_ply_header_that_claims_too_many_faces(refuse, text, claimed):
    limits = MeshLimits(memory_mb=2048, cpu_s=20)
    error = refuse(meshes.ply(meshes.box(), text=text, faces_claimed=claimed), ".ply", limits)
    assert error.code in {"truncated", "malformed", "too_much_memory"}
    if text:
        assert error.params == {"claimed": claimed, "found": 12}


def test_off_with_an_impossible_index(refuse):
    data = meshes.off(meshes.box()).replace(b"\n3 0 ", b"\n3 99 ")
    assert refuse(data, ".off").code == "malformed"


# --- GLB and glTF -----------------------------------------------------------------------------


@pytest.mark.parametrize(("write", "suffix"), [(meshes.glb, ".glb"), (meshes.gltf, ".gltf")])
def test_scene_nodes_place_their_meshes(load, write, suffix):
    data = write(meshes.torus(), matrices=[np.eye(4), SHIFT, MIRROR @ SHIFT])
    facts = facts_measure(load(data, suffix))
    one = facts_measure(load(meshes.stl_binary(meshes.torus()), ".stl"))
    assert facts.components == 3
    assert facts.bbox_mm == pytest.approx((106, 26, 6), rel=1e-3)
    assert facts.volume_mm3 == pytest.approx(3 * one.volume_mm3, rel=1e-5)


@pytest.mark.parametrize(
    "uri",
    ["buffer.bin", "../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://a.test/b"],
)
def test_gltf_never_reads_another_file(refuse, uri, tmp_path):
    (tmp_path / "buffer.bin").write_bytes(b"\0" * 4096)
    error = refuse(meshes.gltf(meshes.box(), buffer_uri=uri), ".gltf")
    assert error.code == "outside_reference"
    assert uri in str(error)


def test_deeply_nested_json(refuse):
    nested = b'{"asset": {"version": "2.0"}, "extras": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    assert refuse(nested, ".gltf").code == "malformed"
    assert refuse(b'{"asset": ' + b'{"a":' * 200_000, ".gltf").code == "malformed"
    text = nested + b" " * (-len(nested) % 4)
    head = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A)
    assert refuse(head + text, ".glb").code == "malformed"


def test_gltf_nodes_in_a_ring_end(refuse):
    tree = json.loads(meshes.gltf(meshes.box()))
    tree["nodes"] = [{"children": [1]}, {"children": [0], "mesh": 0}]
    tree["scenes"] = [{"nodes": [0]}]
    error = refuse(json.dumps(tree).encode(), ".gltf", MeshLimits(cpu_s=5))
    assert error.code in {"malformed", "no_triangles", "took_too_long"}


def test_glb_that_places_a_mesh_too_often(refuse):
    data = meshes.glb(meshes.sphere(), matrices=[np.eye(4)] * 20)
    error = refuse(data, ".glb", MeshLimits(triangles=20_000))
    assert error.code == "too_many_triangles"
    assert error.params["found"] == 25_600


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".ply", ".off", ".3mf"])
def test_truncated_files_of_other_formats(refuse, suffix):
    data = meshes.WRITERS[suffix](meshes.sphere())
    assert refuse(data[: len(data) // 2], suffix).code in {
        "malformed",
        "truncated",
        "archive_unsafe",
    }


def test_gltf_accessor_that_claims_too_much(refuse):
    tree = json.loads(meshes.gltf(meshes.box()))
    del tree["accessors"][0]["bufferView"]
    tree["accessors"][0]["count"] = 10**11
    error = refuse(json.dumps(tree).encode(), ".gltf", MeshLimits(memory_mb=1500))
    assert error.code in {"malformed", "too_much_memory"}


# --- 3MF --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("millimeter", 1), (None, 1), ("inch", 25.4), ("micron", 0.001), ("meter", 1000)],
)
def test_3mf_units_become_millimetres(load, unit, factor):
    mesh = load(meshes.threemf(meshes.box((1, 2, 3)), unit=unit), ".3mf")
    assert facts_measure(mesh).bbox_mm == pytest.approx((factor, 2 * factor, 3 * factor))


def test_3mf_build_items_place_their_objects(load):
    turns = ("", "1 0 0 0 1 0 0 0 1 40 0 0", "-1 0 0 0 1 0 0 0 1 -40 0 0")
    facts = facts_measure(load(meshes.threemf(meshes.torus(), transforms=turns), ".3mf"))
    one = facts_measure(load(meshes.stl_binary(meshes.torus()), ".stl"))
    assert facts.bbox_mm == pytest.approx((106, 26, 6), rel=1e-3)
    assert facts.volume_mm3 == pytest.approx(3 * one.volume_mm3, rel=1e-5)


def model_3mf(resources: str, build: str) -> bytes:
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    production = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
    return (
        f'<model xmlns="{core}" xmlns:p="{production}"><resources>{resources}</resources>'
        f"<build>{build}</build></model>"
    ).encode()


def object_3mf(number: int, shape) -> str:
    text = meshes.model_xml(shape).decode()
    found = text[text.index("<object") : text.index("</resources>")]
    return found.replace('id="1"', f'id="{number}"', 1)


def test_3mf_components_of_components_and_of_other_parts(load):
    """Two objects in one foreign part, as slicers write them, keep apart."""
    foreign = object_3mf(1, meshes.box((1, 1, 1))) + object_3mf(2, meshes.box((2, 2, 2)))
    path = 'p:path="/3D/Objects/Pieces.model"'
    inner = (
        f'<object id="8"><components><component {path} objectid="1"/>'
        f'<component {path} objectid="2" transform="1 0 0 0 1 0 0 0 1 10 0 0"/>'
        "</components></object>"
    )
    outer = (
        '<object id="9"><components><component objectid="8"/>'
        '<component objectid="8" transform="0 1 0 -1 0 0 0 0 1 0 50 0"/></components></object>'
    )
    root = model_3mf(inner + outer, '<item objectid="9" transform="2 0 0 0 2 0 0 0 2 0 0 0"/>')
    data = meshes.zip_bytes(
        {"3D/3dmodel.model": root, "3D/Objects/Pieces.model": model_3mf(foreign, "")}
    )
    mesh = load(data, ".3mf")
    facts = facts_measure(mesh)
    assert facts.components == 4
    assert facts.volume_mm3 == pytest.approx(2 * 8 * (1 + 8))
    # x: from -1 to 22; y: from -1 to 2 * (50 + 11)... the second copy is turned by 90 degrees.
    low, high = np.array([[-2, -2, -2], [22, 122, 2]], dtype=float)
    points = mesh.points_restore().reshape(-1, 3)
    np.testing.assert_allclose([points.min(axis=0), points.max(axis=0)], [low, high], atol=1e-4)


def test_3mf_without_a_build_shows_what_it_has(load):
    data = meshes.threemf(meshes.box(), model=model_3mf(object_3mf(1, meshes.box()), ""))
    assert len(load(data, ".3mf").triangles) == 12


@pytest.mark.parametrize(
    "resources",
    [
        '<object id="1"><components><component objectid="1"/></components></object>',
        '<object id="1"><components><component objectid="7"/></components></object>',
        '<object id="1"><mesh><vertices><vertex x="0" y="0"/></vertices></mesh></object>',
        '<object id="1"><mesh><triangle v1="0" v2="1" v3="2"/></mesh></object>',
        '<object id="1"><mesh><triangle v1="a" v2="1" v3="2"/></mesh></object>',
        f'<object id="1"><mesh><triangle v1="{10**30}" v2="1" v3="2"/></mesh></object>',
        "<object",
    ],
)
def test_3mf_that_makes_no_sense_is_malformed(refuse, resources):
    data = meshes.threemf(meshes.box(), model=model_3mf(resources, '<item objectid="1"/>'))
    assert refuse(data, ".3mf").code == "malformed"


def test_3mf_unknown_unit(refuse):
    assert refuse(meshes.threemf(meshes.box(), unit="cubit" * 999), ".3mf").code == "malformed"


def test_3mf_components_that_multiply(refuse):
    """Thirty objects, each twice the one before: a billion copies of a box in 2 kB."""
    chain = object_3mf(0, meshes.box())
    for number in range(1, 31):
        twice = f'<component objectid="{number - 1}"/>' * 2
        chain += f'<object id="{number}"><components>{twice}</components></object>'
    data = meshes.threemf(meshes.box(), model=model_3mf(chain, '<item objectid="30"/>'))
    error = refuse(data, ".3mf")
    assert error.code == "too_many_triangles"
    assert error.params["found"] == 12 * 2**30


def test_3mf_billion_laughs(refuse):
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    model = meshes.model_xml(meshes.box(), doctype=f"<!DOCTYPE model [{entities}]>")
    data = meshes.threemf(meshes.box(), model=model.replace(b"<resources>", b"&a11;<resources>"))
    error = refuse(data, ".3mf")
    assert error.code == "archive_unsafe"
    assert error.params == {"reason": "doctype"}


def test_3mf_outside_entity_is_refused(refuse):
    doctype = '<!DOCTYPE model [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    data = meshes.threemf(meshes.box(), model=meshes.model_xml(meshes.box(), doctype=doctype))
    assert refuse(data, ".3mf").params == {"reason": "doctype"}


def test_3mf_zip_bomb(refuse):
    """40 MB of spaces in 40 kB, under a cap of 16 MB."""
    model = meshes.model_xml(meshes.box()) + b" " * (40 << 20)
    error = refuse(meshes.threemf(meshes.box(), model=model), ".3mf", MeshLimits(unpacked_mb=16))
    assert error.code == "archive_unsafe"
    assert error.params == {"reason": "too_large"}


def test_3mf_with_a_parent_step(refuse):
    data = meshes.zip_bytes({"3D/3dmodel.model": meshes.model_xml(meshes.box()), "../evil": b"x"})
    assert refuse(data, ".3mf").params == {"reason": "path"}


def test_3mf_with_too_many_members(refuse):
    members = {f"3D/{n}.txt": b"" for n in range(50)}
    members["3D/3dmodel.model"] = meshes.model_xml(meshes.box())
    error = refuse(meshes.zip_bytes(members), ".3mf", MeshLimits(members=20))
    assert error.params == {"reason": "too_many_members"}


def test_3mf_without_a_model(refuse):
    assert refuse(meshes.zip_bytes({"3D/readme": b"x"}), ".3mf").code == "malformed"


# --- STEP -------------------------------------------------------------------------------------


def test_step_needs_its_extra(refuse, monkeypatch):
    """The same whether the extra is installed or not: the file itself is no STEP."""
    error = refuse(b"ISO-10303-21;\nHEADER;\nnonsense", ".step")
    assert error.code in {"needs_extra", "malformed"}
    if error.code == "needs_extra":
        assert error.params == {"extra": "step"}


def test_gltf_data_uri_with_a_wrong_length(refuse):
    tree = json.loads(meshes.gltf(meshes.box()))
    short = base64.b64encode(b"\0" * 10).decode()
    tree["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{short}"
    assert refuse(json.dumps(tree).encode(), ".gltf").code == "malformed"

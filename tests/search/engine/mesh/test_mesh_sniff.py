"""The checks at the door: first bytes, name and size."""

import pytest

from search.engine.errors import MeshError
from search.engine.mesh.sniff import HEAD_BYTES, format_sniff
from search.engine.mesh.types import SUFFIXES
from tests.factories import meshes

FORMATS = {
    ".stl": "stl-binary",
    ".obj": "obj",
    ".ply": "ply",
    ".off": "off",
    ".glb": "glb",
    ".gltf": "gltf",
    ".3mf": "3mf",
}


def sniff(data, name):
    return format_sniff(data[:HEAD_BYTES], name, len(data))


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_every_format_is_known_by_its_name_and_content(suffix):
    data = meshes.WRITERS[suffix](meshes.box())
    assert sniff(data, f"PART{suffix.upper()}") == FORMATS[suffix]


@pytest.mark.parametrize("suffix", sorted(set(FORMATS) - {".obj"}))
def test_sure_content_wins_over_the_name(suffix):
    data = meshes.WRITERS[suffix](meshes.box())
    assert sniff(data, "part.obj") == FORMATS[suffix]
    assert sniff(data, "part") == FORMATS[suffix]


def test_ascii_stl_and_step():
    assert sniff(meshes.stl_ascii(meshes.box()), "a.stl") == "stl-ascii"
    assert sniff(b"\xef\xbb\xbf \n" + meshes.stl_ascii(meshes.box()), "a.stl") == "stl-ascii"
    assert sniff(b"solid empty\nendsolid empty\n", "a.stl") == "stl-ascii"
    assert sniff(b"ISO-10303-21;\nHEADER;", "a.stp") == "step"


def test_a_header_that_begins_with_solid_or_a_foreign_mark_is_still_binary_stl():
    for header in (b"solid facet normal", b"BM", b"MZ", b"%PDF"):
        assert sniff(meshes.stl_binary(meshes.box(), header=header), "a.stl") == "stl-binary"


@pytest.mark.parametrize(
    ("data", "looks_like"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "html"),
        (b"\n\n<html lang=en><head>", "html"),
        (b"<!-- proxy --><HTML>", "html"),
        (b"%PDF-1.7\n%\xe2\xe3", "pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        (b"MZ\x90\0\x03\0\0\0" * 20, "program"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 100, "program"),
        (meshes.zip_bytes({"readme.txt": b"hello"}), "archive"),
        (b'{"error": "not found"}', "text"),
        (b"Not Found", "text"),
    ],
)
def test_strangers_named_stl(data, looks_like):
    with pytest.raises(MeshError) as caught:
        sniff(data, "part.stl")
    assert caught.value.code == "not_a_mesh"
    assert caught.value.params == {"looks_like": looks_like}


@pytest.mark.parametrize("suffix", [".ply", ".3mf", ".glb", ".gltf", ".step"])
def test_a_name_alone_does_not_make_a_marked_format(suffix):
    with pytest.raises(MeshError) as caught:
        sniff(b"\0\1\2\3 nothing", f"part{suffix}")
    assert caught.value.code == "not_a_mesh"


@pytest.mark.parametrize("name", ["part.dwg", "part", "stl", "零件.step.bak"])
def test_an_unknown_format_lists_the_known_ones(name):
    with pytest.raises(MeshError) as caught:
        sniff(b"\0\1\2\3 nothing", name)
    assert caught.value.code == "unknown_format"
    assert all(suffix in str(caught.value) for suffix in SUFFIXES)


def test_an_empty_file():
    with pytest.raises(MeshError) as caught:
        format_sniff(b"", "part.stl", 0)
    assert caught.value.code == "empty_file"

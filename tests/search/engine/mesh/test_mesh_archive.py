"""Zip archives from strangers."""

import io
import stat
import zipfile

import pytest

from search.engine.errors import MeshError
from search.engine.mesh.archive import Archive, ArchiveLimits
from tests.factories import meshes

LIMITS = ArchiveLimits()


def reason_of(data, limits=LIMITS, extract=False):
    with pytest.raises(MeshError) as caught, Archive(io.BytesIO(data), limits) as archive:
        for member in archive.members:
            if extract:
                archive.extract(member, io.BytesIO())
    assert caught.value.code == "archive_unsafe"
    return caught.value.params["reason"]


def members_of(data):
    with Archive(io.BytesIO(data), ArchiveLimits()) as archive:
        return {member.name: member.refused for member in archive.members}


def test_members_in_order_and_their_bytes(tmp_path):
    path = tmp_path / "parts.zip"
    path.write_bytes(meshes.zip_bytes({"rings/a.stl": b"a" * 3_000_000, "rings/": b"", "b": b""}))
    with Archive(path, ArchiveLimits()) as archive:
        first, second = archive.members
        assert (first.name, first.size, first.refused) == ("rings/a.stl", 3_000_000, "")
        target = io.BytesIO()
        assert archive.extract(first, target) == 3_000_000
        assert target.getvalue() == b"a" * 3_000_000
        assert archive.extract(second, io.BytesIO()) == 0


@pytest.mark.parametrize(
    "name",
    [
        "../evil.stl",
        "a/../../evil.stl",
        "/etc/passwd",
        "C:/evil.stl",
        "C:\\evil.stl",
        "..\\evil.stl",
        "\\\\host\\share",
        "a\x07b.stl",
        "a\0.stl",
        "a\n.stl",
        "x" * 2000,
    ],
)
def test_unsafe_names_are_refused_one_by_one(name):
    # zipfile cuts a name at NUL when writing: put it into the finished bytes instead.
    written = name.replace("\0", "\1")
    data = meshes.zip_bytes({written: b"x", "good.stl": b"y"}).replace(b"a\1.stl", b"a\0.stl")
    refusals = members_of(data)
    assert refusals["good.stl"] == ""
    assert sorted(refusals.values()) == ["", "path"]
    assert reason_of(data, extract=True) == "path"


def test_names_with_dots_that_are_harmless():
    assert set(members_of(meshes.zip_bytes({"a..b.stl": b"", "./c.stl": b""})).values()) == {""}


def test_links_and_devices_are_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, kind in (("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO), ("file", stat.S_IFREG)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, b"/etc/passwd")
    assert members_of(stream.getvalue()) == {"link": "link", "pipe": "link", "file": ""}


def test_duplicates_after_tidying_the_path_are_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("a/b.stl", "a//b.stl", "./a/b.stl"):
            archive.writestr(zipfile.ZipInfo(name), name)
    assert list(members_of(stream.getvalue()).values()) == ["", "duplicate", "duplicate"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp950", "gb18030"])
def test_chinese_names_without_the_utf8_flag(encoding):
    name = "戒指/戒台.stl" if encoding != "gb18030" else "垫圈/垫圈.stl"
    raw = name.encode(encoding)
    data = meshes.zip_bytes({"x" * len(raw): b"data"}).replace(b"x" * len(raw), raw)
    assert members_of(data) == {name: ""}


def test_bytes_that_no_encoding_explains_still_give_a_name():
    data = meshes.zip_bytes({"xxxx.stl": b"data"}).replace(b"xxxx", b"\xff\xfe\xfd\xff")
    (name,) = members_of(data)
    assert name.endswith(".stl")


def test_too_many_members_and_too_many_bytes():
    data = meshes.zip_bytes({f"{n}.stl": b"\0" * (1 << 20) for n in range(9)})
    assert reason_of(data, ArchiveLimits(members=8)) == "too_many_members"
    assert reason_of(data, ArchiveLimits(unpacked_mb=8)) == "too_large"
    with Archive(io.BytesIO(data), ArchiveLimits(members=9, unpacked_mb=9)) as archive:
        assert sum(archive.extract(m, io.BytesIO()) for m in archive.members) == 9 << 20


def test_the_allowance_holds_for_what_is_read_not_only_for_what_is_claimed():
    data = meshes.zip_bytes({"a": b"\0" * (1 << 20)})
    with Archive(io.BytesIO(data), ArchiveLimits(unpacked_mb=2)) as archive:
        (member,) = archive.members
        archive.extract(member, io.BytesIO())
        archive.extract(member, io.BytesIO())
        with pytest.raises(MeshError) as caught:
            archive.extract(member, io.BytesIO())
    assert caught.value.params == {"reason": "too_large"}


def test_a_member_that_lies_about_its_size_is_damaged():
    data = bytearray(meshes.zip_bytes({"a": b"\0" * 5000}))
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (100).to_bytes(4, "little")
    assert reason_of(bytes(data), extract=True) == "damaged"


def test_encrypted_and_exotic_members_are_refused():
    data = bytearray(meshes.zip_bytes({"a": b"data"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert members_of(bytes(data)) == {"a": "encrypted"}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"data")
    assert members_of(stream.getvalue()) == {"a": "compression"}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing", b"\0" * 100])
def test_not_a_zip(data):
    assert reason_of(data) == "not_a_zip"


def test_damaged_bytes():
    data = bytearray(meshes.zip_bytes({"a": bytes(range(256)) * 40}))
    data[60:90] = b"\xff" * 30
    assert reason_of(bytes(data), extract=True) == "damaged"

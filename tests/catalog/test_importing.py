"""Folders and zips come in file by file; one that is broken stops none of the others."""

import csv
import io
import zipfile

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Category, Part
from tests.factories import meshes

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path):
    for n, kind in enumerate(("rings", "rings", "hex_bolts")):
        (tmp_path / kind).mkdir(exist_ok=True)
        data = meshes.stl_binary(meshes.box((n + 1, 2, 3)))
        (tmp_path / kind / f"R810749{n}.stl").write_bytes(data)
    (tmp_path / "rings" / "broken.stl").write_bytes(b"<html>not found</html>")
    (tmp_path / "rings" / "notes.txt").write_text("not a mesh, and not looked at")
    return tmp_path


def run(*args: object, **options: object) -> str:
    out = io.StringIO()
    call_command("import_parts", *map(str, args), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_a_folder_with_categories(folder) -> None:
    assert run(folder, category_from_folder=True, jobs=1) == (
        "4 files: 3 new, 0 here already, 1 failed.\n"
    )
    assert set(Part.objects.values_list("number", "category__name")) == {
        ("R8107490", "rings"),
        ("R8107491", "rings"),
        ("R8107492", "hex bolts"),
    }
    assert Category.objects.count() == 2


def test_again_after_a_break(folder) -> None:
    run(folder, jobs=1)
    (folder / "rings" / "new.stl").write_bytes(meshes.stl_binary(meshes.sphere()))
    assert run(folder, jobs=1).startswith("5 files: 1 new, 3 here already, 1 failed.")


def test_a_report_with_a_line_for_each_file(folder, tmp_path) -> None:
    report = tmp_path / "report.csv"
    run(folder, jobs=1, report=report)
    rows = list(csv.DictReader(report.open(encoding="utf-8")))
    assert len(rows) == 4
    failed = next(row for row in rows if row["state"] == "failed")
    assert failed["file"] == "rings/broken.stl"
    assert "web page" in failed["reason"]


def test_one_file(folder) -> None:
    assert run(folder / "rings" / "R8107490.stl", jobs=1).startswith("1 files: 1 new")


def test_a_zip(folder, tmp_path) -> None:
    archive = tmp_path / "parts.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (folder / "rings").iterdir():
            file.write(path, f"戒指/{path.name}")
        file.writestr("../../outside.stl", meshes.stl_binary(meshes.sphere()))
        file.writestr("__MACOSX/戒指/._R8107490.stl", b"a Mac's shadow")
    assert run(archive, category_from_folder=True).startswith(
        "4 files: 2 new, 0 here already, 2 failed."
    )
    assert Category.objects.filter(name="戒指").exists()
    assert not (tmp_path.parent / "outside.stl").exists()


def test_a_zip_bomb(tmp_path, settings) -> None:
    limits = settings.SEARCH.limits.model_copy(update={"archive_mb": 1})
    settings.SEARCH = settings.SEARCH.model_copy(update={"limits": limits})
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.stl", bytes(3_000_000))
    with pytest.raises(CommandError, match="unpacks to more"):
        run(archive)


@pytest.mark.parametrize("content", [b"", b"not a zip"])
def test_what_is_no_zip(tmp_path, content) -> None:
    archive = tmp_path / "parts.zip"
    archive.write_bytes(content)
    with pytest.raises(CommandError, match="zip"):
        run(archive)


def test_nothing_there(tmp_path) -> None:
    with pytest.raises(CommandError, match="nothing at"):
        run(tmp_path / "nowhere")


@pytest.mark.django_db(transaction=True)
def test_several_at_a_time(folder) -> None:
    assert run(folder, jobs=3).startswith("4 files: 3 new, 0 here already, 1 failed.")

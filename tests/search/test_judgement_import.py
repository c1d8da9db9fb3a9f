"""Files of judgements become queries that engines are measured by."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from catalog.errors import SENTENCES, ServiceError
from catalog.models import Part
from search.evaluation import judgement_import
from search.evaluation.judgement_files import FileFault, judgements_read, topics_read
from search.evaluation.judgement_import import FolderBundle, upload_import
from search.evaluation.questions import Choice, Reader, refs_choose
from search.models import EvaluationQuery, Judgement
from tests.factories.shelf import axes_in_place, looks, part_on_shelf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def axes(monkeypatch: pytest.MonkeyPatch) -> Any:
    return axes_in_place(monkeypatch)


@pytest.fixture
def parts() -> list[Part]:
    return [part_on_shelf(looks(0.9, grain=n), number=f"R{n}") for n in range(3)]


def grades() -> dict[str, dict[str, float]]:
    """What is held, by the query as people see it and the parts' numbers."""
    found: dict[str, dict[str, float]] = {}
    for row in Judgement.objects.select_related("query", "part"):
        found.setdefault(str(row.query), {})[row.part.number] = row.grade
    return found


def bring(text: str, name: str = "rings.csv") -> judgement_import.Imported:
    return upload_import(SimpleUploadedFile(name, text.encode()), query_set="")


def picture(colour: str = "#456") -> bytes:
    image = Image.new("RGB", (60, 50), "white")
    ImageDraw.Draw(image).rectangle((10, 10, 40, 40), fill=colour)
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "text,part,grade\nring,R0,3\nring,R1,1\n戒指,R2,2\n"),
        ("a.csv", "\ufeffQuery,Part Number,Relevance\nring,R0,3\nring,R1,1\n戒指,R2,2\n"),
        ("a.tsv", "grade\tpart\ttext\n3\tR0\tring\n1\tR1\tring\n\n2\tR2\t戒指\n"),
        (
            "a.jsonl",
            '{"text": "ring", "relevant": {"R0": 3, "R1": 1}}\n'
            '{"query": "戒指", "parts": [{"part": "R2", "grade": 2}]}\n',
        ),
        (
            "a.json",
            '[{"text": "ring",\n  "relevant": {"R0": 3, "R1": 1}},\n'
            ' {"query": "戒指", "parts": [{"part": "R2", "grade": 2}]}]',
        ),
        ("a.csv", "text;part;grade\nring;R0;3\nring;R1;1\n戒指;R2;2\n"),
    ],
)
def test_each_way_to_write_it_says_the_same(parts: list[Part], name: str, text: str) -> None:
    done = bring(text, name)
    assert (done.query_set, done.queries, done.judgements, done.left_out) == ("a", 2, 3, 0)
    assert grades() == {"ring": {"R0": 3, "R1": 1}, "戒指": {"R2": 2}}
    assert dict(EvaluationQuery.objects.values_list("text", "language")) == {
        "ring": "en",
        "戒指": "zh",
    }


def test_parts_are_known_by_number_id_and_file(parts: list[Part]) -> None:
    one, two, three = parts
    done = bring(f"text,parts\nring,R0;{two.uuid};{three.file_name};R99\n")
    assert grades() == {"ring": {"R0": 1, "R1": 1, "R2": 1}}
    assert done.unknown == 1


def test_a_table_called_queries_is_one(parts: list[Part]) -> None:
    assert bring("text,part\nring,R0\n", "queries.csv").queries == 1
    with zipfile.ZipFile(held := io.BytesIO(), "w") as archive:
        archive.writestr("queries.csv", "picture,part\none.png,R0\n")
        archive.writestr("one.png", picture())
    done = upload_import(SimpleUploadedFile("photos.zip", held.getvalue()), query_set="")
    assert (done.queries, EvaluationQuery.objects.filter(kind="image").count()) == (1, 1)


def test_a_part_that_is_graded_twice_keeps_the_first(parts: list[Part]) -> None:
    done = bring("text,part,grade\nring,R0,3\nring,R0,0\nring,R0,3\n")
    assert grades() == {"ring": {"R0": 3}}
    assert done.faults == ["3: An earlier line gives the same part another grade; that one holds."]


@pytest.mark.parametrize("text", ['"\\ud800 ring"', '"ri\\u0000ng"'])
def test_half_a_character_is_no_text(parts: list[Part], text: str) -> None:
    rows = [f'{{"text": {text}, "part": "R0"}}', f'{{"text": "a", "part": {text}}}']
    done = bring("\n".join([*rows, '{"text": "ring", "part": "R0"}']), "a.jsonl")
    assert grades() == {"ring": {"R0": 1}}
    assert done.left_out == 2


def test_two_who_bring_in_the_same_set_at_once(
    parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other's rows come between the look at what is held and the writing."""
    held = EvaluationQuery.objects.bulk_create

    def late(rows: Any, **options: Any) -> Any:
        monkeypatch.setattr(EvaluationQuery.objects, "bulk_create", held)
        EvaluationQuery.objects.create(
            origin="file", query_set="rings", kind="text", text="ring", digest=rows[0].digest
        )
        return held(rows, **options)

    monkeypatch.setattr(EvaluationQuery.objects, "bulk_create", late)
    with pytest.raises(ServiceError) as refused:
        bring("text,part\nring,R0\n")
    assert (refused.value.code, refused.value.status) == ("judgements_busy", 409)


@pytest.mark.parametrize("written", [1, 2, 5000])
def test_a_set_brought_in_again_takes_its_place(
    parts: list[Part], monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    monkeypatch.setattr(judgement_import, "WRITTEN", written)
    bring("text,part\nring,R0\nbox,R1\n")
    held = EvaluationQuery.objects.get(text="ring").pk
    bring("text,part,language\nring,R1,zh\ngear,R2,\n")
    assert grades() == {"ring": {"R1": 1}, "gear": {"R2": 1}}
    ring = EvaluationQuery.objects.get(text="ring")
    assert (ring.pk, ring.language) == (held, "zh")
    bring("text,part\nring,R0\n", "another.csv")
    assert EvaluationQuery.objects.filter(text="ring").count() == 2
    assert len(refs_choose(Choice(query_set="another"))) == 1


def test_another_that_comes_between_is_told(
    parts: list[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the set would be a mixture of two files."""
    held = judgement_import._write_some

    def between(*args: Any) -> None:
        held(*args)
        monkeypatch.setattr(judgement_import, "_write_some", held)
        EvaluationQuery.objects.create(
            origin="file", query_set="rings", kind="text", text="other", digest="0" * 64
        )

    monkeypatch.setattr(judgement_import, "_write_some", between)
    with pytest.raises(ServiceError) as refused:
        bring("text,part\nring,R0\n")
    assert refused.value.code == "judgements_busy"


def test_pictures_come_in_a_zip(parts: list[Part], staff: Any) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(
            "photos/judged.csv",
            "picture,text,part\nphotos/one.png,,R0\ntwo.png,ring,R1\nnone.png,,R2\nbad.png,,R2\n",
        )
        archive.writestr("photos/one.png", picture())
        archive.writestr("photos/two.png", picture("#a33"))
        archive.writestr("photos/bad.png", b"\x89PNG but no more")
    done = upload_import(SimpleUploadedFile("photos.zip", held.getvalue()), query_set="")
    assert (done.queries, done.left_out) == (2, 2)
    assert any("none.png" in fault for fault in done.faults)
    kinds = {query.kind: query for query in EvaluationQuery.objects.all()}
    assert set(kinds) == {"image", "hybrid"}
    question = Reader(Choice()).read(f"q:{kinds['image'].pk}")
    assert question.query.image == picture()
    file = kinds["hybrid"].file.name
    with zipfile.ZipFile(again := io.BytesIO(), "w") as archive:
        archive.writestr("judged.csv", "picture,part\none.png,R0\n")
        archive.writestr("one.png", picture())
    upload_import(SimpleUploadedFile("photos.zip", again.getvalue()), query_set="")
    assert EvaluationQuery.objects.get() == kinds["image"]
    assert default_storage.exists(kinds["image"].file.name)
    assert not EvaluationQuery.objects.filter(file=file).exists()


def test_trec_files_are_read(parts: list[Part], tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "qrels.txt").write_text("1 0 R0 2\n1 0 R1 -1\n7 0 R2 1\n9 0 R2 1\n1 0 R1\n")
    (tmp_path / "topics.tsv").write_text("1\ta thin ring\n")
    (tmp_path / "7.png").write_bytes(picture())
    call_command("judgements_import", tmp_path, set="trec", topics="topics.tsv")
    out, faults = capsys.readouterr()
    assert "trec: 2 queries, 3 judgements; 2 left out" in out
    assert faults.count("\n") == 2
    assert grades()["a thin ring"] == {"R0": 2, "R1": 0}
    assert set(EvaluationQuery.objects.values_list("name", "kind")) == {
        ("1", "text"),
        ("7", "image"),
    }


def test_a_file_is_measured_by_at_once(parts: list[Part], tmp_path: Path, capsys: Any) -> None:
    table = tmp_path / "rings.csv"
    table.write_text("text,part\nring,R0;R1;R2\n")
    call_command("evaluate", queries=table, engines=("mini",), threads=0)
    assert "1.000 [1.000, 1.000]" in capsys.readouterr().out
    long = tmp_path / f"{'x' * 90}.csv"
    long.write_text("text,part\nring,R0;R1;R2\n")
    call_command("evaluate", queries=long, engines=("mini",), threads=0, json=True)
    out, said = capsys.readouterr()
    assert json.loads(out)["engines"]["mini"]["all"]["n"] == 1
    assert "1 queries, 3 judgements" in said
    with pytest.raises(CommandError, match="nothing at"):
        call_command("judgements_import", tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"", "judgements_no_header"),
        ("a.csv", b"ring,R0\n", "judgements_no_header"),
        ("a.csv", b"text,grade\nring,1\n", "judgements_no_header"),
        ("a.csv", b"\xff\xfe\xfa\x00\xd8", "judgements_not_text"),
        ("a.csv", "text,part\nring,R0\n".encode("utf-16-le"), "judgements_not_text"),
        ("a.csv", "text,part\n戒指,R0\n".encode("cp950"), "judgements_not_text"),
        ("a.json", b'[{"text": "ring", "part": "R0"}', "judgements_none"),
        ("a.json", b"[" * 5000, "judgements_none"),
        ("a.csv", b'text,part\n"' + b"x" * 200_000, "judgements_not_text"),
        ("a.csv", b"text,part\nring,R77\n", "judgements_none"),
        ("a.csv", b"text,part,grade\nring,R0,0\n", "judgements_none"),
        ("a.jsonl", b'{"text": "ring"\n[1]\n{}\n', "judgements_none"),
        ("a.jsonl", b'{"a":' * 5000, "judgements_none"),
        ("a.zip", b"PK nothing", "archive_unsafe"),
        ("a.qrels", b"1 0 R0 1\n", "judgements_none"),
    ],
)
def test_what_cannot_be_used_is_said(parts: list[Part], name: str, data: bytes, code: str) -> None:
    with pytest.raises(ServiceError) as refused:
        upload_import(SimpleUploadedFile(name, data), query_set="")
    assert refused.value.code == code
    assert not EvaluationQuery.objects.exists()


def test_lines_that_are_wrong_do_not_stop_the_others(parts: list[Part]) -> None:
    done = bring("text,part,grade\nring,R0,x\nring,R1,1e999\n,R1,1\nring,,1\nring,R2,\n")
    assert grades() == {"ring": {"R2": 1}}
    assert (done.left_out, len(done.faults)) == (4, 4)
    assert all(fault.split(":")[0].isdigit() for fault in done.faults)


def test_a_file_beside_is_not_looked_for_elsewhere(parts: list[Part], tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.png").write_bytes(picture())
    (inner / "a.csv").write_text("picture,part\n../secret.png,R0\n")
    with pytest.raises(ServiceError, match="secret"):
        judgement_import.judgements_import(FolderBundle(inner), query_set="a", table="a.csv")


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.qrels", "a"]))
def test_whatever_is_sent_is_read_or_refused(data: bytes, name: str) -> None:
    for read in (judgements_read, topics_read):
        try:
            found = read(name, data)
        except FileFault as fault:
            assert fault.code in SENTENCES
        else:
            json.dumps([str(one) for one in getattr(found, "faults", found)])

"""Many pieces at once: an archive is kept, read by a worker, and each piece inspected."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Part
from search.inspection import batching, services
from search.inspection.naming import is_photo, pieces_by_name, pieces_of_one
from search.models import Inspection, InspectionBatch
from tests.factories.work import work_off


def zipped(**files: bytes) -> SimpleUploadedFile:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return SimpleUploadedFile("tray.zip", data.getvalue(), "application/zip")


@pytest.fixture
def send(writer: Any, bracket: Part) -> Any:
    Part.objects.filter(pk=bracket.pk).update(number="R8107490")

    def post(expect: int = 202, **body: Any) -> dict[str, Any]:
        answer = writer.post("/api/qc/batches", body, format="multipart")
        assert answer.status_code == expect, answer.content
        return answer.json()

    return post


@pytest.mark.django_db(transaction=True)
def test_an_archive_becomes_inspections(
    send: Any, writer: Any, bracket_photos: dict[str, bytes]
) -> None:
    good = bracket_photos["good"]
    batch = send(
        archive=zipped(**{
            "monday/R8107490/007.jpg": good,
            "monday/R8107490/tray 3/a.jpg": good,
            "monday/R8107490/tray 3/b.jpg": bracket_photos["other"],
            "monday/R8107490_008@1.jpg": good,
            "monday/R8107490_008@2.jpg": bracket_photos["other"],
            "monday/unknown_9.jpg": good,
            "monday/R8107490/broken.jpg": b"no picture",
            "monday/notes.txt": b"hello",
            "__MACOSX/monday/R8107490/._007.jpg": b"",
        })
    )  # fmt: skip
    assert batch["state"] == "queued" and batch["progress"] == 0
    work_off()
    batch = writer.get(batch["url"]).json()
    assert batch["state"] == "done" and batch["progress"] == 1 and batch["pieces"] == 5
    assert batch["counts"]["pass"] == 3 and batch["counts"]["refused"] == 2
    assert {entry["name"]: entry["code"] for entry in batch["refused"]} == {
        "monday/unknown_9.jpg": "batch_no_part",
        "monday/R8107490/broken.jpg": "not_a_picture",
    }
    assert all(entry["message"] for entry in batch["refused"])
    kept = writer.get(batch["inspections_url"]).json()
    assert {row["piece"] for row in kept["results"]} == {"007", "tray 3", "008"}
    assert writer.get("/api/qc/batches").json()["results"][0]["id"] == batch["id"]


@pytest.mark.django_db(transaction=True)
def test_loose_photos_of_one_part(send: Any, writer: Any, bracket: Part, photo: Any) -> None:
    batch = send(part_id=str(bracket.uuid), photo=[photo("good"), photo("broken"), photo("good")])
    work_off()
    batch = writer.get(batch["url"]).json()
    assert batch["counts"]["finished"] == 3 and batch["counts"]["pass"] == 2
    assert batch["counts"]["alert"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_list_says_which_photos_are_which_piece(
    send: Any, writer: Any, bracket: Part, photo: Any
) -> None:
    pieces = [
        {"number": "R8107490", "piece": "x", "photos": ["good.jpg", "other.jpg"]},
        {"part_id": str(bracket.uuid), "photos": ["broken.jpg"]},
    ]
    photos = [photo("good"), photo("other"), photo("broken")]
    batch = send(photo=photos, pieces=json.dumps(pieces))
    work_off()
    assert writer.get(batch["url"]).json()["counts"]["finished"] == 2
    assert Inspection.objects.get(piece="x").photos.count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_no_batch_is_refused(send: Any, photo: Any) -> None:
    assert send(400)["error"]["code"] == "batch_one"
    assert send(400, archive=zipped(**{"a.txt": b"x"}))["error"]["code"] == "batch_empty"
    no_zip = SimpleUploadedFile("a.zip", b"not a zip")
    assert send(400, archive=no_zip)["error"]["code"] == "archive_unsafe"
    for pieces in ("[", "{}", '[{"number": "x", "photos": ["gone.jpg"]}]', "[" * 100_000):
        assert send(400, photo=[photo()], pieces=pieces)["error"]["code"] == "batch_list"
    assert not InspectionBatch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_reading_goes_on_where_a_worker_died(
    send: Any, bracket: Part, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = send(part_id=str(bracket.uuid), photo=[photo(), photo("other"), photo("broken")])
    row = InspectionBatch.objects.get(uuid=batch["id"])
    create, made = services.inspection_create, []

    def dies(**fields: Any) -> Any:
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(create(**fields))
        return made[-1]

    monkeypatch.setattr(batching, "inspection_create", dies)
    with pytest.raises(KeyboardInterrupt):
        batching.batch_read(row.pk)
    monkeypatch.setattr(batching, "inspection_create", create)
    InspectionBatch.objects.filter(pk=row.pk).update(resend_at=row.created_at)
    assert batching.batches_sweep() == 1
    work_off()
    row.refresh_from_db()
    assert (row.state, row.total, row.inspections.count()) == ("done", 3, 3)


names = st.lists(
    st.from_regex(r"(R8/|tray/|x y/)?(R8[-_ ])?[ab]{1,2}(@[1-3])?\.jpg", fullmatch=True),
    unique=True,
    max_size=12,
)


@given(names)
def test_every_photo_is_in_one_piece_and_keys_are_its_own(listed: list[str]) -> None:
    for pieces in (pieces_by_name(listed, {"R8"}), pieces_of_one(listed)):
        assert sorted(name for piece in pieces for name in piece.names) == sorted(listed)
        assert len({piece.key for piece in pieces}) == len(pieces)
    for piece in pieces_by_name(listed, {"R8"}):
        assert {name.startswith("R8") or "/R8" in name for name in piece.names} == {
            piece.number == "R8"
        }


def test_the_longest_number_a_name_begins_with_is_the_parts() -> None:
    pieces = pieces_by_name(["R8-1_2.jpg", "R8-1.jpg", "R8_1.jpg"], {"R8", "R8-1"})
    found = {piece.names[0]: (piece.number, piece.piece) for piece in pieces}
    assert found == {
        "R8-1_2.jpg": ("R8-1", "2"), "R8-1.jpg": ("R8-1", "R8-1"), "R8_1.jpg": ("R8", "1"),
    }  # fmt: skip


def test_shadow_files_are_no_photos() -> None:
    assert is_photo("a/b.JPG") and not is_photo("a/._b.jpg") and not is_photo("__MACOSX/b.jpg")

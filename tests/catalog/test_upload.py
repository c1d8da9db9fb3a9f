"""Files come in whole, once, and are kept before anything is made of them."""

import hashlib
import threading

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from catalog import services
from catalog.models import Part
from tests.factories import meshes
from tests.factories.work import queued

pytestmark = pytest.mark.django_db


class TestApi:
    def test_a_new_file_is_kept_and_queued(
        self, writer, stl, django_capture_on_commit_callbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            answer = writer.post("/api/parts/", {"file": stl(name="R8107490.stl")}, "multipart")
        assert answer.status_code == 201
        part = Part.objects.get(uuid=answer.json()["id"])
        assert (part.number, part.name, part.status) == ("R8107490", "R8107490", "queued")
        with part.file.open() as file:
            assert hashlib.sha256(file.read()).hexdigest() == part.sha256
        assert queued() == 1

    def test_fields(self, writer, stl) -> None:
        category = services.category_create(name="Boxes")
        body = {
            "file": stl(), "name": "box", "number": "B1", "tags": "small, 盒子，small",
            "category": category.pk, "description": "a box",
        }  # fmt: skip
        answer = writer.post("/api/parts", body, "multipart").json()
        assert answer["tags"] == ["small", "盒子"]
        assert answer["category"]["name"] == "Boxes"
        assert (answer["name"], answer["number"]) == ("box", "B1")

    def test_the_same_bytes_give_the_same_part(self, writer, stl) -> None:
        first = writer.post("/api/parts/", {"file": stl()}, "multipart")
        again = writer.post("/api/parts/", {"file": stl(name="other.stl")}, "multipart")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"]
        assert not again.json()["created"]

    def test_two_files_in_one_field_are_refused(self, writer, stl) -> None:
        body = {"file": [stl(), stl(meshes.torus(8, 3), name="torus.stl")]}
        answer = writer.post("/api/parts/", body, "multipart")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == "file: Send one file at a time."
        assert not Part.objects.exists()

    def test_bytes_in_the_trash_come_back(self, writer, stl) -> None:
        first = writer.post("/api/parts/", {"file": stl()}, "multipart").json()
        assert writer.delete(f"/api/parts/{first['id']}/").status_code == 204
        assert writer.get(f"/api/parts/{first['id']}/").status_code == 404
        again = writer.post("/api/parts/", {"file": stl()}, "multipart")
        assert again.status_code == 200
        assert writer.get(f"/api/parts/{first['id']}/").status_code == 200

    @pytest.mark.parametrize(
        ("name", "data", "code"),
        [
            ("part.stl", b"", "empty_file"),
            ("part.stl", b"<!DOCTYPE html><html><body>404</body></html>", "not_a_mesh"),
            ("part.stl", b"%PDF-1.7 and so on", "not_a_mesh"),
            ("part.exe", b"MZ" + bytes(200), "not_a_mesh"),
            ("part.doc", bytes(range(256)), "unknown_format"),
        ],
    )
    def test_what_cannot_be_a_mesh_is_refused_with_a_sentence(
        self, writer, name, data, code
    ) -> None:
        answer = writer.post("/api/parts/", {"file": SimpleUploadedFile(name, data)}, "multipart")
        error = answer.json()["error"]
        assert answer.status_code == 400
        assert error["code"] == code
        assert error["message"].endswith(".")
        assert not Part.objects.exists()

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd.stl", "..\\..\\x.stl", "a/b/c.stl", "nul\x00.stl", "戒指.stl"]
    )
    def test_names_cannot_leave_the_storage(self, writer, name) -> None:
        file = SimpleUploadedFile("x.stl", meshes.stl_binary(meshes.box()))
        file._name = name
        answer = writer.post("/api/parts/", {"file": file}, "multipart")
        assert answer.status_code in {200, 201}
        part = Part.objects.get()
        assert ".." not in part.file.name
        assert part.file.name.startswith("meshes/")

    def test_a_name_of_300_characters(self, writer, stl) -> None:
        answer = writer.post("/api/parts/", {"file": stl(name="戒" * 300 + ".stl")}, "multipart")
        assert answer.status_code == 201
        assert len(Part.objects.get().name) <= 300

    def test_no_file(self, writer) -> None:
        answer = writer.post("/api/parts/", {"name": "x"}, "multipart")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("file")

    def test_unknown_category(self, writer, stl) -> None:
        answer = writer.post("/api/parts/", {"file": stl(), "category": 999}, "multipart")
        assert answer.status_code == 400
        assert not Part.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_uploads_of_the_same_bytes_at_once_give_one_part() -> None:
    data = meshes.stl_binary(meshes.sphere())
    barrier, outcomes, errors = threading.Barrier(4), [], []

    def upload() -> None:
        try:
            barrier.wait(10)
            part, created = services.part_upload(file=SimpleUploadedFile("ball.stl", data))
            outcomes.append((part.pk, created))
        except Exception as error:  # noqa: BLE001  a thread's failure must reach the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert len({pk for pk, _created in outcomes}) == 1
    assert sorted(created for _pk, created in outcomes) == [False, False, False, True]
    part = Part.objects.get()
    folder = part.file.name.rpartition("/")[0]
    assert default_storage.listdir(folder)[1] == [part.file.name.rpartition("/")[2]]


def test_a_broker_that_is_away_loses_nothing(
    stl, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    from kombu.exceptions import OperationalError

    from catalog import queue

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(queue.current_app, "send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        part, created = services.part_upload(file=stl())
    assert created
    assert part.resend_at is not None
    assert default_storage.exists(part.file.name)


class TestUnits:
    def test_a_new_unit_rescales_the_facts(self, stl) -> None:
        part, _created = services.part_upload(file=stl())
        Part.objects.filter(pk=part.pk).update(
            size_x=1, size_y=2, size_z=3, volume_mm3=6, area_mm2=22, centroid_mm=[0.5, 1, 1.5]
        )
        part = services.part_update(part=part, unit="in")
        assert part.bbox_mm == (25.4, 50.8, pytest.approx(76.2))
        assert part.volume_mm3 == pytest.approx(6 * 25.4**3)
        assert part.area_mm2 == pytest.approx(22 * 25.4**2)
        assert not part.unit_assumed
        part = services.part_update(part=part, unit="mm")
        assert part.bbox_mm == pytest.approx((1, 2, 3))

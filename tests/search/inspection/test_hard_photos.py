"""What people, phones and disks do to inspections: each time an answer or a refusal."""

import io
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from catalog.models import Part
from search.inspection import claims, services
from search.models import Inspection
from tests.factories.pictures import png_bomb
from tests.factories.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pixels(bracket_photos: dict[str, bytes]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(bracket_photos["good"])))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def broken_exif(data: bytes) -> bytes:
    """The JPEG with an EXIF block that promises more than it holds."""
    block = b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03\xff\xff\xff\xff\0"
    return data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]


def test_photos_of_every_kind_are_inspected(
    writer: Any, bracket: Part, pixels: np.ndarray, bracket_photos: dict[str, bytes]
) -> None:
    colour = Image.fromarray(pixels)
    grey = np.asarray(colour.convert("L")).astype(np.uint16) * 257
    frames = [colour.convert("P", palette=Image.Palette.ADAPTIVE), Image.new("P", colour.size)]
    kinds = {
        "照片 1.jpg": saved(colour.convert("CMYK"), "JPEG", quality=95),
        "../../..\\x.png": saved(Image.fromarray(grey), "PNG"),
        "\u202egpj.gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "a" * 500 + ".exe": broken_exif(bracket_photos["good"]),
    }

    def send(piece: str) -> Any:
        photos = [SimpleUploadedFile(name, data) for name, data in kinds.items()]
        body = {"part_id": str(bracket.uuid), "photo": photos, "wait": 0, "piece": piece}
        return writer.post("/api/qc/compare", body, format="multipart")

    assert send("第 7 件\x00").status_code == 400
    answer = send("第 7 件\n")
    assert answer.status_code == 202, answer.content
    work_off()
    found = writer.get(answer.json()["url"]).json()
    assert found["state"] == "done" and found["piece"] == "第 7 件"
    names = [photo["file_name"] for photo in found["photos"]]
    assert names[:2] == ["照片 1.jpg", "x.png"] and "\u202e" not in names[2]
    for photo in found["photos"]:
        # A palette loses a little, a CMYK JPEG too; the piece is found in each.
        assert photo["measures"] is not None and photo["measures"]["iou"] > 0.9, photo["file_name"]
        assert writer.get(photo["overlay_url"]).status_code == 200


def test_pictures_that_cost_too_much_are_refused(writer: Any, bracket: Part) -> None:
    large = saved(Image.new("1", (10_000, 10_000)), "PNG")
    sent = {
        "too_many_pixels": [large, png_bomb()],
        "picture_too_large": [b"\xff\xd8\xff" + bytes(31 * 1024 * 1024)],
    }
    for code, files in sent.items():
        for data in files:
            body = {"part_id": str(bracket.uuid), "photo": [SimpleUploadedFile("x.png", data)]}
            answer = writer.post("/api/qc/compare", body, format="multipart")
            assert answer.status_code in {400, 413}, answer.content
            assert answer.json()["error"]["code"] == code
    assert not Inspection.objects.exists()


def test_a_photo_that_takes_too_long_is_a_review(compare: Any, settings: Any) -> None:
    usual = settings.SEARCH
    short = usual.inspection.model_copy(update={"seconds": 0.001})
    settings.SEARCH = usual.model_copy(update={"inspection": short})
    found = compare("good")
    assert (found["state"], found["verdict"]) == ("done", "review")
    assert found["similarity"] is None and found["alert"]
    reason = found["reasons"][0]
    assert reason["code"] == "inspection_too_long" and "0.001" in reason["message"]
    settings.SEARCH = usual


def test_two_workers_do_an_inspection_once(
    bracket: Part, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connection

    made = services.inspection_create(part=bracket, photos=[services.photo_sent(photo())])
    looks, look = [], services.inspection_look
    gate = threading.Barrier(3)

    def counted(*args: Any, **kwargs: Any) -> Any:
        looks.append(threading.get_ident())
        return look(*args, **kwargs)

    monkeypatch.setattr(services, "inspection_look", counted)

    def run() -> None:
        gate.wait()
        services.inspection_run(made.pk)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looks) == 1
    made.refresh_from_db()
    assert (made.state, made.verdict, made.stalls) == ("done", "pass", 0)


def test_a_storage_that_is_away_for_a_while_is_waited_for(
    compare: Any, bracket: Part, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = services.inspection_create(part=bracket, photos=[services.photo_sent(photo())])
    rows = Inspection.objects.filter(pk=made.pk)
    save, away = default_storage.save, [True]

    def saves(name: str, content: Any, **options: Any) -> str:
        if away[0] and "overlay" in name:
            raise ConnectionError("the storage is away")
        return save(name, content, **options)

    monkeypatch.setattr(default_storage, "save", saves)
    services.inspection_run(made.pk)
    row = rows.get()
    assert (row.state, row.verdict, row.stalls, row.error_code) == ("queued", "", 1, "")
    assert row.resend_at > row.created_at and not claims.task_held(row).exists()
    away[0] = False
    services.inspection_run(made.pk)
    assert (rows.get().state, rows.get().verdict, rows.get().stalls) == ("done", "pass", 0)


def test_a_storage_that_stays_away_is_given_up(
    bracket: Part, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = services.inspection_create(part=bracket, photos=[services.photo_sent(photo())])
    default_storage.delete(made.photos.get().file.name)
    for _ in range(5):
        services.inspection_run(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error_code) == ("failed", "storage_away") and made.error_message


def test_a_part_without_its_preview_has_no_heat(compare: Any, bracket: Part) -> None:
    default_storage.delete(bracket.preview.name)
    found = compare("good")
    assert (found["state"], found["verdict"], found["heat_url"]) == ("done", "pass", None)


def test_a_part_whose_files_are_gone_says_so(bracket: Part, photo: Any, writer: Any) -> None:
    made = services.inspection_create(part=bracket, photos=[services.photo_sent(photo())])
    from search.inspection import preparing

    preparing.prepared_forget()
    for name in (preparing.prepared_path(bracket), bracket.file.name):
        default_storage.delete(name)
    for _ in range(3):
        services.inspection_run(made.pk)
    made.refresh_from_db()
    assert (made.state, made.error_code) == ("failed", "storage_away")


def test_a_rival_that_cannot_be_read_is_left_aside(compare: Any, bracket: Part, stl: Any) -> None:
    from catalog.services import part_upload
    from search.inspection import preparing
    from tests.factories import meshes
    from tests.factories.solids import drilled_bracket

    near = drilled_bracket().astype(np.float32) * np.float32([1, 1.2, 1])
    other, _ = part_upload(
        file=SimpleUploadedFile("other.stl", meshes.stl_binary(near)), name="Other"
    )
    work_off()
    assert [row["name"] for row in compare("good")["competitors"]] == ["Other"]
    preparing.prepared_forget()
    other.refresh_from_db()
    default_storage.delete(preparing.prepared_path(other))
    with other.file.storage.open(other.file.name, "wb") as file:
        file.write(b"solid nothing of the kind")
    found = compare("good")
    assert (found["state"], found["competitors"]) == ("done", [])


def test_a_part_that_goes_in_the_middle_is_no_trouble(
    bracket: Part, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = services.inspection_create(part=bracket, photos=[services.photo_sent(photo())])
    look = services.inspection_look

    def looked(*args: Any, **kwargs: Any) -> Any:
        out = look(*args, **kwargs)
        Part.objects.filter(pk=bracket.pk).delete()
        return out

    monkeypatch.setattr(services, "inspection_look", looked)
    services.inspection_run(made.pk)
    assert not Inspection.objects.exists()
    work_off()


def test_a_lower_threshold_lets_more_pass(compare: Any) -> None:
    broken = compare("broken")
    below = broken["similarity"] / 2
    found = compare("broken", threshold=max(below, 0.01))
    assert found["threshold"] == pytest.approx(max(below, 0.01)) and not found["alert"]
    assert found["similarity"] == pytest.approx(broken["similarity"], abs=1e-6)


def test_the_doors_load_nothing_heavy() -> None:
    code = """
import sys, django
django.setup()
import stlcatalog.urls
heavy = {"cv2", "numba", "onnxruntime", "faiss", "torch", "trimesh"} & set(sys.modules)
assert not heavy, heavy
"""
    import os

    known = {**os.environ, "DJANGO_SETTINGS_MODULE": "stlcatalog.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

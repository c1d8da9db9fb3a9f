"""The pages of batches, as a person uses them."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Part
from tests.factories.work import work_off
from tests.search.inspection.conftest import bracket, bracket_photos, photo  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_batch_is_sent_watched_and_looked_at(
    logged_in: Client,
    bracket: Part,  # noqa: F811
    bracket_photos: dict[str, bytes],  # noqa: F811
) -> None:
    Part.objects.filter(pk=bracket.pk).update(number="R8107490")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("R8107490_1.jpg", bracket_photos["good"])
        archive.writestr("R8107490_2.jpg", bracket_photos["empty"])
        archive.writestr("other_3.jpg", bracket_photos["good"])
    sent = SimpleUploadedFile("tray.zip", data.getvalue())
    page = logged_in.post("/qc/batches", {"archive": sent, "name": "Tray 5"}, follow=True)
    text = page.content.decode()
    assert page.status_code == 200 and "Tray 5" in text and "hx-get" in text
    work_off()
    address = page.request["PATH_INFO"]
    part = logged_in.get(address, headers={"hx-request": "true"}).content.decode()
    assert "hx-get" not in part and "other_3.jpg" in part
    assert "verdict=pass" in part and "verdict=review" in part
    listed = logged_in.get("/qc/batches").content.decode()
    assert "Tray 5" in listed and address in listed
    assert logged_in.get(f"/qc/history?batch={address.split('/')[-1]}").status_code == 200


def test_what_is_no_batch_says_so_and_keeps_the_name(logged_in: Client) -> None:
    sent = SimpleUploadedFile("a.zip", b"no zip")
    page = logged_in.post("/qc/batches", {"archive": sent, "name": "Tray 6"})
    assert page.status_code == 400 and "Tray 6" in page.content.decode()


def test_sending_needs_a_login(client: Client, db: Any) -> None:
    assert client.get("/qc/batches").status_code == 200
    answer = client.post("/qc/batches", {})
    assert answer.status_code == 302 and "/login" in answer["Location"]
    assert client.get("/qc/batches?page=x&part=zzz").status_code == 200

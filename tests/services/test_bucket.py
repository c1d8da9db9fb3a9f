"""Media in a bucket stay as private as on a disk, and a bucket that is away is "not now"."""

import urllib.error
import urllib.request

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import meshes
from tests.factories.settings_of import settings_of

pytestmark = pytest.mark.django_db(transaction=True)

DATA = b"x" * 1_000_000


@pytest.fixture
def signed(bucket, monkeypatch, settings):
    monkeypatch.setenv("STLCATALOG_S3_URLS", "signed")
    settings.STORAGES = settings.STORAGES | {"default": settings_of("STORAGES")["default"]}
    return bucket


def test_a_file_comes_through_us(media_in_bucket, client) -> None:
    name = default_storage.save("meshes/ab/ring.stl", ContentFile(DATA))
    assert default_storage.url(name) == "/media/meshes/ab/ring.stl"
    answer = client.get("/media/meshes/ab/ring.stl", {"name": "戒指.stl"})
    assert answer.status_code == 200
    assert answer.streaming
    assert b"".join(answer.streaming_content) == DATA
    assert answer["Content-Length"] == str(len(DATA))
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert "immutable" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    shown = default_storage.save("views/a.webp", ContentFile(b"webp"))
    picture = client.get(f"/media/{shown}")
    assert picture["Content-Type"] == "image/webp"
    assert "attachment" not in picture.get("Content-Disposition", "")


@pytest.mark.parametrize("path", ["meshes/none.stl", "meshes", "../../etc/passwd", "%2e%2e/secret"])
def test_what_is_not_there(media_in_bucket, client, path) -> None:
    media_in_bucket.put_object(Key="secret", Body=b"beside the prefix")
    assert client.get(f"/media/{path}").status_code in {400, 404}


def test_who_may_not_read_is_refused_before_the_bucket_is_asked(
    media_in_bucket, settings, client
) -> None:
    settings.READING_OPEN = False
    default_storage.save("meshes/a.stl", ContentFile(b"x"))
    assert client.get("/media/meshes/a.stl").status_code == 401


def test_nothing_is_public(media_in_bucket) -> None:
    default_storage.save("meshes/a.stl", ContentFile(b"x"))
    for of in media_in_bucket.objects.all():
        for grant in of.Acl().grants:
            assert "URI" not in grant["Grantee"], grant  # a group: everyone, or every customer


def test_signed_addresses(signed, client, settings) -> None:
    default_storage.save("meshes/a.stl", ContentFile(DATA))
    default_storage.save("parts/preview.stl", ContentFile(b"light"))
    answer = client.get("/media/meshes/a.stl", {"name": "戒指.stl"})
    assert answer.status_code == 302
    assert "max-age=600" in answer["Cache-Control"]
    address = answer["Location"]
    assert "X-Amz-Signature=" in address
    assert "X-Amz-Expires=3600" in address
    with urllib.request.urlopen(address) as file:
        assert file.read() == DATA
        assert file.headers["Content-Disposition"].startswith("attachment")
    settings.READING_OPEN = False
    assert Client().get("/media/meshes/a.stl").status_code == 401
    settings.READING_OPEN = True
    # The viewer's script may fetch from here only.
    preview = client.get("/media/parts/preview.stl")
    assert b"".join(preview.streaming_content) == b"light"
    policy = settings_of("CONTENT_SECURITY_POLICY")["DIRECTIVES"]
    assert policy["img-src"][-1] == address.partition("/media-")[0]


def test_a_bucket_that_is_away(media_in_bucket, monkeypatch, settings, client, writer) -> None:
    monkeypatch.setenv("STLCATALOG_S3_ENDPOINT", "http://127.0.0.1:1")
    settings.STORAGES = settings.STORAGES | {"default": settings_of("STORAGES")["default"]}
    answer = client.get("/media/meshes/a.stl")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert client.get("/readyz").status_code == 503
    file = SimpleUploadedFile("box.stl", meshes.stl_binary(meshes.box()))
    answer = writer.post("/api/parts/", {"file": file}, "multipart")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "storage_away"


def test_a_bucket_that_does_not_exist_is_an_error_not_a_missing_file(
    media_in_bucket, monkeypatch, settings
) -> None:
    monkeypatch.setenv("STLCATALOG_S3_BUCKET", "no-such-bucket")
    settings.STORAGES = settings.STORAGES | {"default": settings_of("STORAGES")["default"]}
    with pytest.raises(OSError):
        default_storage.save("meshes/a.stl", ContentFile(b"x"))

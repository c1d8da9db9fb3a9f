"""Nobody gets in who should not; everyone who should, does."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import ApiToken
from catalog.services import token_create
from tests.factories.paths import api_views

pytestmark = pytest.mark.django_db

READS = ["/api/parts/", "/api/categories/", "/api/engines/", "/api/indices/", "/api/schema/"]


def test_every_endpoint_declares_a_scope_for_each_method() -> None:
    views = api_views()
    assert len(views) > 12
    for path, view in views:
        methods = {
            name.upper() for name in view.http_method_names
            if name not in {"options", "head"} and hasattr(view, name)
        }  # fmt: skip
        assert set(getattr(view, "scopes", {})) == methods, path
        assert set(view.scopes.values()) <= {*ApiToken.Scope.values, "open"}, path


class TestOnLoopback:
    @pytest.mark.parametrize("path", READS)
    def test_reading_is_open(self, api: APIClient, path: str) -> None:
        assert api.get(path).status_code == 200

    def test_writing_is_not(self, api: APIClient, stl) -> None:
        answer = api.post("/api/parts/", {"file": stl()}, "multipart")
        assert answer.status_code == 401
        assert answer.json()["success"] is False
        assert api.post("/api/categories/", {"name": "x"}).status_code == 401


class TestElsewhere:
    @pytest.fixture(autouse=True)
    def closed(self, settings) -> None:
        settings.READING_OPEN = False

    @pytest.mark.parametrize("path", READS)
    def test_the_api_needs_a_token(self, api: APIClient, token_client, path: str) -> None:
        assert api.get(path).status_code == 401
        assert token_client("read").get(path).status_code == 200

    def test_pages_lead_to_the_login(self, client: Client) -> None:
        answer = client.get("/parts?q=x")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login?next=/parts")

    def test_pictures_and_meshes_are_closed(self, client: Client) -> None:
        assert client.get("/media/meshes/aa/x.stl").status_code == 401

    def test_a_token_opens_pictures(self, token_client) -> None:
        assert token_client("read").get("/media/nothing.webp").status_code == 404
        assert token_client("write").get("/media/nothing.webp").status_code == 401

    @pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login", "/login/"])
    def test_probes_and_the_login_are_open(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 200

    def test_the_owner_may_open_reading(self, settings, api: APIClient) -> None:
        settings.READING_OPEN = True
        assert api.get("/api/parts/").status_code == 200


class TestTokens:
    def test_only_the_hash_is_kept(self) -> None:
        token, key = token_create(name="line 3", scopes=["read"])
        row = str(ApiToken.objects.filter(pk=token.pk).values().get())
        assert key not in row
        assert key.startswith(token.prefix)

    def test_a_scope_is_not_another(self, token_client, stl) -> None:
        reader = token_client("read")
        answer = reader.post("/api/parts/", {"file": stl()}, "multipart")
        assert answer.status_code == 403
        assert "write" in answer.json()["error"]["message"]
        assert token_client("write").get("/api/parts/").status_code == 403
        assert token_client("admin").get("/api/parts/").status_code == 200

    @pytest.mark.parametrize("header", ["Token", "Token a b", "Token stl_nothing", "Token ü"])
    def test_what_is_not_a_token(self, header: str) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=header)
        answer = client.get("/api/parts/")
        assert answer.status_code == 401
        assert answer.json()["error"]["message"]

    def test_an_expired_token(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        _token, key = token_create(name="old", scopes=["read"], expires_at=past)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        assert client.get("/api/parts/").status_code == 401

    def test_a_token_of_someone_who_left(self, staff) -> None:
        _token, key = token_create(name="left", scopes=["read"], user=staff)
        staff.is_active = False
        staff.save()
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        assert client.get("/api/parts/").status_code == 401

    def test_the_command_prints_the_key_once(self, capsys) -> None:
        call_command("token_create", "line 3", "--scope", "read", "--scope", "write")
        key = capsys.readouterr().out.strip()
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        assert client.post("/api/categories/", {"name": "Gears"}).status_code == 201


class TestSessions:
    def test_a_login_may_write(self, logged_in: Client, stl) -> None:
        assert logged_in.post("/api/parts/", {"file": stl()}).status_code == 201

    def test_a_session_needs_the_csrf_token(self, staff, stl) -> None:
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(staff)
        answer = client.post("/api/parts/", {"file": stl()}, "multipart")
        assert answer.status_code == 403


class TestRefusals:
    def test_unknown_paths_answer_as_json(self, api: APIClient) -> None:
        answer = api.get("/api/nothing/here")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "no_such_api"

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_wrong_method(self, writer: APIClient, method: str) -> None:
        answer = getattr(writer, method)("/api/parts/")
        assert answer.status_code == 405
        assert answer.json()["success"] is False

    def test_broken_json(self, writer: APIClient) -> None:
        answer = writer.post("/api/categories/", "{", content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]

    def test_in_the_reader_s_language(self, api: APIClient) -> None:
        english = api.get("/api/parts/00000000-0000-0000-0000-000000000000/")
        chinese = api.get(
            "/api/parts/00000000-0000-0000-0000-000000000000/", HTTP_ACCEPT_LANGUAGE="zh-Hant"
        )
        assert english.status_code == chinese.status_code == 404
        assert english.json()["error"]["message"] == "There is no such part."
        assert chinese.json()["error"]["message"] != english.json()["error"]["message"]

    def test_too_large_a_body_is_refused_unread(self, client: Client, settings) -> None:
        answer = client.generic(
            "POST", "/api/parts/", b"x", "multipart/form-data; boundary=x",
            CONTENT_LENGTH=str(600 * 1024 * 1024),
        )  # fmt: skip
        assert answer.status_code == 413
        assert "512" in answer.json()["error"]["message"]

    def test_what_is_read_into_memory_may_be_a_few_megabytes(self, api) -> None:
        answer = api.post("/api/search/text", {"query": "x" * 5_000_000}, "json")
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "too_large"
        assert "4 MB" in answer.json()["error"]["message"]

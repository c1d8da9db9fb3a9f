"""Whatever is sent to search, the answer is hits or a sentence: never a 500, never a hang."""

import io
import json

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.factories import meshes

pytestmark = pytest.mark.django_db


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    rng = np.random.default_rng(3)
    image = Image.fromarray(rng.integers(0, 255, (*size[::-1], 3), np.uint8)).convert(mode)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def refusal(answer) -> tuple[int, str]:
    body = answer.json()
    assert body["success"] is False
    assert len(body["error"]["message"]) > 8
    return answer.status_code, body["error"]["code"]


class TestK:
    @pytest.mark.parametrize("k", [0, -1, 21, 10**9, 10**30])
    def test_out_of_range(self, api, k) -> None:
        answer = api.post("/api/search/text", {"query": "ring", "k": k})
        assert refusal(answer) in {(400, "k_out_of_range"), (400, "invalid")}

    @pytest.mark.parametrize("k", ["five", "", [], 2.5, True, {"a": 1}])
    def test_not_a_number(self, api, k) -> None:
        answer = api.post("/api/search/text", {"query": "ring", "k": k})
        assert answer.status_code in {200, 400}

    def test_default_and_most(self, api) -> None:
        for k in (None, 20):
            assert api.post("/api/search/text", {"query": "ring", "k": k}).status_code == 200


class TestText:
    def test_a_hundred_thousand_characters(self, api) -> None:
        answer = api.post("/api/search/text", {"query": "戒" * 100_000})
        assert refusal(answer) == (400, "text_too_long")
        assert "100000" in answer.json()["error"]["message"].replace(",", "")

    @pytest.mark.parametrize("query", ["", "   ", "\n\t"])
    def test_nothing(self, api, query) -> None:
        assert refusal(api.post("/api/search/text", {"query": query})) == (400, "text_missing")

    @pytest.mark.parametrize("body", [{}, {"query": None}, {"query": ["a"]}, [], "x", 7, None])
    def test_not_what_is_asked(self, api, body) -> None:
        assert refusal(api.post("/api/search/text", body, "json"))[0] == 400

    @pytest.mark.parametrize(
        "query", ["' OR 1=1 --", "<script>alert(1)</script>", "%_%", "\x00", "🦆" * 100, "\ud800"]
    )
    def test_strange_but_answered(self, api, query) -> None:
        answer = api.post(
            "/api/search/text",
            f'{{"query": "{query.encode("unicode_escape").decode()}"}}'
            if query == "\ud800"
            else json.dumps({"query": query}),
            content_type="application/json",
        )
        assert answer.status_code in {200, 400}

    @pytest.mark.parametrize("body", ["[" * 100_000, '{"query": ' + '{"a": ' * 100_000])
    def test_json_nested_too_deeply(self, api, body) -> None:
        answer = api.post("/api/search/text", body, content_type="application/json")
        assert refusal(answer) == (400, "parse_error")

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(query=st.text(max_size=80))
    def test_any_text_is_answered(self, api, query) -> None:
        answer = api.post("/api/search/text", {"query": query})
        assert answer.status_code == 200 or refusal(answer)[0] == 400


class TestPictures:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "empty_file"),
            (b"hello, this is text", "not_a_picture"),
            (b"<html></html>", "not_a_picture"),
            (picture()[:200], "truncated_picture"),
            (picture(kind="JPEG")[:-400], "truncated_picture"),
            (picture(size=(4, 4)), "too_small"),
        ],
    )
    def test_what_is_no_picture(self, api, data, code) -> None:
        body = {"image": SimpleUploadedFile("q.png", data)}
        assert refusal(api.post("/api/search/image", body, "multipart")) == (400, code)

    @pytest.mark.parametrize(
        ("mode", "kind"),
        [("CMYK", "JPEG"), ("L", "PNG"), ("P", "GIF"), ("RGBA", "PNG"), ("1", "PNG"),
         ("I;16", "PNG"), ("RGB", "WEBP"), ("RGB", "TIFF"), ("RGB", "BMP")],
    )  # fmt: skip
    def test_every_usual_kind_is_read(self, api, mode, kind) -> None:
        if mode == "I;16":
            rng = np.random.default_rng(1)
            file = io.BytesIO()
            Image.fromarray(rng.integers(0, 65535, (48, 64)).astype(np.uint16)).save(file, kind)
            data = file.getvalue()
        else:
            data = picture(mode, kind=kind)
        body = {"image": SimpleUploadedFile("q", data)}
        answer = api.post("/api/search/image", body, "multipart")
        assert answer.status_code == 200, answer.json()

    def test_a_bomb_is_refused_unopened(self, api) -> None:
        import struct
        import zlib

        def chunk(kind: bytes, data: bytes) -> bytes:
            crc = zlib.crc32(kind + data)
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

        head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"x" * 9))
        body = {"image": SimpleUploadedFile("q.png", bomb + chunk(b"IEND", b""))}
        answer = api.post("/api/search/image", body, "multipart")
        assert refusal(answer) == (400, "too_many_pixels")

    def test_too_many_bytes(self, api, settings) -> None:
        limits = settings.SEARCH.limits.model_copy(update={"picture_mb": 1})
        settings.SEARCH = settings.SEARCH.model_copy(update={"limits": limits})
        body = {"image": SimpleUploadedFile("q.png", b"\xff" * (1024 * 1024 + 1))}
        answer = api.post("/api/search/image", body, "multipart")
        assert refusal(answer) == (413, "picture_too_large")

    @pytest.mark.parametrize("door", ["search/image", "search/hybrid", "classify"])
    def test_two_pictures_are_not_one(self, api, door) -> None:
        body = {"image": [SimpleUploadedFile(f"{n}.png", picture()) for n in range(2)]}
        answer = api.post(f"/api/{door}", body, "multipart")
        assert refusal(answer) == (400, "invalid")
        assert "one file at a time" in answer.json()["error"]["message"]

    def test_no_picture(self, api) -> None:
        assert refusal(api.post("/api/search/image", {}, "multipart"))[0] == 400
        assert refusal(api.post("/api/search/hybrid", {}, "multipart"))[0] == 400

    @pytest.mark.parametrize("crop", ["0,0,1", "1,1,0,0", "0,0,2,2", "a,b,c,d", "nan,0,1,1", "{}"])
    def test_a_crop_that_is_none(self, api, crop) -> None:
        body = {"image": SimpleUploadedFile("q.png", picture()), "crop": crop}
        assert refusal(api.post("/api/search/image", body, "multipart"))[0] == 400

    def test_a_crop_beyond_any_number(self, api) -> None:
        body = {"text": "ring", "crop": [10**400, 0, 1, 1]}
        assert refusal(api.post("/api/search/hybrid", body, "json")) == (400, "invalid")

    @pytest.mark.parametrize("text", ["ring", ""])
    @pytest.mark.parametrize("alpha", [-0.1, 1.1, "much", "nan", "inf"])
    def test_an_alpha_that_is_none(self, api, alpha, text) -> None:
        body = {
            "image": SimpleUploadedFile("q.png", picture()), "text": text, "alpha": alpha,
        }  # fmt: skip
        assert refusal(api.post("/api/search/hybrid", body, "multipart"))[0] == 400


class TestMeshes:
    @pytest.mark.parametrize(
        ("name", "data", "code"),
        [
            ("q.stl", b"", "empty_file"),
            ("q.stl", b"<html>", "not_a_mesh"),
            ("q.stl", meshes.stl_binary(meshes.box())[:-30], "truncated"),
            ("q.stl", meshes.stl_binary(meshes.degenerate()), "all_degenerate"),
            ("q.xyz", b"1 2 3\n4 5 6\n", "unknown_format"),
        ],
    )
    def test_what_is_no_mesh(self, api, name, data, code) -> None:
        body = {"file": SimpleUploadedFile(name, data)}
        assert refusal(api.post("/api/search/mesh", body, "multipart")) == (400, code)


class TestEnginesAndFilters:
    @pytest.mark.parametrize("engine", ["clip", "shape", "x" * 39, "../../etc", "Mini"])
    def test_an_engine_that_cannot(self, api, engine) -> None:
        answer = api.post("/api/search/text", {"query": "ring", "engine": engine})
        assert refusal(answer) == (400, "engine_unknown")
        assert "words" in answer.json()["error"]["message"]

    @pytest.mark.parametrize(
        "filters",
        [
            "not json", {"category": "rings"}, {"size_min": [1]}, {"size_min": "1,2,3"},
            {"volume_min": "big"}, {"category": [2**63]}, {"status": ["gone"]},
            {"watertight": "perhaps"}, "[" * 100_000, [1], 7,
            {"category": [1] * 1001},
        ],
    )  # fmt: skip
    def test_filters_that_are_none(self, api, filters) -> None:
        answer = api.post("/api/search/text", {"query": "ring", "filters": filters})
        assert refusal(answer)[0] == 400

    def test_filters_that_let_nothing_through(self, api) -> None:
        filters = {"category": [1, 2, 3], "volume_min": 1e300, "watertight": True}
        answer = api.post("/api/search/text", {"query": "ring", "filters": filters})
        assert answer.status_code == 200
        assert answer.json()["results"] == []


def test_an_empty_catalogue_answers_with_nothing(api) -> None:
    body = {"image": SimpleUploadedFile("q.png", picture())}
    answer = api.post("/api/search/image", body, "multipart").json()
    assert (answer["success"], answer["results"], answer["weak"]) == (True, [], False)
    assert answer["photo"]["box"]

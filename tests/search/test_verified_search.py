"""A picture search looked at twice: over the API, and what becomes of it when it cannot be."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.errors import ServiceError
from catalog.models import Part
from search import verifying
from search.inspection import preparing
from tests.factories.prepared import (
    bracket_photo,
    parts_confuse,
    picture,
    prepared_parts,
    sketches_forget,
)

pytestmark = pytest.mark.django_db

ADDRESS = "/api/search/image"


@pytest.fixture
def parts(settings: Any) -> Iterator[dict[str, Part]]:
    """Three parts, embedded and prepared, and time enough however busy the machine is."""
    section = settings.SEARCH.search.model_copy(update={"verify_seconds": 10.0})
    settings.SEARCH = settings.SEARCH.model_copy(update={"search": section})
    made = prepared_parts()
    yield made
    sketches_forget(*made.values())


@pytest.fixture
def confused(parts: dict[str, Part]) -> dict[str, Part]:
    """The same, but the encoder takes the plate for the bracket."""
    parts_confuse(parts["plate"], parts["bracket"])
    return parts


def ask(client: Any, address: str = ADDRESS, **body: Any) -> dict[str, Any]:
    answer = client.post(address, {"image": bracket_photo(), **body}, "multipart")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_part_that_fits_comes_first(confused, writer) -> None:
    plain = ask(writer)
    assert plain["verified"] is False
    assert {hit["fit"] for hit in plain["results"]} == {None}
    assert {hit["outline"] for hit in plain["results"]} == {""}
    place = [hit["part_id"] for hit in plain["results"]].index(str(confused["bracket"].uuid))
    assert place > 0
    found = ask(writer, verify="true")
    assert found["verified"] is True
    assert found["unverified_why"] == ""
    first = found["results"][0]
    assert first["part_id"] == str(confused["bracket"].uuid)
    assert first["fit"] > 0.85
    assert first["outline"].startswith("data:image/jpeg;base64,")
    assert [hit["rank"] for hit in found["results"]] == [1, 2, 3]
    assert found["took_ms"]["verify"] > 0
    # What the search said of each part stays what it said.
    before = {hit["part_id"]: hit for hit in plain["results"]}
    for hit in found["results"]:
        for name in ("score", "similarity", "rankings", "strength"):
            assert hit[name] == before[hit["part_id"]][name]


def test_k_counts_after_the_second_look(confused, writer) -> None:
    found = ask(writer, verify="true", k=1)
    assert [hit["part_id"] for hit in found["results"]] == [str(confused["bracket"].uuid)]


def test_hybrid_searches_are_verified_too(confused, writer) -> None:
    found = ask(writer, "/api/search/hybrid", text="bracket", alpha=1, verify="true")
    assert found["verified"] is True
    assert found["results"][0]["part_id"] == str(confused["bracket"].uuid)


def test_the_configuration_says_what_nobody_asked(confused, writer, settings) -> None:
    section = settings.SEARCH.search.model_copy(update={"verify": True})
    settings.SEARCH = settings.SEARCH.model_copy(update={"search": section})
    assert ask(writer)["verified"] is True
    assert ask(writer, verify="false")["verified"] is False


def test_what_is_not_prepared_keeps_its_place(confused, writer) -> None:
    plain = [hit["part_id"] for hit in ask(writer)["results"]]
    first = Part.objects.get(uuid=plain[0])
    sketches_forget(first)
    found = ask(writer, verify="true")
    assert found["verified"] is True
    assert found["results"][0]["part_id"] == plain[0]
    assert found["results"][0]["fit"] is None
    assert found["results"][1]["fit"] > found["results"][2]["fit"]


def test_nothing_prepared_is_said(parts, writer) -> None:
    sketches_forget(*parts.values())
    found = ask(writer, verify="true")
    assert found["verified"] is False
    assert "not prepared" in found["unverified_why"]
    assert len(found["results"]) == 3


def test_damaged_preparations_are_as_good_as_none(parts, writer) -> None:
    preparing.prepared_forget()
    for part in parts.values():
        Path(default_storage.path(preparing.sketch_path(part))).write_bytes(b"\0" * 100)
    assert ask(writer, verify="true")["verified"] is False


def test_a_picture_without_a_piece_is_said(parts, writer) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    answer = writer.post(ADDRESS, {"image": picture(noise), "verify": "true"}, "multipart")
    assert answer.status_code == 200
    found = answer.json()
    assert found["verified"] is False
    assert found["unverified_why"].endswith(".")
    assert len(found["results"]) == 3


def test_marks_say_more_than_the_photo(parts, writer) -> None:
    found = ask(writer, verify="true", more=str(parts["plate"].uuid))
    assert found["verified"] is False
    assert "marks" in found["unverified_why"]


def test_words_alone_cannot_be_verified(parts, writer) -> None:
    answer = writer.post("/api/search/hybrid", {"text": "ring", "verify": "true"}, "multipart")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "verify_no_picture"
    answer = writer.post("/api/search/hybrid", {"text": "ring", "verify": "false"}, "multipart")
    assert answer.status_code == 200


def test_a_verify_that_is_neither_is_refused(parts, writer) -> None:
    answer = writer.post(ADDRESS, {"image": bracket_photo(), "verify": "perhaps"}, "multipart")
    assert answer.status_code == 400
    assert answer.json()["success"] is False


def test_a_file_that_is_no_picture_is_refused_as_ever(parts, writer) -> None:
    file = SimpleUploadedFile("x.png", b"no picture", "image/png")
    answer = writer.post(ADDRESS, {"image": file, "verify": "true"}, "multipart")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "not_a_picture"


def test_when_others_are_verified_the_plain_answer_comes_at_once(parts, writer) -> None:
    for _ in range(verifying.PLACES):
        assert verifying._places.acquire(blocking=False)
    try:
        found = ask(writer, verify="true")
    finally:
        for _ in range(verifying.PLACES):
            verifying._places.release()
    assert found["verified"] is False
    assert "being verified" in found["unverified_why"]
    assert len(found["results"]) == 3
    assert ask(writer, verify="true")["verified"] is True


def test_a_part_deleted_meanwhile_is_not_found(confused, writer) -> None:
    services.part_delete(part=confused["bracket"])
    found = ask(writer, verify="true")
    assert len(found["results"]) == 2
    assert str(confused["bracket"].uuid) not in {hit["part_id"] for hit in found["results"]}


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_each_get_an_answer(parts, token_client) -> None:
    clients = [token_client("read") for _ in range(10)]
    answers: list[dict[str, Any]] = []

    def one(client: Any) -> None:
        from django.db import connection

        try:
            answers.append(ask(client, verify="true"))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 10
    assert all(len(answer["results"]) == 3 for answer in answers)
    assert all(answer["verified"] or answer["unverified_why"] for answer in answers)
    assert verifying._places.acquire(blocking=False)  # none was left taken
    verifying._places.release()


def test_an_encoder_that_fails_midway_costs_nothing(confused, writer, monkeypatch) -> None:
    """As a worker's may, that does not answer in time."""
    ask(writer)  # the photo's vectors are kept
    encoder = verifying.encoders.encoder("mini", query=True)

    def silent(*args: Any) -> None:
        raise ServiceError("encoders_away", status=503)

    monkeypatch.setattr(encoder, "pictures_embed", silent)
    found = ask(writer, verify="true")
    assert found["verified"] is True
    assert found["results"][0]["part_id"] == str(confused["bracket"].uuid)


def test_without_the_encoder_the_outlines_alone_decide(confused, writer, monkeypatch) -> None:
    """Its vectors come from the cache; it is gone by the time of the second look."""
    ask(writer)

    def gone(*args: Any, **kwargs: Any) -> None:
        raise ServiceError("weights_missing", status=503, engine="mini")

    monkeypatch.setattr(verifying.encoders, "encoder", gone)
    found = ask(writer, verify="true")
    assert found["verified"] is True
    assert found["results"][0]["part_id"] == str(confused["bracket"].uuid)

"""A database that does not answer is "not now", not a fault, for programs and for people."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from catalog import selectors

pytestmark = pytest.mark.django_db

AWAY = [OperationalError("server closed the connection"), InterfaceError("it is closed")]


@pytest.fixture(params=AWAY, ids=["operational", "interface"])
def away(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*args: Any, **kwargs: Any) -> None:
        raise request.param

    monkeypatch.setattr(selectors, "parts_page", ask)


def test_a_program_is_told_to_ask_again(away, api) -> None:
    answer = api.get("/api/parts/")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer.json()["error"]["code"] == "database_away"
    assert "try again" in answer.json()["error"]["message"]


def test_a_person_is_shown_a_page_that_needs_no_database(away) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/parts")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "The database does not answer right now" in answer.content.decode()


def test_a_fault_of_ours_is_still_one(monkeypatch, api) -> None:
    def ask(*args: Any, **kwargs: Any) -> None:
        raise LookupError

    monkeypatch.setattr(selectors, "parts_page", ask)
    assert api.get("/api/parts/").status_code == 500

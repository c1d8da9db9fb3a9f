"""The second look on the search page: at once without the script, else after the first answer."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from catalog.models import Part
from search.models import SearchLog
from tests.factories.prepared import bracket_photo, parts_confuse, prepared_parts, sketches_forget

pytestmark = pytest.mark.django_db

SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def parts(settings: Any) -> Iterator[dict[str, Part]]:
    section = settings.SEARCH.search.model_copy(update={"verify_seconds": 10.0})
    settings.SEARCH = settings.SEARCH.model_copy(update={"search": section})
    made = prepared_parts()
    parts_confuse(made["plate"], made["bracket"])
    yield made
    sketches_forget(*made.values())


def ask(client: Client, headers: dict[str, str] | None = None, **asked: str) -> str:
    body = {"tab": "picture", "image": bracket_photo(), **asked}
    answer = client.post("/", body, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def names(html: str) -> list[str]:
    return re.findall(r'class="cover name"[^>]*>([^<]+)</a>', html)


def test_without_the_script_the_answer_is_verified_at_once(client: Client, parts: Any) -> None:
    html = ask(client, verify="yes")
    assert names(html)[0] == "bracket"
    assert html.count('<details class="outline"') == 3
    assert re.search(r"fits \d+%", html)
    assert "Ordered by how well the outlines fit" in html
    assert "data-verify=" not in html


def test_a_box_that_is_not_ticked_asks_for_none(client: Client, parts: Any) -> None:
    html = ask(client)
    assert names(html)[0] == "plate"
    assert "outline" not in html.split('id="results"')[1]
    assert not re.search(r'name="verify"[^>]*checked', html)


def test_the_script_gets_the_first_answer_and_asks_again(logged_in: Client, parts: Any) -> None:
    first = ask(logged_in, SCRIPT, verify="yes")
    assert names(first)[0] == "plate"
    key = re.search(r'data-verify="([^"]+)"', first)[1]
    made = SearchLog.objects.get()
    assert made.key == key
    again = ask(logged_in, SCRIPT, verify="now", verified_of=key)
    assert names(again)[0] == "bracket"
    assert again.count('<details class="outline"') == 3
    assert "data-verify=" not in again
    # One search, whose hits are judged in the order that is on the page now.
    again_made = SearchLog.objects.get()
    assert again_made.hits[0] == parts["bracket"].pk
    assert f'name="search" value="{key}"' in again


def test_a_key_of_another_search_changes_nothing(logged_in: Client, parts: Any) -> None:
    logged_in.get("/", {"tab": "text", "q": "bracket"})
    other = SearchLog.objects.get()
    ask(logged_in, SCRIPT, verify="now", verified_of=other.key)
    assert SearchLog.objects.get().hits == other.hits
    ask(logged_in, SCRIPT, verify="now", verified_of="x" * 500)
    assert SearchLog.objects.count() == 1


def test_nothing_prepared_is_said_quietly(client: Client, parts: Any) -> None:
    sketches_forget(*parts.values())
    html = ask(client, SCRIPT, verify="now")
    assert names(html)[0] == "plate"
    assert "not prepared for this yet" in html


def test_where_nothing_is_found_nothing_is_asked_again(client: Client) -> None:
    assert "data-verify=" not in ask(client, SCRIPT, verify="yes")


def test_marks_are_not_overruled(client: Client, parts: Any) -> None:
    html = ask(client, SCRIPT, verify="yes", more=str(parts["plate"].uuid))
    assert "data-verify=" not in html
    assert "marks say more" in html


def test_words_have_no_outline(client: Client, parts: Any) -> None:
    answer = client.post("/", {"tab": "both", "q": "bracket", "verify": "yes"}, headers=SCRIPT)
    assert answer.status_code == 200
    assert "data-verify=" not in answer.content.decode()


@pytest.mark.parametrize("on", [True, False])
def test_the_configuration_ticks_the_box(client: Client, parts: Any, settings: Any, on) -> None:
    section = settings.SEARCH.search.model_copy(update={"verify_page": on})
    settings.SEARCH = settings.SEARCH.model_copy(update={"search": section})
    html = client.get("/").content.decode()
    assert bool(re.search(r'name="verify"\s+value="yes"\s+checked', html)) is on

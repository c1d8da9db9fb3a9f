"""A session may end while a page is open: the login leads back to that page, not to a button."""

from typing import Any

import pytest
from django.test import Client

from catalog.models import Part

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def buttons(part: Part) -> list[str]:
    """Addresses that only take posts."""
    own = [f"/parts/{part.uuid}/{button}" for button in ("unit", "retry", "restore")]
    return [*own, "/suggestions/1/accept", "/duplicates/1"]


def test_from_the_login_back_to_the_page_of_the_button(client: Client, buttons: list[str]) -> None:
    for address in buttons:
        page = {"Referer": "http://testserver/parts/?q=a%20b&page=2"}
        answer = client.post(address, headers=page)
        assert answer["Location"] == "/login?next=/parts/%3Fq%3Da%2520b%26page%3D2", address
        # Where no page is named, or one of another site: the start.
        assert client.post(address)["Location"] == "/login?next=/"
        elsewhere = {"Referer": "https://elsewhere.example/parts"}
        assert client.post(address, headers=elsewhere)["Location"] == "/login?next=/"


def test_a_script_is_told_where_to_go(client: Client, buttons: list[str]) -> None:
    page = HTMX | {"HX-Current-URL": "http://testserver/duplicates?state=open"}
    for address in buttons:
        answer = client.post(address, headers=page)
        assert answer.status_code == 204, address
        assert answer["HX-Redirect"] == "/login?next=/duplicates%3Fstate%3Dopen"


def test_who_visits_a_button_is_told_so(client: Client, staff: Any, buttons: list[str]) -> None:
    client.force_login(staff)
    for address in buttons:
        answer = client.get(address)
        assert answer.status_code == 405 and "POST" in answer["Allow"], address
        assert "press it there" in answer.content.decode(), address


def test_a_page_leads_back_to_itself(client: Client, part: Part) -> None:
    answer = client.get("/trash?page=2", headers={"Referer": "http://testserver/parts"})
    assert answer["Location"] == "/login?next=/trash%3Fpage%3D2"


def test_the_door_of_a_closed_catalogue_leads_back_too(
    client: Client, part: Part, settings: Any
) -> None:
    settings.READING_OPEN = False
    page = {"Referer": f"http://testserver/parts/{part.uuid}"}
    answer = client.post(f"/parts/{part.uuid}/unit", {"unit": "mm"}, headers=page)
    assert answer["Location"] == f"/login?next=/parts/{part.uuid}"
    answer = client.get(f"/parts/{part.uuid}/progress", headers=page | HTMX)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"/login?next=/parts/{part.uuid}"

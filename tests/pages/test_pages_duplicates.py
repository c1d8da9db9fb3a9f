"""The page of duplicates: without a script, with one, for those who may only look."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from catalog.models import Part
from search.models import DuplicatePair


@pytest.fixture
def pair(part_make: Callable[..., Part]) -> DuplicatePair:
    older, newer = part_make(name="Older ring"), part_make(name="Newer ring")
    return DuplicatePair.objects.create(
        part_a=older, part_b=newer, relation="scaled", factor=1.2, score=1.0
    )


def test_a_pair_is_shown_with_its_parts_and_what_they_are(client: Client, pair) -> None:
    page = client.get("/duplicates").content.decode()
    for text in ("Older ring", "Newer ring", "same shape, scaled ×1.2", "812 mm³"):
        assert text in page, text
    # Who has not logged in may look and has no buttons.
    assert 'name="state"' not in page


def test_filters_narrow_and_a_mangled_address_shows_the_list(client: Client, pair) -> None:
    def n(address: str) -> int:
        answer = client.get(f"/duplicates{address}")
        assert answer.status_code == 200
        return answer.context["page"].paginator.count

    assert n("") == n("?relation=scaled") == n("?state=open") == n("?page=77") == 1
    assert n("?relation=near") == n("?state=dismissed") == 0
    assert n(f"?part={pair.part_a.uuid}") == 1
    assert n("?part=00000000-0000-4000-8000-000000000000") == 0
    for odd in ("?relation=x", "?state=%00", "?part=x", "?page=x", f"?page={'9' * 50}"):
        assert n(odd) == 1


def test_buttons_work_without_a_script(logged_in: Client, pair) -> None:
    said = {"state": "dismissed", "next": "/duplicates?relation=scaled"}
    answer = logged_in.post(f"/duplicates/{pair.pk}", said)
    assert answer.status_code == 302
    assert answer["Location"] == "/duplicates?relation=scaled"
    pair.refresh_from_db()
    assert pair.state == "dismissed"
    assert logged_in.get("/duplicates").context["page"].paginator.count == 0
    away = {"state": "open", "next": "https://example.org/"}
    assert logged_in.post(f"/duplicates/{pair.pk}", away)["Location"] == "/duplicates"


def test_with_the_script_the_card_alone_comes_back(logged_in: Client, pair) -> None:
    answer = logged_in.post(
        f"/duplicates/{pair.pk}",
        {"state": "confirmed", "trash": str(pair.part_b.uuid)},
        headers={"HX-Request": "true"},
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.strip().startswith("<li")
    assert "trash" in page
    pair.part_b.refresh_from_db()
    assert pair.part_b.deleted_at is not None


@pytest.mark.parametrize("said", [{}, {"state": "odd"}, {"state": "dismissed", "trash": "own"}])
def test_nonsense_is_refused_with_a_sentence(logged_in: Client, pair, said: dict[str, Any]) -> None:
    if said.get("trash") == "own":
        said = said | {"trash": str(pair.part_a.uuid)}
    answer = logged_in.post(f"/duplicates/{pair.pk}", said)
    assert answer.status_code == 400
    assert logged_in.post("/duplicates/999999", {"state": "open"}).status_code == 404
    assert Part.objects.trashed().count() == 0


def test_nobody_decides_without_logging_in(client: Client, pair) -> None:
    answer = client.post(f"/duplicates/{pair.pk}", {"state": "dismissed"})
    assert answer.status_code == 302
    assert "/login" in answer["Location"]
    pair.refresh_from_db()
    assert pair.state == "open"


def test_the_part_and_the_upload_s_row_say_it(client: Client, pair) -> None:
    page = client.get(pair.part_b.get_absolute_url()).content.decode()
    assert "Older ring" in page
    row = client.get(f"{pair.part_b.get_absolute_url()}/progress?brief=1").content.decode()
    assert f"This looks like {pair.part_a.number} (same shape, scaled ×1.2)." in row


def test_the_list_asks_a_fixed_number_of_questions(
    client: Client, part_make, django_assert_max_num_queries
) -> None:
    parts = [part_make(name=f"ring {n}") for n in range(6)]
    for n in range(0, 6, 2):
        DuplicatePair.objects.create(
            part_a=parts[n], part_b=parts[n + 1], relation="same", factor=1.0, score=1.0
        )
    with django_assert_max_num_queries(4):
        client.get("/duplicates")


def test_staff_see_the_pairs_in_the_administration(logged_in: Client, pair) -> None:
    address = "/admin/search/duplicatepair/"
    assert "scaled" in logged_in.get(address).content.decode()
    said = {"action": "dismiss", "_selected_action": [pair.pk]}
    assert logged_in.post(address, said, follow=True).status_code == 200
    pair.refresh_from_db()
    assert pair.state == "dismissed"

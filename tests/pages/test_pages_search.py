"""The search page without its script: forms, refusals, words by GET."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Category, Part

PICTURE = {"tab": "picture"}


def sentence_of(client: Client, asked: dict, *, method: str = "post", status: int = 400) -> str:
    answer = getattr(client, method)("/", asked)
    assert answer.status_code == status
    return answer.content.decode()


def test_words_are_asked_by_address(client: Client, part_make: Callable[..., Part]) -> None:
    part_make(name="Claw ring")
    part_make(name="Hex nut", name_zh="六角螺帽", number="N100", tags=[])
    answer = client.get("/", {"tab": "text", "q": "claw"})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Claw ring" in html
    assert "Hex nut" not in html
    assert 'value="claw"' in html  # the question stands in its field


def test_an_address_with_words_needs_no_tab(client: Client, part: Part) -> None:
    assert "Results for “plain”" in client.get("/?q=plain").content.decode()


def test_the_script_gets_the_answer_alone(client: Client, part: Part) -> None:
    asked = {"tab": "text", "q": "plain"}
    piece = client.get("/", asked, headers={"HX-Request": "true"})
    assert "<html" not in piece.content.decode()
    assert "HX-Request" in piece["Vary"]
    again = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in client.get("/", asked, headers=again).content.decode()


@pytest.mark.parametrize("tab", ["picture", "text", "both", "stl"])
def test_each_tab_stands_by_itself(client: Client, db: None, tab: str) -> None:
    html = " ".join(client.get("/", {"tab": tab}).content.decode().split())
    assert f'data-tab="{tab}" aria-current="true"' in html
    assert f'<input type="hidden" name="tab" value="{tab}">' in html


def test_without_parts_the_first_page_says_what_to_do(client: Client, db: None) -> None:
    assert "The catalogue is empty" in client.get("/").content.decode()


def test_words_that_find_nothing_come_with_advice(client: Client, part: Part) -> None:
    html = client.get("/", {"tab": "text", "q": "xylophone"}).content.decode()
    assert "No part fits" in html
    assert "Try fewer words" in html


def test_filters_narrow_the_words(client: Client, part_make: Callable[..., Part]) -> None:
    part_make(name="Ring small")
    part_make(name="Ring large", size_x=90.0)
    html = client.get("/", {"tab": "text", "q": "ring", "x_max": "50"}).content.decode()
    assert "Ring small" in html
    assert "Ring large" not in html
    assert "1 filter" in html


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (PICTURE, "Choose a picture first."),
        ({"tab": "stl"}, "Choose an STL or another mesh file first."),
        ({"tab": "both"}, "Choose a picture, write some words, or both."),
        ({"tab": "text", "q": " "}, "Write what you look for."),
        ({"tab": "text", "q": "x" * 501}, "501 characters long; the most is 500"),
        ({"tab": "text", "q": "x", "k": "0"}, "must lie between 1 and 20"),
        ({"tab": "text", "q": "x", "k": "1000000000"}, "must lie between 1 and 20"),
        ({"tab": "text", "q": "x", "k": "many"}, "is a whole number"),
        ({"tab": "text", "q": "x", "x_min": "-1"}, "Width at least, mm: Give a number from 0"),
        ({"tab": "text", "q": "x", "x_min": "9", "x_max": "3"}, "The most is smaller"),
        ({"tab": "text", "q": "x", "volume_min": "nan"}, "Give a number"),
        ({"tab": "text", "q": "x", "category": "99"}, "This category is not known."),
        ({"tab": "text", "q": "x", "category": str(2**63)}, "This category is not known."),
        ({"tab": "text", "q": "x", "watertight": "maybe"}, "Watertight:"),
        ({"tab": "both", "q": "x", "alpha": "2"}, "The picture&#x27;s share:"),
        ({"tab": "text", "q": "x", "engine": "\0"}, "Compare by: Null characters"),
        ({"tab": "text", "q": "x", "expand": "x" * 11}, "<div>Ensure this value has at most 10"),
        ({**PICTURE, "crop_left": "90", "crop_right": "20"}, "Choose a picture first."),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(
    client: Client, db: None, asked: dict, sentence: str
) -> None:
    assert sentence in sentence_of(client, asked)


def test_an_empty_frame_is_refused(client: Client, db: None) -> None:
    file = SimpleUploadedFile("a.png", b"x" * 64, content_type="image/png")
    asked = {**PICTURE, "image": file, "crop_left": "90", "crop_right": "20"}
    assert "The frame is empty" in sentence_of(client, asked)


def test_what_is_no_picture_is_told(client: Client, db: None) -> None:
    file = SimpleUploadedFile("a.png", b"<html>" * 40, content_type="image/png")
    assert "This is not a picture." in sentence_of(client, {**PICTURE, "image": file})


def test_an_empty_picture_is_told(client: Client, db: None) -> None:
    file = SimpleUploadedFile("a.png", b"", content_type="image/png")
    assert "The file is empty." in sentence_of(client, {**PICTURE, "image": file})


def test_what_is_no_mesh_is_told(client: Client, db: None) -> None:
    file = SimpleUploadedFile("a.stl", b"<!doctype html><title>x</title>" * 9)
    assert "not a mesh" in sentence_of(client, {"tab": "stl", "mesh": file})


def test_the_cost_of_the_search_page_is_known(
    client: Client,
    part_make: Callable[..., Part],
    category: Category,
    django_assert_num_queries: Any,
) -> None:
    """Baseline: newest parts and their number, the sampled categories, the choice of categories,
    the engines in use.

    Counts that grow with the catalogue are asked at most twice a minute.
    """
    part_make(category=category)
    client.get("/")
    with django_assert_num_queries(5):
        client.get("/")


def test_an_unknown_tab_or_engine_is_no_failure(client: Client, part: Part) -> None:
    assert client.get("/", {"tab": "<x>"}).status_code == 200
    assert client.get("/", {"tab": "text", "q": "ring", "engine": "gpt"}).status_code == 200
    assert client.post("/").status_code == 400
    assert client.put("/").status_code == 405

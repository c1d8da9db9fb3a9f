"""The list, editing, and the upload form as it works without a script."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog.models import Category, Part
from tests.factories import meshes


def test_the_list_is_narrowed_and_ordered(
    client: Client, part_make: Callable[..., Part], category: Category
) -> None:
    part_make(name="Alpha", category=category)
    part_make(name="Beta", status=Part.Status.FAILED, error_code="no_triangles")

    def names(**asked: Any) -> list[str]:
        page = client.get("/parts", asked).context["page"]
        return [part.name for part in page]

    assert names() == ["Beta", "Alpha"]
    assert names(ordering="name") == ["Alpha", "Beta"]
    assert names(category=category.pk) == ["Alpha"]
    assert names(status="failed") == ["Beta"]
    assert names(q="alpha") == ["Alpha"]
    assert names(q="nothing like it") == []


@pytest.mark.parametrize(
    "asked",
    [
        {"page": "x"},
        {"page": "0"},
        {"page": "999999999999"},
        {"category": "abc"},
        {"category": "9" * 40},
        {"status": "odd"},
        {"ordering": "password"},
        {"q": "x" * 5000},
        {"q": "\x00"},
    ],
)
def test_a_mangled_list_address_shows_a_list(client: Client, part: Part, asked: dict) -> None:
    assert client.get("/parts", asked).status_code == 200


def test_the_list_goes_on_over_pages(
    client: Client, part_make: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        part_make()
    from catalog import selectors

    whole = selectors.parts_page
    monkeypatch.setattr(
        selectors, "parts_page", lambda filters, *, page: whole(filters, page=page, per_page=2)
    )
    first = client.get("/parts", {"status": "ready"}).content.decode()
    assert 'href="?status=ready&amp;page=2"' in first
    second = client.get("/parts", {"status": "ready", "page": "2"}).content.decode()
    assert second.count("data-card") == 1


def test_editing_keeps_what_was_written(logged_in: Client, part: Part, category: Category) -> None:
    where = reverse("part_edit", args=[part.uuid])
    fields = {
        "name": "Claw ring",
        "name_zh": "爪鑲戒",
        "number": "R1",
        "category": category.pk,
        "tags": "gold， 18K、ring,gold",
        "unit": "mm",
        "description": "New.",
    }
    assert logged_in.post(where, fields)["Location"] == part.get_absolute_url()
    part.refresh_from_db()
    assert (part.name, part.number, part.category) == ("Claw ring", "R1", category)
    assert part.tags == ["gold", "18K", "ring"]
    assert part.unit_assumed  # leaving the unit alone confirms nothing


def test_a_part_needs_a_name(logged_in: Client, part: Part) -> None:
    answer = logged_in.post(reverse("part_edit", args=[part.uuid]), {"name": " ", "unit": "mm"})
    assert answer.status_code == 400
    assert "A part needs a name." in answer.content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 301},
        {"number": "x" * 81},
        {"unit": "parsec"},
        {"category": "77"},
        {"description": "x" * 20_001},
    ],
)
def test_fields_that_do_not_fit_are_shown_at_their_place(
    logged_in: Client, part: Part, fields: dict
) -> None:
    asked = {"name": "n", "unit": "mm", **fields}
    answer = logged_in.post(reverse("part_edit", args=[part.uuid]), asked)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.content.decode()


def test_an_unknown_unit_is_refused(logged_in: Client, part: Part) -> None:
    answer = logged_in.post(reverse("part_unit", args=[part.uuid]), {"unit": "ell"})
    assert answer.status_code == 400
    assert "This unit is not known." in answer.content.decode()


def test_several_files_come_by_the_plain_form(
    logged_in: Client, stl: Callable[..., SimpleUploadedFile], category: Category
) -> None:
    files = [
        stl(name="one.stl"),
        stl(meshes.box((1, 2, 7)), name="two.stl"),
        stl(name="one again.stl"),
        SimpleUploadedFile("page.stl", b"<!doctype html><p>404</p>" * 9),
        SimpleUploadedFile("void.stl", b""),
    ]
    asked = {"files": files, "category": category.pk, "tags": "new, box"}
    answer = logged_in.post("/upload", asked)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert sorted(Part.objects.values_list("file_name", flat=True)) == ["one.stl", "two.stl"]
    part = Part.objects.get(file_name="two.stl")
    assert (part.category, part.tags) == (category, ["new", "box"])
    assert html.count("upload-row new") == 2
    assert html.count("upload-row here") == 1
    assert html.count("upload-row failed") == 2
    assert "The file is empty." in html
    assert "a web page" in html


def test_an_upload_without_files_is_told(logged_in: Client) -> None:
    answer = logged_in.post("/upload", {})
    assert answer.status_code == 400
    assert "Choose at least one file." in answer.content.decode()


def test_an_upload_of_only_bad_files_is_no_success(logged_in: Client) -> None:
    answer = logged_in.post("/upload", {"files": [SimpleUploadedFile("a.stl", b"")]})
    assert answer.status_code == 400


def test_the_cost_of_the_list_does_not_grow(
    client: Client,
    part_make: Callable[..., Part],
    category: Category,
    django_assert_num_queries: Any,
) -> None:
    """Baseline: the count, the parts with their categories, the choice of categories."""
    for _ in range(5):
        part_make(category=category)
    with django_assert_num_queries(3):
        client.get("/parts")


def test_the_cost_of_a_part_page_is_known(
    client: Client, part: Part, django_assert_num_queries: Any
) -> None:
    """Baseline: the part, its views, steps, suggestions with their categories, duplicates, and its
    pieces' inspections: the last ones, and the verdicts of the last hundred."""
    with django_assert_num_queries(8):
        client.get(part.get_absolute_url())

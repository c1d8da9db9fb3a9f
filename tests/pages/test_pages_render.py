"""Every page answers everyone as it should, in both languages."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import Category, Part, PipelineStep

LANGUAGES = {"en": "Parts", "zh-hant": "零件"}
OPEN = ["search", "part_list", "login"]
OPEN_OF_PART = ["part_detail", "part_progress"]
CLOSED = ["part_upload", "trash"]
CLOSED_OF_PART = ["part_edit", "part_delete"]
POSTED = ["part_restore", "part_retry", "part_unit"]


def address(name: str, part: Part) -> str:
    return reverse(name, args=[part.uuid]) if name.startswith("part_") and name not in (
        "part_list", "part_upload",
    ) else reverse(name)  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OPEN + OPEN_OF_PART)
def test_reading_pages_are_open_here(client: Client, part: Part, name: str, language: str) -> None:
    answer = client.get(address(name, part), headers={"Accept-Language": language})
    assert answer.status_code == 200
    if name != "part_progress":  # a piece of a page has no frame
        html = answer.content.decode()
        assert f'<html lang="{language}">' in html
        assert LANGUAGES[language] in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OPEN + OPEN_OF_PART + CLOSED + CLOSED_OF_PART)
def test_a_person_with_a_login_sees_every_page(
    logged_in: Client, part: Part, name: str, language: str
) -> None:
    answer = logged_in.get(address(name, part), headers={"Accept-Language": language})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", CLOSED + CLOSED_OF_PART)
def test_writing_pages_show_the_way_in(client: Client, part: Part, name: str) -> None:
    where = address(name, part)
    answer = client.get(where)
    assert (answer.status_code, answer["Location"]) == (302, f"/login?next={where}")


@pytest.mark.parametrize("name", POSTED)
def test_what_changes_something_is_posted(logged_in: Client, part: Part, name: str) -> None:
    assert logged_in.get(address(name, part)).status_code == 405


@pytest.mark.parametrize("name", ["part_delete", *POSTED])
def test_a_stranger_changes_nothing(client: Client, part: Part, name: str) -> None:
    answer = client.post(address(name, part))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login")
    assert Part.objects.present().count() == 1


@pytest.mark.parametrize("name", OPEN + OPEN_OF_PART + CLOSED + CLOSED_OF_PART)
def test_paths_work_with_a_trailing_slash(logged_in: Client, part: Part, name: str) -> None:
    where = address(name, part).rstrip("/") + "/"
    assert logged_in.get(where).status_code == 200


def test_where_reading_is_closed_pages_need_a_login(
    client: Client, part: Part, settings: object
) -> None:
    settings.READING_OPEN = False
    for name in ["search", "part_list", "part_detail", "part_progress"]:
        answer = client.get(address(name, part))
        assert answer.status_code == 302, name
    assert client.get(reverse("login")).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_part_is_told_in_a_page(client: Client, db: None, language: str) -> None:
    answer = client.get(
        "/parts/00000000-0000-4000-8000-000000000000", headers={"Accept-Language": language}
    )
    assert answer.status_code == 404
    assert {"en": "There is no such part.", "zh-hant": "沒有這個零件。"}[
        language
    ] in answer.content.decode()


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("400", "無法理解此請求"),
        ("403", "您沒有存取權限"),
        ("403_csrf", "頁面已過期"),
        ("404", "找不到頁面"),
        ("413", "一次傳送太多了"),
        ("500", "系統發生錯誤"),
    ],
)
def test_failures_have_a_page_of_the_house(rf: object, template: str, sentence: str) -> None:
    from django.contrib.auth.models import AnonymousUser
    from django.template.loader import render_to_string
    from django.utils import translation

    request = rf.get("/nowhere")
    request.user = AnonymousUser()
    with translation.override("zh-hant"):
        html = render_to_string(f"{template}.html", {"message": "m"}, request)
    assert sentence in html
    assert "dist/site.css" in html


def test_the_page_for_our_own_failure_needs_nothing_of_ours() -> None:
    from django.template.loader import render_to_string

    html = render_to_string("500.html")  # no request, no database, no manifest
    assert "/static/dist/site.css" in html


def test_a_wrong_path_gets_the_page(client: Client, db: None) -> None:
    answer = client.get("/no/such/page")
    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()


def test_progress_asks_again_only_while_there_is_work(
    client: Client, part_make: Callable[..., Part]
) -> None:
    working = part_make(status=Part.Status.PROCESSING)
    PipelineStep.objects.filter(part=working, step="render").update(state="running")
    where = reverse("part_progress", args=[working.uuid])
    answer = client.get(where, headers={"HX-Request": "true"})
    assert 'hx-trigger="every 1s"' in answer.content.decode()
    assert "HX-Trigger" not in answer
    Part.objects.update(status=Part.Status.READY)
    answer = client.get(where, headers={"HX-Request": "true"})
    assert "hx-trigger" not in answer.content.decode()
    assert answer["HX-Trigger"] == "part-done"


def test_a_failed_part_says_why_and_offers_another_try(
    logged_in: Client, part_make: Callable[..., Part]
) -> None:
    failed = part_make(status=Part.Status.FAILED, error_code="no_triangles", thumbnail="")
    html = logged_in.get(failed.get_absolute_url()).content.decode()
    assert "The file holds no triangles." in html
    assert "Try again" in html


def test_accepting_a_suggestion_files_the_part(logged_in: Client, part: Part) -> None:
    suggestion = part.suggestions.get()
    where = reverse("suggestion_answer", args=[suggestion.pk, "accept"])
    assert where in logged_in.get(part.get_absolute_url()).content.decode()
    answer = logged_in.post(where)
    assert (answer.status_code, answer["Location"]) == (302, part.get_absolute_url())
    part.refresh_from_db()
    assert part.category == suggestion.category


def test_an_upload_row_asks_for_the_likeliest_category_and_takes_the_answer(
    logged_in: Client, part: Part, category: Category
) -> None:
    row = logged_in.get(reverse("part_progress", args=[part.uuid]) + "?brief=1").content.decode()
    where = reverse("suggestion_answer", args=[part.suggestions.get().pk, "accept"]) + "?brief=1"
    assert where in row
    assert "83%" in row
    answer = logged_in.post(where, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    html = answer.content.decode()
    assert category.name in html
    assert "<form" not in html
    part.refresh_from_db()
    assert part.category == category


def test_a_part_like_no_category_says_so(logged_in: Client, part_make: Callable[..., Part]) -> None:
    html = logged_in.get(part_make().get_absolute_url()).content.decode()
    assert "None of the categories is likely." in html


def test_a_filed_part_is_asked_nothing(
    logged_in: Client, part_make: Callable[..., Part], category: Category
) -> None:
    html = logged_in.get(part_make(category=category).get_absolute_url()).content.decode()
    assert "Which category is it?" not in html


def test_the_trash_gives_back(logged_in: Client, part: Part) -> None:
    logged_in.post(reverse("part_delete", args=[part.uuid]))
    assert logged_in.get(part.get_absolute_url()).status_code == 404
    assert part.label in logged_in.get(reverse("trash")).content.decode()
    answer = logged_in.post(reverse("part_restore", args=[part.uuid]))
    assert answer["Location"] == part.get_absolute_url()
    assert logged_in.get(part.get_absolute_url()).status_code == 200


def test_the_unit_is_confirmed_on_the_page(logged_in: Client, part: Part) -> None:
    logged_in.post(reverse("part_unit", args=[part.uuid]), {"unit": "in"})
    part.refresh_from_db()
    assert (part.unit, part.unit_assumed) == ("in", False)
    assert part.size_x == pytest.approx(24 * 25.4)


def test_the_way_in_says_what_is_open(client: Client, db: None, settings: object) -> None:
    assert "Searching is open to all" in client.get("/login").content.decode()
    settings.READING_OPEN = False
    assert "for those who have an account" in client.get("/login").content.decode()


def test_the_language_is_chosen_and_kept(client: Client, db: None) -> None:
    answer = client.post(reverse("set_language"), {"language": "zh-hant", "next": "/parts"})
    assert answer["Location"] == "/parts"
    assert "所有分類" in client.get("/parts").content.decode()

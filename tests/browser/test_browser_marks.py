"""More like this, less like this: by mouse and by keys, and without the script for words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.models import Part
from tests.browser.test_browser_search import names

Open = Callable[..., Any]


def mark(page: Any, name: str, which: str) -> Any:
    return page.locator(f'.hit:has(a.cover:text-is("{name}")) [data-mark="{which}"]')


def settled(page: Any) -> None:
    page.wait_for_selector("#results:not([aria-busy]) .took")


def test_a_mark_asks_again_and_a_chip_takes_it_back(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/?tab=text&q=words+of+another+tab")
    page.keyboard.press("1")
    page.set_input_files("#id_image", photo)
    page.wait_for_selector("#cut")
    settled(page)
    first = names(page)[0]
    mark(page, names(page)[2], "less").hover()
    last = names(page)[2]
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        mark(page, last, "less").click()
    page.wait_for_selector("#marks-shown .mark.less")
    assert last not in names(page)
    assert page.locator("#marks-shown").inner_text().split() == ["Less", "like", *last.split()]
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        mark(page, first, "more").click(force=True)
    page.wait_for_selector("#marks-shown .mark.more")
    assert mark(page, first, "more").get_attribute("aria-pressed") == "true"
    page.click(f'[aria-label="Take back the mark of {last}"]')
    page.wait_for_selector("#results:not([aria-busy]) .hit >> nth=2")
    assert last in names(page)
    assert page.locator("#marks-shown .mark").count() == 1


def test_keys_are_enough_and_the_focus_stays(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/?tab=text&q=round+thing")
    first = names(page)[0]
    mark(page, first, "more").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#marks-shown")
    settled(page)
    assert page.evaluate("document.activeElement.dataset.mark") == "more"
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert "more=" in page.url
    page.keyboard.press("Enter")
    page.wait_for_selector("#results:not(:has(#marks-shown)) .took")
    assert "more=" not in page.url
    mark(page, first, "less").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("#marks-shown .mark.less")
    assert page.evaluate("document.activeElement.name") == "unmark"


def test_other_words_and_another_tab_begin_anew(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/?tab=text&q=round+thing")
    mark(page, names(page)[0], "more").click(force=True)
    page.wait_for_selector("#marks-shown")
    page.fill("#id_q", "long thing")
    page.keyboard.press("Enter")
    page.wait_for_selector('#results h2:has-text("long thing")')
    assert "more=" not in page.url
    assert page.locator("#marks-shown").count() == 0
    mark(page, names(page)[0], "more").click(force=True)
    page.wait_for_selector("#marks-shown")
    page.keyboard.press("Escape")
    page.click('.tabs a[data-tab="picture"]')
    page.set_input_files("#id_image", photo)
    page.wait_for_selector("#cut")
    assert page.locator("#marks-shown").count() == 0


def test_an_address_with_marks_is_a_question_whole(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/?tab=text&q=round+thing")
    mark(page, names(page)[0], "more").click(force=True)
    page.wait_for_selector("#marks-shown")
    page.reload()
    assert page.locator("#marks-shown .mark.more").count() == 1
    page.go_back()
    page.wait_for_selector("#results:not(:has(#marks-shown)) .took")


def test_without_a_script_words_are_marked_by_the_form(
    open_page: Open, gallery: list[Part]
) -> None:
    page = open_page("/?tab=text&q=round+thing", java_script_enabled=False)
    first, second = names(page)[:2]
    mark(page, second, "less").click(force=True)
    assert second not in names(page)
    mark(page, first, "more").click(force=True)
    assert page.locator("#marks-shown .mark").count() == 2
    page.click(f'[aria-label="Take back the mark of {second}"]')
    assert second in names(page)
    assert page.locator("#marks-shown .mark").count() == 1


def test_similar_parts_are_compared_by_choice(open_page: Open, gallery: list[Part]) -> None:
    page = open_page(gallery[0].get_absolute_url())
    page.wait_for_selector(".similar-grid .hit")
    assert page.locator(".similar-grid .shares").count() == 2
    page.select_option("#similar-engine", "shape")
    page.wait_for_selector(".similar-grid:not(:has(.shares)) .hit")
    assert page.input_value("#similar-engine") == "shape"
    page.goto(f"{gallery[0].get_absolute_url()}/similar")
    last = names(page)[-1]
    mark(page, last, "less").click(force=True)
    page.wait_for_selector("#marks-shown")
    assert last not in names(page)


def test_what_a_score_is_made_of_unfolds_by_keys(open_page: Open, gallery: list[Part]) -> None:
    page = open_page(f"{gallery[0].get_absolute_url()}/similar")
    page.locator(".shares > summary").first.focus()
    page.keyboard.press("Enter")
    shown = page.locator(".shares ul").first.inner_text()
    assert "Shape" in shown
    assert "rank 1" in shown
    assert "%" in shown

"""The panel that says why, in a browser: opened from a card, heat switched, closed by a key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.models import Part
from tests.factories import meshes

Open = Callable[..., Any]


def panel_of(page: Any) -> Any:
    page.locator(".why-ask").first.click()
    page.wait_for_selector(".why-panel .why h2")
    return page.locator(".why-panel")


def test_a_picture_is_explained_without_being_chosen_again(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/")
    page.set_input_files("#id_image", photo)
    page.wait_for_selector(".why-ask")
    panel = panel_of(page)
    assert panel.locator(".heat").count() == 2
    assert panel.locator(".why-pairs line").count() >= 1
    assert panel.locator(".why-said p").count() >= 1
    # Heat and pairs are switched, and the heat is made fainter.
    panel.locator("#why-pairs").uncheck()
    assert not panel.locator(".why-pairs").is_visible()
    panel.locator("#why-strength").fill("0.2")
    faint = panel.locator(".heat").first
    page.wait_for_function(
        "(heat) => getComputedStyle(heat).opacity === '0.2'", arg=faint.element_handle()
    )
    page.keyboard.press("Escape")
    assert not panel.is_visible()
    assert "why-ask" in page.evaluate("document.activeElement.className")


def test_the_question_is_that_of_the_answer(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/?tab=text&q=plain+ring")
    page.wait_for_selector(".why-ask")
    page.fill("#id_q", "something else")
    panel = panel_of(page)
    assert "“plain ring”" in panel.inner_text()
    panel.locator(".why-close").click()
    assert not panel.is_visible()


def test_a_mesh_is_explained(open_page: Open, gallery: list[Part], tmp_path: Path) -> None:
    file = tmp_path / "q.stl"
    file.write_bytes(meshes.stl_binary(meshes.ring() * 2))
    page = open_page("/?tab=stl")
    page.set_input_files("#id_mesh", file)
    page.wait_for_selector(".why-ask")
    assert "0.5 times as large" in panel_of(page).inner_text()


def test_without_the_script_it_is_a_page(open_page: Open, gallery: list[Part], photo: Path) -> None:
    page = open_page("/?tab=picture", java_script_enabled=False)
    page.set_input_files("#id_image", photo)
    page.locator("#search button[type=submit]").click()
    page.wait_for_selector(".why-ask")
    page.locator(".why-ask").first.click()
    page.wait_for_selector(".why-page .why h1")  # its own page: its own heading
    assert page.locator(".heat").count() == 2
    assert page.url.endswith("/why")
    assert not page.locator('[data-do="surface"]').is_visible()


def test_on_a_phone_it_fills_the_screen(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/?tab=text&q=ring", viewport={"width": 390, "height": 844})
    page.wait_for_selector(".why-ask")
    panel = panel_of(page)
    assert panel.bounding_box()["width"] == 390
    wide = "document.querySelector('.why-panel').scrollWidth <= 390"
    assert page.evaluate(wide)

"""The second look: the first answer at once, then the cards move, and the focus with them."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Part
from search import verifying
from tests.browser.test_browser_search import names
from tests.factories.prepared import bracket_photo, parts_confuse, prepared_parts, sketches_forget

Open = Callable[..., Any]


@pytest.fixture
def parts(transactional_db: None, settings: Any) -> Iterator[dict[str, Part]]:
    section = settings.SEARCH.search.model_copy(update={"verify_seconds": 10.0})
    settings.SEARCH = settings.SEARCH.model_copy(update={"search": section})
    made = prepared_parts()
    parts_confuse(made["plate"], made["bracket"])
    yield made
    sketches_forget(*made.values())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "bracket.png"
    path.write_bytes(bracket_photo().read())
    return path


def test_the_cards_move_and_the_focus_stays(open_page: Open, parts: Any, photo: Path) -> None:
    page = open_page()
    held: list[Any] = []
    # The second request waits until the first answer was looked at.
    page.route("**/*", lambda route: held.append(route) if second(route) else route.continue_())
    page.set_input_files("#id_image", photo)
    page.wait_for_selector(".verifying .spinner")
    assert names(page)[0] == "plate"
    link = page.locator('.hit a.cover:text-is("bracket")')
    link.focus()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.wait_for_selector(".hit .outline")
    assert names(page)[0] == "bracket"
    assert page.evaluate("document.activeElement.textContent") == "bracket"
    assert page.locator(".hit .rank").all_inner_texts() == ["1", "2", "3"]
    assert page.locator(".verifying .spinner").count() == 0
    assert "outlines fit your picture" in page.inner_text(".verifying")
    # The outline opens over the whole picture, and is no link.
    address = page.url
    first = page.locator(".hit .outline summary").first
    small = first.bounding_box()["width"]
    first.click()
    assert page.url == address
    assert first.bounding_box()["width"] > 1.5 * small


def second(route: Any) -> bool:
    return b'name="verify"\r\n\r\nnow' in (route.request.post_data_buffer or b"")


def test_when_it_fails_the_first_answer_stays(open_page: Open, parts: Any, photo: Path) -> None:
    page = open_page()
    page.route("**/*", lambda route: route.fulfill(status=400) if second(route)
               else route.continue_())  # fmt: skip
    page.set_input_files("#id_image", photo)
    page.wait_for_selector('.verifying:has-text("could not be compared")')
    assert names(page)[0] == "plate"
    assert page.locator(".hit").count() == 3


def test_it_asks_again_while_others_are_verified(
    open_page: Open, parts: Any, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = threading.BoundedSemaphore(1)
    assert wait.acquire()
    monkeypatch.setattr(verifying, "_places", wait)
    page = open_page()
    asked: list[Any] = []

    def passing(route: Any) -> None:
        if second(route):
            asked.append(route)
            if len(asked) == 2:  # the one before was told that others are at it
                wait.release()
        route.continue_()

    page.route("**/*", passing)
    page.set_input_files("#id_image", photo)
    page.wait_for_selector(".hit .outline")
    assert names(page)[0] == "bracket"
    assert len(asked) == 2


def test_without_a_script_a_box_asks_for_it(open_page: Open, parts: Any, photo: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.set_input_files("#id_image", photo)
    assert page.locator("#id_verify").is_checked()
    page.click('.ask-go [type="submit"]')
    page.wait_for_selector(".hit .outline")
    assert names(page)[0] == "bracket"

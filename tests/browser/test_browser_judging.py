"""Staff judge hits where they see them, with the page's script and without."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.models import Part
from search.evaluation import logs
from search.models import EvaluationQuery, Judgement

Open = Callable[..., Any]


def test_hits_of_a_photo_are_judged_in_place(
    open_page: Open, gallery: list[Part], photo: Path, staff: Any
) -> None:
    page = open_page("/", login=staff)
    page.set_input_files("#id_image", str(photo))
    first = page.locator(".hit").first
    first.locator("button.up").click()
    first.locator('button.up[aria-pressed="true"]').wait_for()
    assert page.evaluate("document.activeElement.className") == "up"
    assert Judgement.objects.get().grade == 2
    first.locator("button.down").click()
    first.locator('button.down[aria-pressed="true"]').wait_for()
    assert first.locator('button[aria-pressed="true"]').count() == 1
    first.locator("button.down").click()
    first.locator('button.down[aria-pressed="false"]').wait_for()
    assert not Judgement.objects.exists()
    query = EvaluationQuery.objects.get()
    assert (query.kind, bool(query.file)) == ("image", True)


def test_a_hit_that_is_opened_is_noted(open_page: Open, gallery: list[Part], staff: Any) -> None:
    page = open_page("/?q=R8107490", login=staff)
    logs._writer.drain()
    page.locator(".hit a.cover").first.click()
    page.wait_for_url("**/parts/*")
    until = time.monotonic() + 20
    while not Judgement.objects.exists() and time.monotonic() < until:
        time.sleep(0.1)
    noted = Judgement.objects.get()
    assert (noted.source, noted.part.number, noted.rank) == ("click", "R8107490", 1)


def test_without_the_script_a_thumb_is_a_form(
    open_page: Open, gallery: list[Part], staff: Any
) -> None:
    page = open_page("/?q=R8107490", login=staff, java_script_enabled=False)
    logs._writer.drain()
    page.locator(".hit button.up").first.click()
    page.locator('.hit button.up[aria-pressed="true"]').first.wait_for()
    assert "q=R8107490" in page.url
    assert Judgement.objects.get().grade == 2


def test_others_see_no_thumbs(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/?q=R8107490")
    assert page.locator(".hit").count() == 1
    assert page.locator("form.judge").count() == 0

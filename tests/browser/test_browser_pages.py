"""Uploading with progress, the page of a part, colours, narrow screens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Part, PipelineStep
from tests.factories import meshes

Open = Callable[..., Any]


def stl_write(path: Path, size: tuple[float, float, float]) -> Path:
    path.write_bytes(meshes.stl_binary(meshes.box(size)))
    return path


def test_two_files_are_sent_and_watched_until_ready(
    open_page: Open, staff: Any, tmp_path: Path, work: Callable[[], int], transactional_db: None
) -> None:
    page = open_page("/upload", login=staff)
    page.fill("#id_tags", "new, box")
    files = [stl_write(tmp_path / f"box {n}.stl", (n, 2, 3)) for n in (1, 2)]
    page.set_input_files("#id_files", files)
    page.locator(".upload-row.new").nth(1).wait_for()
    page.wait_for_selector(".pip.waiting")  # nobody works yet
    work()
    page.wait_for_selector('#upload-sum:has-text("2 ready")')
    assert page.locator(".pip.done").count() == 2 * len(PipelineStep.Step)
    assert Part.objects.get(file_name="box 1.stl").tags == ["new", "box"]
    page.set_input_files("#id_files", files[:1])
    page.wait_for_selector(".upload-row.here")
    link = page.locator(".upload-row.here a")
    assert link.get_attribute("href") == Part.objects.get(file_name="box 1.stl").get_absolute_url()


def test_a_refused_file_says_why_and_the_others_go_on(
    open_page: Open, staff: Any, tmp_path: Path, transactional_db: None
) -> None:
    page = open_page("/upload", login=staff)
    bad = tmp_path / "page.stl"
    bad.write_text("<!doctype html><p>not found</p>")
    page.set_input_files("#id_files", [bad, stl_write(tmp_path / "a.stl", (1, 2, 3))])
    page.wait_for_selector(".upload-row.failed")
    page.wait_for_selector(".upload-row.new")
    assert "a web page" in page.inner_text(".upload-row.failed .row-text")
    assert page.locator("#upload-again").is_visible()


def test_a_part_comes_alive_when_its_work_is_done(
    open_page: Open,
    staff: Any,
    stl: Callable[..., Any],
    work: Callable[[], int],
    transactional_db: None,
) -> None:
    from catalog.services import part_upload

    part, _created = part_upload(file=stl())
    page = open_page(part.get_absolute_url(), login=staff)
    assert page.locator(".step.waiting").count() == len(PipelineStep.Step)
    work()
    page.wait_for_selector(".view-strip img")
    assert page.locator(".view-strip img").count() == 12
    assert page.locator(".step.done").count() == len(PipelineStep.Step)
    assert "10 × 20 × 30 mm" in page.inner_text(".facts")
    # What lies outside of the block that was fetched anew is there as well.
    page.wait_for_selector("#similar-head")


def test_the_viewer_or_the_picture_is_shown(open_page: Open, gallery: list[Part]) -> None:
    page = open_page(gallery[0].get_absolute_url())
    # Whether this machine's Chromium has WebGL or not, something is to be seen.
    page.wait_for_selector(".viewer-stage canvas, .viewer:has(.viewer-tools[hidden])")
    assert page.locator(".viewer-stage :is(canvas, img)").count() == 1


def test_the_colours_follow_the_button_and_stay(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/", color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    page.click("#theme")
    dark = page.evaluate(ground)
    assert page.get_attribute("#theme", "aria-label") == "Colours: dark"
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_the_system_may_choose_the_dark(open_page: Open, gallery: list[Part]) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    grounds = {open_page("/", color_scheme=s).evaluate(ground) for s in ("light", "dark")}
    assert len(grounds) == 2


@pytest.mark.parametrize(("width", "locale"), [(360, "en-GB"), (360, "zh-TW"), (960, "en-GB")])
def test_no_page_is_wider_than_the_screen(
    open_page: Open, staff: Any, gallery: list[Part], width: int, locale: str
) -> None:
    part = gallery[0]
    Part.objects.filter(pk=part.pk).update(
        name="R" * 300, name_zh="戒" * 300, number="N" * 80, tags=["t" * 60], description="d" * 900
    )
    where = part.get_absolute_url()
    page = open_page("/", login=staff, locale=locale, viewport={"width": width, "height": 800})
    for path in [
        "/", "/?tab=both", "/?tab=text&q=ball", "/parts", where, f"{where}/similar",
        f"{where}/edit", f"{where}/delete", "/upload", "/trash",
    ]:  # fmt: skip
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_logging_in_and_out(open_page: Open, staff: Any, transactional_db: None) -> None:
    page = open_page("/upload")
    assert "/login?next=/upload" in page.url
    page.fill("#id_username", "admin")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(".note.bad")
    page.fill("#id_password", "a long enough word")
    page.keyboard.press("Enter")
    page.wait_for_url("**/upload")
    page.click(".menu > summary")
    page.click(".menu .sheet form button")
    page.wait_for_selector(".tools a[href^='/login']")

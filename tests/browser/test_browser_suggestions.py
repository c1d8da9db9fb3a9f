"""A suggested category is answered where it stands: in the row of an upload, on a part's page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from catalog.families.words import CATEGORIES
from catalog.models import Part
from tests.factories import meshes


def shelves_make() -> None:
    from catalog.services import category_create

    for key in ("gear", "ring", "vase", "bolt"):
        words = CATEGORIES[key]
        category_create(name=words.names.en, name_zh=words.names.zh_hant, prompts=words.prompts)


def test_the_answer_is_given_in_the_row_and_the_page_stays(
    open_page: Callable[..., Any],
    staff: Any,
    tmp_path: Path,
    work: Callable[[], int],
    transactional_db: None,
) -> None:
    shelves_make()
    page = open_page("/upload", login=staff)
    for seed in (0, 1):
        gear = family_sample(FAMILIES["spur_gear"], seed).triangles
        (tmp_path / f"part-{seed}.stl").write_bytes(meshes.stl_binary(gear))
    page.set_input_files("#id_files", sorted(tmp_path.glob("*.stl")))
    page.locator(".upload-row.new").nth(1).wait_for()
    work()
    page.locator(".row-suggestion").nth(1).wait_for()
    first = page.locator(".upload-row").first
    assert "Gears" in first.locator(".row-suggestion").inner_text()
    first.get_by_role("button", name="Yes, Gears").click()
    first.locator(".badge").wait_for()
    assert first.locator(".badge").inner_text() == "Gears"
    assert page.locator(".row-suggestion").count() == 1
    assert page.url.endswith("/upload")
    assert Part.objects.filter(category__name="Gears").count() == 1

    part = Part.objects.get(category=None)
    page.goto(part.get_absolute_url())
    row = page.locator(".suggestion-list li").first
    assert "Gears" in row.inner_text()
    row.get_by_role("button", name="Yes").click()
    page.wait_for_selector(".part-under .badge")
    assert page.locator(".suggestions").count() == 0

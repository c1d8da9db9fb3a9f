"""Searching as people do it: words, pictures by every way in, frames, STL, keys."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile

from catalog.models import Category, Part
from search.models import Synonym
from tests.factories import meshes, solids

Open = Callable[..., Any]

# A file made in the page, as a drag or a paste would bring it.
TRANSFER = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  return transfer;
}"""

# How many questions this browser keeps for the next page.
KEPT = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("question");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const counting = opening.result.transaction("question").objectStore("question").count();
    counting.onsuccess = () => resolve(counting.result);
    opening.result.close();
  };
})"""


def transfer_of(page: Any, name: str, kind: str, data: bytes) -> Any:
    held = [name, kind, base64.b64encode(data).decode()]
    return page.evaluate_handle(TRANSFER, held)


def names(page: Any) -> list[str]:
    return page.locator(".hit .name").all_inner_texts()


def test_words_are_found_in_place_and_the_way_back_works(
    open_page: Open, gallery: list[Part]
) -> None:
    page = open_page("/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "id_q"
    page.keyboard.type("R8107490")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hit")
    assert names(page) == ["Plain ring"]
    assert "q=R8107490" in page.url
    assert "tab=text" in page.url
    page.fill("#id_q", "方塊")
    page.keyboard.press("Enter")
    page.wait_for_selector('.hit .name:text-is("Long box")')
    page.go_back()
    page.wait_for_selector('.hit .name:text-is("Plain ring")')


def test_another_language_and_the_login_come_back_to_what_was_searched(
    open_page: Open, gallery: list[Part]
) -> None:
    page = open_page("/")
    page.keyboard.press("/")
    page.keyboard.type("R8107490")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hit")
    page.click(".tools button[lang=zh-Hant]")
    page.wait_for_selector("html[lang=zh-hant] .hit")
    assert names(page) == ["素圈戒指"]
    page.fill("#id_q", "B2001")
    page.keyboard.press("Enter")
    page.wait_for_selector('.hit .name:text-is("長方塊")')
    page.click(".tools a[data-here]")
    page.wait_for_url("**/login?next=*")
    assert "q%3DB2001" in page.url
    assert page.locator(".tools a[data-here]").count() == 0  # it would lead back to itself


def test_a_picture_and_its_frame_outlive_another_language(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/")
    page.set_input_files("#id_image", photo)
    page.wait_for_selector("#cut")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator(".frame").press("Shift+ArrowLeft")
    page.wait_for_selector("#results:not([aria-busy]) #cut")
    framed = [page.input_value(f"#id_crop_{edge}") for edge in ("left", "right")]
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("#id_watertight").evaluate(
            """(field) => {
                 field.value = "yes";
                 field.dispatchEvent(new Event("change", { bubbles: true }));
               }"""
        )
    page.wait_for_selector("#results:not([aria-busy]) #cut")
    parts = "(all) => all.map((one) => one.dataset.part)"
    found = page.eval_on_selector_all(".hit", parts)
    assert len(found) == 3
    page.click(".tools button[lang=zh-Hant]")
    page.wait_for_selector("html[lang=zh-hant] .hit")
    assert "素圈戒指" in names(page)
    assert page.eval_on_selector_all(".hit", parts) == found
    assert [page.input_value(f"#id_crop_{edge}") for edge in ("left", "right")] == framed
    assert page.input_value("#id_watertight") == "yes"
    assert page.locator(".framer-area img").is_visible()
    assert page.evaluate(KEPT) == 0  # for one page


def test_a_picture_outlives_the_login(
    open_page: Open, gallery: list[Part], photo: Path, staff: Any
) -> None:
    page = open_page("/")
    page.set_input_files("#id_image", photo)
    page.wait_for_selector("#cut")
    page.click(".tools a[data-here]")
    page.wait_for_url("**/login?next=*")
    assert page.evaluate(KEPT) == 1
    page.fill("#id_username", "admin")
    page.fill("#id_password", "a long enough word")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cut")
    assert len(names(page)) == 3
    assert page.locator(".tools .menu").count() == 1


def test_words_of_the_tab_of_both_outlive_another_language(
    open_page: Open, gallery: list[Part]
) -> None:
    page = open_page("/?tab=both")
    page.fill("#id_q", "R8107490")
    page.keyboard.press("Enter")
    page.wait_for_selector(".hit")
    page.click(".tools button[lang=zh-Hant]")
    page.wait_for_selector("html[lang=zh-hant] .hit")
    assert page.input_value("#id_q") == "R8107490"
    assert names(page)[0] == "素圈戒指"


def test_a_dropped_picture_is_searched_and_shown_cut_out(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/")
    page.keyboard.press("2")  # dropped on the tab of words, it opens its own
    files = transfer_of(page, "ring.png", "image/png", photo.read_bytes())
    page.dispatch_event("body", "dragenter", {"dataTransfer": files})
    assert page.locator(".drop-veil").is_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    page.wait_for_selector("#cut img")
    assert not page.locator(".drop-veil").is_visible()
    assert len(names(page)) == 3
    assert page.locator(".framer-area img").is_visible()
    assert page.locator('.tabs a[aria-current="true"]').get_attribute("data-tab") == "picture"
    similarity = page.locator(".hit progress").first
    assert 0 < float(similarity.get_attribute("value")) <= 100


def test_a_pasted_picture_is_searched(open_page: Open, gallery: list[Part], photo: Path) -> None:
    page = open_page("/")
    files = transfer_of(page, "image.png", "image/png", photo.read_bytes())
    page.evaluate(
        """(clipboardData) => document.dispatchEvent(
             new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))""",
        files,
    )
    page.wait_for_selector("#cut img")
    assert len(names(page)) == 3


def test_a_frame_drawn_by_mouse_and_by_keys_asks_again(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/")
    page.set_input_files("#id_image", photo)
    page.wait_for_selector("#cut")
    area = page.locator(".framer-area").bounding_box()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.mouse.move(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.2)
        page.mouse.down()
        page.mouse.move(area["x"] + area["width"] * 0.75, area["y"] + area["height"] * 0.8, steps=5)
        page.mouse.up()
    left, right = (float(page.input_value(f"#id_crop_{edge}")) for edge in ("left", "right"))
    assert abs(left - 25) < 2
    assert abs(right - 75) < 2
    page.wait_for_selector("#results:not([aria-busy]) #cut")
    box = [float(side) for side in page.get_attribute("#cut", "data-box").split()]
    assert box[0] >= 0.23  # the server looked inside the frame only
    assert box[2] <= 0.77
    with page.expect_request(lambda request: request.method == "POST"):
        page.locator(".frame").press("Shift+ArrowRight")
    assert float(page.input_value("#id_crop_right")) > right
    with page.expect_request(lambda request: request.method == "POST"):
        page.click('[data-do="whole"]')
    assert page.input_value("#id_crop_left") == ""
    page.wait_for_selector("#results:not([aria-busy]) #cut")


def test_tabs_answer_to_numbers_and_keep_what_was_chosen(
    open_page: Open, gallery: list[Part], photo: Path
) -> None:
    page = open_page("/")
    page.set_input_files("#id_image", photo)
    page.wait_for_selector("#cut")
    for key, field in {"2": "#id_q", "3": "#id_alpha", "4": "#mesh-drop", "1": ".framer"}.items():
        page.keyboard.press(key)
        assert page.locator(field).is_visible(), key
    page.keyboard.press("3")
    assert page.locator(".framer-area img").is_visible()  # the picture is still chosen
    page.fill("#id_q", "球")
    page.locator("#id_alpha").evaluate("range => { range.value = 0 }")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Enter")
    page.wait_for_selector("#results:not([aria-busy]) .hit")
    assert names(page)[0] == "Ball"  # words alone count, and the picture came along
    assert page.locator("#cut").is_visible()


def test_a_turned_and_scaled_stl_is_the_same_shape(
    open_page: Open, gallery: list[Part], tmp_path: Path
) -> None:
    path = tmp_path / "query.stl"
    path.write_bytes(meshes.stl_binary(solids.moved(meshes.ring(), seed=4, scale=1.5)))
    page = open_page("/?tab=stl")
    page.set_input_files("#id_mesh", path)
    page.wait_for_selector(".hit")
    assert names(page)[0] == "Plain ring"
    badge = page.locator(".hit .badge").first.inner_text()
    assert "same shape" in badge
    assert "×" in badge


def test_arrows_walk_over_the_cards(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/")
    focused = "document.activeElement.textContent"
    page.keyboard.press("ArrowRight")
    first = page.evaluate(focused)
    page.keyboard.press("ArrowRight")
    second = page.evaluate(focused)
    assert first != second
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == first
    page.keyboard.press("Enter")
    page.wait_for_url("**/parts/*")


def test_examples_and_other_wordings_are_asked_in_place(
    open_page: Open, gallery: list[Part]
) -> None:
    Synonym.objects.create(terms="ball, sphere, 球體")
    page = open_page("/")
    page.keyboard.press("2")
    page.click(".examples .chip >> nth=0")
    page.wait_for_selector(".took")
    assert page.input_value("#id_q") == "a ring with a round diamond"
    page.fill("#id_q", "sphere")
    page.keyboard.press("Enter")
    page.wait_for_selector('.wordings .chip:text-is("球體")')
    assert names(page)[0] == "Ball"
    page.click(".wordings [data-expand='no']")
    page.wait_for_selector(".wordings [data-expand='']")
    assert "expand=no" in page.url
    assert page.locator("#id_expand").is_checked()
    page.click(".wordings [data-expand='']")
    page.click('.wordings .chip:text-is("ball")')
    page.wait_for_selector('#results h2:has-text("ball")')
    assert page.input_value("#id_q") == "ball"


def test_without_a_script_the_other_wordings_are_switched_by_links(
    open_page: Open, gallery: list[Part]
) -> None:
    Synonym.objects.create(terms="ball, sphere, 球體")
    page = open_page("/?tab=text&q=sphere&k=2", java_script_enabled=False)
    page.click(".wordings [data-expand='no']")
    assert page.locator(".wordings").inner_text().startswith("Only your own words")
    page.click(".wordings [data-expand='']")
    page.click('.wordings .chip:text-is("球體")')
    assert page.input_value("#id_q") == "球體"


def test_a_filter_asks_again(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/?tab=text&q=R8107490")
    assert names(page) == ["Plain ring"]
    page.click(".filters > summary")
    page.fill('input[name="x_max"]', "1")
    page.press('input[name="x_max"]', "Tab")
    page.wait_for_selector("#results .empty")
    assert "x_max=1" in page.url
    page.click('[data-do="clear-filters"]')
    page.wait_for_selector(".hit")


def test_a_picture_that_is_none_is_told_in_place(
    open_page: Open, gallery: list[Part], tmp_path: Path
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear all")
    page = open_page("/")
    page.set_input_files("#id_image", path)
    page.wait_for_selector("#results .note.bad")
    assert "This is not a picture." in page.inner_text("#results")
    page.click('[data-do="remove"]')
    assert page.locator("#picture-drop").is_visible()


def test_without_a_script_the_form_works(open_page: Open, gallery: list[Part], photo: Path) -> None:
    page = open_page("/", java_script_enabled=False)
    page.set_input_files("#id_image", photo)
    page.locator(".crop-numbers > summary").click()
    page.fill("#id_crop_left", "10")
    page.click(".ask-go button")
    page.wait_for_selector("#cut img")
    assert len(names(page)) == 3
    page.click('.tabs a[data-tab="text"]')
    page.fill("#id_q", "ball")
    page.click(".ask-go button")
    page.wait_for_selector(".hit")
    assert names(page)[0] == "Ball"


def test_one_of_many_categories_is_found_by_typing(open_page: Open, gallery: list[Part]) -> None:
    Category.objects.bulk_create([Category(name=f"Kind {n}", name_zh=f"類 {n}") for n in range(40)])
    page = open_page("/?tab=text&q=ring")
    page.locator(".filters > summary").click()
    page.fill("#category-narrow", "RINGS")
    page.keyboard.press("Enter")
    boxes = page.locator("#category-checks label:visible")
    assert boxes.all_inner_texts() == ["Rings"]
    boxes.first.click()
    page.wait_for_url("**category=*")
    page.fill("#category-narrow", "kind 17")
    assert sorted(boxes.all_inner_texts()) == ["Kind 17", "Rings"]
    page.click('[data-do="clear-filters"]')
    assert boxes.count() == 41


def test_similar_parts_come_to_the_page_of_a_part(open_page: Open, gallery: list[Part]) -> None:
    page = open_page(gallery[0].get_absolute_url())
    page.wait_for_selector(".similar-grid .hit")
    assert sorted(names(page)) == ["Ball", "Long box"]


def test_what_is_dropped_as_stl_goes_to_its_tab(open_page: Open, gallery: list[Part]) -> None:
    page = open_page("/")
    data = ContentFile(meshes.stl_binary(meshes.sphere())).read()
    files = transfer_of(page, "BALL.STL", "", data)
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    page.wait_for_selector(".hit")
    assert names(page)[0] == "Ball"
    assert page.locator('.tabs a[aria-current="true"]').get_attribute("data-tab") == "stl"

"""An inspector's way through the pages: photos in, the verdict, the slider, keys, corrections."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.base import ContentFile

from catalog.models import Part
from search.models import Inspection, InspectionBatch, InspectionPhoto
from tests.factories import meshes
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket

Open = Callable[..., Any]
Work = Callable[[], int]


@pytest.fixture(scope="session")
def piece_photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files: `good` and `other`, two sides of a good piece, and `broken`."""
    triangles, folder = drilled_bracket().astype(np.float32), tmp_path_factory.mktemp("pieces")
    made = {
        "good": photo_of(triangles),
        "other": photo_of(triangles, pose=1),
        "broken": photo_of(triangles, broken=True),
    }
    paths = {name: folder / f"{name}.jpg" for name in made}
    for name, taken in made.items():
        cv2.imwrite(str(paths[name]), cv2.cvtColor(taken.rgb, cv2.COLOR_RGB2BGR))
    return paths


@pytest.fixture
def bracket(transactional_db: None, work: Work) -> Part:
    from catalog.services import part_upload

    file = ContentFile(meshes.stl_binary(drilled_bracket().astype(np.float32)), name="bracket.stl")
    part, _ = part_upload(file=file, name="Drilled bracket", number="K7400061")
    work()
    part.refresh_from_db()
    assert part.status == "ready"
    return part


def inspect(page: Any, work: Work, *files: Path) -> Inspection:
    """Sends the photos from the start page and lets the worker look at them."""
    page.set_input_files("#qc-photo", list(files))
    page.locator("#qc-go").click()
    page.wait_for_url("**/qc/*-*")
    page.wait_for_selector("#qc-progress")
    work()
    page.wait_for_selector(".qc-verdict:not(.old)")
    page.wait_for_selector("#qc-progress", state="detached")
    return Inspection.objects.latest("pk")


def slider(page: Any) -> str:
    return page.locator(".qc-photo:not([hidden]) .qc-slide").input_value()


def test_a_broken_piece_from_its_photo_to_the_decision(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page = open_page(f"/qc?part={bracket.uuid}", login=staff)
    assert "Drilled bracket" in page.locator("#part-box").inner_text()
    inspection = inspect(page, work, piece_photos["broken"])
    word = {"fail": "Fail", "review": "Look at it"}[inspection.verdict]
    assert page.locator(".qc-verdict h2").inner_text() == word
    assert page.locator(".qc-reasons li").count() >= 1
    # Those who listen hear the verdict when it comes.
    page.wait_for_function(f"document.querySelector('#qc-said').textContent.includes('{word}')")
    assert page.locator(".qc-ring.worst").count() == 1
    assert page.locator("#qc-actions a[href$='report.pdf']").count() == 1
    # Space and arrows move between photo and part, D changes what stands beside the photo.
    assert slider(page) == "50"
    page.keyboard.press("ArrowRight")
    assert slider(page) == "60"
    page.keyboard.press("Space")
    assert slider(page) == "0"
    page.keyboard.press("d")
    assert page.locator("#qc-look").get_attribute("data-layer") == "part"
    page.keyboard.press("z")
    assert "near" in page.locator("#qc-look").get_attribute("class")
    # F decides, M writes a note, N goes on to the next piece.
    page.keyboard.press("f")
    page.wait_for_selector(".qc-bad[aria-pressed=true]")
    page.keyboard.press("m")
    page.keyboard.type("p and f are only letters here")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("document.activeElement === document.body")
    page.keyboard.press("?")
    assert page.locator("#qc-keys").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_load_state("networkidle")
    inspection.refresh_from_db()
    assert (inspection.decision, inspection.note) == ("bad", "p and f are only letters here")
    page.keyboard.press("n")
    page.wait_for_url(f"**/qc?part={bracket.uuid}")


def test_two_photos_have_tabs_that_keys_reach(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page = open_page(f"/qc?part={bracket.uuid}", login=staff)
    page.set_input_files("#qc-photo", [piece_photos["good"]])
    page.set_input_files("#qc-photo", [piece_photos["other"]])  # a second choice adds to the first
    assert page.locator(".qc-thumb").count() == 2
    page.locator(".qc-thumb button").first.click()
    assert page.locator(".qc-thumb").count() == 1
    inspect(page, work, piece_photos["good"])
    assert page.locator('[role="tab"]').count() == 2
    for key, place in (("2", "1"), ("1", "0")):
        page.keyboard.press(key)
        assert page.locator(".qc-photo:not([hidden])").get_attribute("data-place") == place
        assert page.locator(".qc-measures:not([hidden])").get_attribute("data-of") == place
    page.locator('[role="tab"]').first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".qc-photo:not([hidden])").get_attribute("data-place") == "1"


def test_the_photo_finds_its_part(
    open_page: Open, gallery: list[Part], bracket: Part, piece_photos: dict[str, Path], staff: Any
) -> None:
    page = open_page("/qc", login=staff)
    page.set_input_files("#qc-photo", piece_photos["good"])
    page.wait_for_selector("text=The photo looks like these parts")
    page.locator(f'.qc-choice[href$="{bracket.uuid}"]').click()
    page.wait_for_selector(f'#part-box input[name=part][value="{bracket.uuid}"]', state="attached")
    # The photo is still there, and the address names the part.
    assert page.locator(".qc-thumb").count() == 1
    assert page.url.endswith(f"/qc?part={bracket.uuid}")


def test_a_part_is_found_by_typing(open_page: Open, gallery: list[Part], staff: Any) -> None:
    page = open_page("/qc", login=staff)
    page.keyboard.press("/")
    page.keyboard.type("k300")
    page.wait_for_selector('.qc-choices:has-text("Ball"):not(:has-text("Long box"))')
    page.locator(".qc-choice").first.click()
    page.wait_for_selector(".qc-part")
    page.set_input_files("#qc-photo", [])
    assert page.locator(".qc-part-name").inner_text() == "Ball"


def test_five_photos_are_too_many_and_said_so(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any
) -> None:
    page = open_page(f"/qc?part={bracket.uuid}", login=staff)
    page.set_input_files("#qc-photo", [piece_photos["good"]] * 5)
    assert page.locator(".qc-thumb").count() == 4
    assert "Four photos" in page.locator("#qc-faults").inner_text()


class Sent:
    """What the page sends as corrections: kept here, and answered as the server would."""

    def __init__(self, page: Any) -> None:
        self.bodies: list[bytes] = []
        self.urls: list[str] = []
        page.route("**/correction", self.take)

    def take(self, route: Any) -> None:
        self.urls.append(route.request.url)
        self.bodies.append(route.request.post_data_buffer)
        route.fulfill(status=202, json={"success": True})

    def field(self, name: str) -> bytes:
        """The value of a field of the last multipart body."""
        boundary, _, _ = self.bodies[-1].partition(b"\r\n")
        for piece in self.bodies[-1].split(boundary):
            head, _, value = piece.partition(b"\r\n\r\n")
            if f'name="{name}"'.encode() in head:
                return value.removesuffix(b"\r\n")
        raise AssertionError(f"no {name} was sent")


def look_opened(open_page: Open, part: Part, photos: Any, staff: Any, work: Work) -> tuple:
    page = open_page(f"/qc?part={part.uuid}", login=staff)
    inspection = inspect(page, work, photos["good"])
    return page, inspection, Sent(page)


def drag(page: Any, box: dict[str, float], start: tuple[float, float], end: Any) -> None:
    """By shares of the box."""
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=6)
    page.mouse.up()


def test_the_outline_is_corrected_by_brush_and_rectangle(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page, inspection, sent = look_opened(open_page, bracket, piece_photos, staff, work)
    photo = InspectionPhoto.objects.get(inspection=inspection)
    page.locator('[data-do="brush"]').click()
    canvas = page.locator(".qc-canvas")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    drag(page, box, (0.02, 0.05), (0.1, 0.05))  # piece, where there is ground
    page.locator('[data-paint="ground"]').click()
    page.locator('[data-tool="box"]').click()
    drag(page, box, (0.45, 0.4), (0.6, 0.6))  # ground, where there is piece
    drag(page, box, (0.0, 0.8), (1.0, 1.0))
    page.locator('[data-do="undo"]').click()  # the last rectangle, taken back
    with page.expect_response("**/correction"):
        page.locator('[data-do="send-mask"]').click()
    page.wait_for_load_state("networkidle")
    assert sent.urls[0].endswith(f"/api/qc/inspections/{inspection.uuid}/photos/0/correction")
    mask = cv2.imdecode(np.frombuffer(sent.field("mask"), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert mask.shape == (photo.height, photo.width)
    assert set(np.unique(mask)) == {0, 255}
    before = cv2.imdecode(np.frombuffer(_stored(photo.mask), np.uint8), cv2.IMREAD_GRAYSCALE)
    rows, columns = mask.shape

    def at(x: float, y: float) -> tuple[int, int]:
        return round(y * rows), round(x * columns)

    assert mask[at(0.06, 0.05)] == 255 and before[at(0.06, 0.05)] == 0
    (top, left), (bottom, right) = at(0.47, 0.42), at(0.58, 0.58)
    assert not mask[top:bottom, left:right].any() and before[top:bottom, left:right].any()
    low = slice(round(0.82 * rows), None)
    assert np.array_equal(mask[low] > 0, before[low] > 127)


def _stored(name: str) -> bytes:
    from django.core.files.storage import default_storage

    with default_storage.open(name, "rb") as file:
        return file.read()


def test_only_a_rectangle_is_sent_where_nothing_was_painted(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page, inspection, sent = look_opened(open_page, bracket, piece_photos, staff, work)
    photo = InspectionPhoto.objects.get(inspection=inspection)
    page.locator('[data-do="brush"]').click()
    page.locator('[data-do="send-mask"]').click()
    assert "Nothing was corrected yet" in page.locator(".qc-fault").inner_text()
    page.locator('[data-tool="frame"]').click()
    page.locator(".qc-canvas").scroll_into_view_if_needed()
    drag(page, page.locator(".qc-canvas").bounding_box(), (0.75, 0.8), (0.25, 0.1))
    with page.expect_response("**/correction"):
        page.locator('[data-do="send-mask"]').click()
    page.wait_for_load_state("networkidle")
    frame = json.loads(sent.field("rectangle"))
    wanted = {"x": 0.25 * photo.width, "y": 0.1 * photo.height, "width": 0.5 * photo.width,
              "height": 0.7 * photo.height}  # fmt: skip
    assert frame == pytest.approx(wanted, abs=3)
    assert b'name="mask"' not in sent.bodies[-1]


def test_an_empty_outline_is_not_sent(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page, _, sent = look_opened(open_page, bracket, piece_photos, staff, work)
    page.locator('[data-do="brush"]').click()
    page.locator('[data-do="empty"]').click()
    page.locator('[data-do="send-mask"]').click()
    assert "Mark the piece first" in page.locator(".qc-fault").inner_text()
    assert sent.bodies == []
    page.keyboard.press("Escape")
    assert page.locator(".qc-canvas").count() == 0


def test_without_its_script_photos_and_verdict_are_there(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page = open_page(f"/qc?part={bracket.uuid}", login=staff, java_script_enabled=False)
    page.set_input_files("#qc-photo", [piece_photos["good"], piece_photos["other"]])
    page.locator("#qc-go").click()
    page.wait_for_url("**/qc/*-*")
    work()
    page.reload()
    assert page.locator(".qc-verdict h2").is_visible()
    assert page.locator(".qc-picture:visible").count() == 6
    page.locator(".qc-good").click()
    page.wait_for_selector(".qc-good[aria-pressed=true]")
    assert Inspection.objects.get().decision == "good"


def test_a_refused_button_says_why(
    open_page: Open, bracket: Part, piece_photos: dict[str, Path], staff: Any, work: Work
) -> None:
    page = open_page(f"/qc?part={bracket.uuid}", login=staff)
    inspect(page, work, piece_photos["good"])
    page.locator(".qc-good").evaluate("button => button.value = 'excellent'")
    page.click(".qc-good")
    page.wait_for_selector("#told .note:not([hidden])")
    assert "excellent" in page.inner_text("#told")
    page.click("#told .note:not([hidden]) button")
    assert page.locator("#told .note:not([hidden])").count() == 0


@pytest.mark.parametrize("path", ["/qc", "/qc/history", "/qc/sheet", "inspection", "batch"])
def test_pages_fit_a_phone(
    open_page: Open,
    bracket: Part,
    piece_photos: dict[str, Path],
    staff: Any,
    work: Work,
    path: str,
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(f"/qc?part={bracket.uuid}", login=staff, **phone)
    inspection = inspect(page, work, piece_photos["good"])
    name = "nobody knows this number " * 6
    refused = [{"name": f"{name}.jpg", "code": "batch_no_part", "params": {"number": name}}]
    batch = InspectionBatch.objects.create(state=InspectionBatch.State.DONE, refused=refused)
    paths = {"inspection": f"/qc/{inspection.uuid}", "batch": f"/qc/batches/{batch.uuid}"}
    page.goto(paths.get(path, path))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    # No other room's rules reach the badges.
    for badge in page.locator(".badge.outline").all():
        assert badge.evaluate("badge => getComputedStyle(badge).position") == "static"
    if path == "inspection":
        for button in page.locator(".qc-decide .button").all():
            assert button.bounding_box()["height"] >= 48

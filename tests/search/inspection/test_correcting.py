"""A person says where the piece is, or how it lies: the inspection runs again with it."""

import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from catalog.models import Part
from search.inspection import services
from search.models import Inspection, InspectionPhoto
from tests.factories.pictures import png_bomb
from tests.factories.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)


def mask_of(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return SimpleUploadedFile(f"mask.{kind.lower()}", file.getvalue())


def pixels_at(client: Any, url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(b"".join(client.get(url).streaming_content))))


@pytest.fixture
def found(compare: Any) -> dict[str, Any]:
    return compare("good")


@pytest.fixture
def correct(writer: Any, found: dict[str, Any]) -> Callable[..., Any]:
    """Sends a correction of the first photo."""

    def send(place: int = 0, **fields: Any) -> Any:
        body = {
            name: json.dumps(value) if name in {"pose", "rectangle"} else value
            for name, value in fields.items()
        }
        url = f"{found['url']}/photos/{place}/correction"
        return writer.post(url, body, format="multipart")

    return send


@pytest.fixture
def seen(writer: Any, found: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The inspection after the workers did what was asked."""

    def look() -> dict[str, Any]:
        work_off()
        return writer.get(found["url"]).json()

    return look


def test_a_mask_is_taken_as_it_is(correct: Any, seen: Any, found: Any, writer: Any) -> None:
    drawn = pixels_at(writer, found["photos"][0]["mask_url"]).copy()
    rows, columns = np.nonzero(drawn)
    drawn[: int(np.median(rows))] = 0  # half of the piece, says the person
    answer = correct(mask=mask_of(drawn))
    assert answer.status_code == 202 and answer.json()["state"] == "queued"
    now = seen()
    photo = now["photos"][0]
    assert photo["mask_corrected"] and not photo["pose_corrected"] and photo["corrected_at"]
    assert np.array_equal(pixels_at(writer, photo["mask_url"]), drawn)
    assert now["verdict"] != "pass" and now["similarity"] < found["similarity"]


def test_what_was_found_before_can_still_be_seen(
    correct: Any, seen: Any, found: Any, writer: Any
) -> None:
    drawn = np.zeros((420, 560), np.uint8)
    drawn[100:200, 100:300] = 255
    correct(mask=mask_of(drawn))
    now = seen()
    assert now["revision"] == 2 and len(now["earlier"]) == 1
    before = now["earlier"][0]
    assert (before["revision"], before["verdict"]) == (1, "pass")
    assert before["similarity"] == found["similarity"]
    assert before["photos"][0]["overlay_url"] == found["photos"][0]["overlay_url"]
    for run in (before, now):
        assert writer.get(run["photos"][0]["overlay_url"]).status_code == 200
    assert before["photos"][0]["mask_url"] != now["photos"][0]["mask_url"]


def test_a_reset_takes_it_back(correct: Any, seen: Any, found: Any) -> None:
    drawn = np.zeros((420, 560), np.uint8)
    drawn[100:200, 100:300] = 255
    pose = {name: found["photos"][0]["pose"][name] for name in ("rotation", "translation", "focal")}
    correct(mask=mask_of(drawn), pose=pose)
    assert seen()["verdict"] != "pass"
    assert correct(reset="1").status_code == 202
    now = seen()
    photo = now["photos"][0]
    assert not photo["mask_corrected"] and not photo["pose_corrected"]
    assert now["verdict"] == "pass"
    assert now["similarity"] == pytest.approx(found["similarity"], abs=1e-6)


def test_a_pose_is_held(correct: Any, seen: Any, found: Any) -> None:
    was = found["photos"][0]["pose"]
    moved = [was["translation"][0] + 4, *was["translation"][1:]]
    sent = {"rotation": was["rotation"], "translation": moved, "focal": was["focal"]}
    assert correct(pose=sent).status_code == 202
    photo = seen()["photos"][0]
    assert photo["pose_corrected"]
    assert photo["pose"]["translation"] == pytest.approx(moved, abs=1e-3)
    assert photo["measures"]["iou"] < found["photos"][0]["measures"]["iou"]


def test_a_pose_follows_the_unit(
    correct: Any, seen: Any, found: Any, writer: Any, bracket: Part
) -> None:
    was = found["photos"][0]["pose"]
    correct(pose={name: was[name] for name in ("rotation", "translation", "focal")})
    before = seen()["photos"][0]
    assert writer.patch(f"/api/parts/{bracket.uuid}", {"unit": "cm"}).status_code == 200
    assert writer.post(f"{found['url']}/again").status_code == 202
    photo = seen()["photos"][0]
    assert photo["measures"]["iou"] == pytest.approx(before["measures"]["iou"], abs=0.005)
    assert photo["pose"]["translation"][2] == pytest.approx(was["translation"][2] * 10, rel=1e-3)


def test_the_piece_is_looked_for_within_the_rectangle(
    writer: Any, bracket: Part, bracket_photos: dict[str, bytes]
) -> None:
    one, other = (np.asarray(Image.open(io.BytesIO(bracket_photos[n]))) for n in ("good", "broken"))
    file = io.BytesIO()
    Image.fromarray(np.hstack([one[:, 60:], other[:, 60:]])).save(file, "PNG")
    body = {
        "part_id": str(bracket.uuid),
        "photo": SimpleUploadedFile("two.png", file.getvalue()),
        "wait": 0,
    }
    url = writer.post("/api/qc/compare", body, format="multipart").json()["url"]
    work_off()
    before = writer.get(url).json()
    assert before["verdict"] == "review"
    said = {"x": 0, "y": 0.4, "width": 499.6, "height": 900}
    answer = writer.post(f"{url}/photos/0/correction", {"rectangle": said}, format="json")
    assert answer.status_code == 202, answer.content
    work_off()
    photo = writer.get(url).json()["photos"][0]
    assert photo["rectangle"] == {"x": 0, "y": 0, "width": 500, "height": 420}
    assert photo["measures"]["iou"] > 0.9
    drawn = pixels_at(writer, photo["mask_url"])
    assert drawn[:, :490].any() and not drawn[:, 510:].any()


def test_a_mask_and_a_rectangle_are_the_mask_within_it(
    correct: Any, seen: Any, found: Any, writer: Any
) -> None:
    drawn = pixels_at(writer, found["photos"][0]["mask_url"])
    half = {"x": 0, "y": 0, "width": 280, "height": 420}
    assert correct(mask=mask_of(drawn), rectangle=half).status_code == 202
    photo = seen()["photos"][0]
    kept = pixels_at(writer, photo["mask_url"])
    assert photo["rectangle"] is None and photo["mask_corrected"]
    assert np.array_equal(kept[:, :280], drawn[:, :280]) and not kept[:, 280:].any()
    correct(rectangle=half)  # said later, it takes the mask's place
    photo = writer.get(found["url"]).json()["photos"][0]
    assert photo["rectangle"] == half and not photo["mask_corrected"]


def test_a_brush_on_nothing_is_a_mask_too(correct: Any, seen: Any, writer: Any) -> None:
    """White on transparent, as a canvas exports it; as WebP, which is lossy at the edges."""
    canvas = np.zeros((420, 560, 4), np.uint8)
    canvas[150:300, 150:400] = 255
    assert correct(mask=mask_of(canvas, "WEBP", lossless=True)).status_code == 202
    kept = pixels_at(writer, seen()["photos"][0]["mask_url"])
    assert np.array_equal(kept, canvas[..., 3])


def _masks() -> dict[str, bytes]:
    whole = np.full((420, 560), 255, np.uint8)
    half = np.where(np.arange(560) < 200, 255, 0)[None, :].repeat(420, 0).astype(np.uint8)
    good = mask_of(half).read()
    return {
        "nothing": b"",
        "no picture": b"not a picture",
        "cut short": good[: len(good) // 2],
        "another size": mask_of(half[:-1]).read(),
        "turned": mask_of(half.T.copy()).read(),
        "full": mask_of(whole).read(),
        "empty": mask_of(whole * 0).read(),
        "a JPEG": mask_of(half, "JPEG").read(),
        "a GIF": mask_of(half, "GIF").read(),
        "a bomb": png_bomb(),
        "a bomb of text": png_bomb(
            560, 420, (b"zTXt", b"x\0\0" + zlib.compress(bytes(80_000_000)))
        ),
        "too many bytes": good + bytes(9_000_000),
    }


def test_masks_that_are_none_are_refused(correct: Any, found: Any, writer: Any) -> None:
    for name, data in _masks().items():
        answer = correct(mask=SimpleUploadedFile("mask.png", data))
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_mask"), name
    now = writer.get(found["url"]).json()
    assert now["state"] == "done" and not now["photos"][0]["mask_corrected"]


BAD_POSES: dict[str, dict[str, Any]] = {
    "sheared": {"rotation": [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]},
    "mirrored": {"rotation": [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    "grown": {"rotation": [[2, 0, 0], [0, 2, 0], [0, 0, 2]]},
    "nothing": {"rotation": [[0, 0, 0]] * 3},
    "short": {"rotation": [[1, 0, 0], [0, 1, 0]]},
    "words": {"rotation": [["1", 0, 0], [0, 1, 0], [0, 0, 1]]},
    "no number": {"translation": [0, 0, float("nan")]},
    "endless": {"translation": [0, 0, float("inf")]},
    "huge": {"translation": [0, 0, 10**400]},
    "true": {"translation": [0, 0, True]},
    "behind": {"translation": [0, 0, -235]},
    "within": {"translation": [0, 0, 10]},
    "beside": {"translation": [900, 0, 235]},
    "far away": {"translation": [0, 0, 9e6]},
    "no focal": {"focal": None},
    "flat": {"focal": 0},
    "turned focal": {"focal": -600},
    "list": {"focal": [600]},
}


def test_poses_that_are_none_are_refused(correct: Any, found: Any) -> None:
    held = found["photos"][0]["pose"]
    for name, wrong in BAD_POSES.items():
        sent = {key: held[key] for key in ("rotation", "translation", "focal")} | wrong
        answer = correct(pose=sent)
        assert answer.status_code == 400, name
        # JSON itself has no NaN and no infinity.
        assert answer.json()["error"]["code"] in {"bad_pose", "invalid"}, name
    assert Inspection.objects.get().revision == 1


def test_json_of_another_shape_is_refused(writer: Any, found: Any) -> None:
    url = f"{found['url']}/photos/0/correction"
    for sent in ("[]", "7", '"x"', "{", "[" * 100_000, "nul"):
        for field in ("pose", "rectangle"):
            answer = writer.post(url, {field: sent}, format="multipart")
            assert answer.status_code == 400 and answer.json()["error"]["message"], sent[:9]


def test_rectangles_that_are_none_are_refused(correct: Any) -> None:
    for said in (
        {"x": 0, "y": 0, "width": 15, "height": 300},
        {"x": 560, "y": 0, "width": 100, "height": 100},
        {"x": -100, "y": -100, "width": 110, "height": 110},
        {"x": 300, "y": 300, "width": -100, "height": -100},
        {"x": "0", "y": 0, "width": 100, "height": 100},
        {"x": 0, "y": 0, "width": 100},
        {"x": float("nan"), "y": 0, "width": 100, "height": 100},
        {"x": 0, "y": 0, "width": float("inf"), "height": 100},
        [0, 0, 100, 100],
    ):
        answer = correct(rectangle=said)
        assert answer.status_code == 400, said
        assert answer.json()["error"]["code"] in {"bad_rectangle", "invalid"}, said
    answer = correct(rectangle={"x": 0, "y": 0, "width": 9, "height": 9})
    assert "560" in answer.json()["error"]["message"]


def test_what_is_not_there_is_refused(
    correct: Any, writer: Any, found: Any, api: Any, token_client: Any, bracket: Part
) -> None:
    assert correct().json()["error"]["code"] == "correction_missing"
    assert correct(place=1, reset="1").status_code == 404
    nowhere = "/api/qc/inspections/00000000-0000-4000-8000-000000000000"
    for path in ("/again", "/photos/0/correction"):
        assert writer.post(nowhere + path, {"reset": "1"}).status_code == 404
        assert api.post(found["url"] + path).status_code in {401, 403}
        assert token_client("read").post(found["url"] + path).status_code == 403
    writer.delete(f"/api/parts/{bracket.uuid}")
    assert correct(reset="1").status_code == 404
    assert writer.post(f"{found['url']}/again").status_code == 404


def test_a_correction_outdates_the_run_that_goes_on(
    bracket: Part, photo: Any, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = services.photo_sent(photo())
    inspection = services.inspection_create(part=bracket, photos=[sent])
    url = f"/api/qc/inspections/{inspection.uuid}/photos/0/correction"
    look = services.inspection_look

    def looked(*args: Any, **kwargs: Any) -> Any:
        out = look(*args, **kwargs)
        drawn = np.zeros((420, 560), np.uint8)
        drawn[100:200, 100:300] = 255
        answer = writer.post(url, {"mask": mask_of(drawn)}, format="multipart")
        assert answer.status_code == 202
        return out

    monkeypatch.setattr(services, "inspection_look", looked)
    services.inspection_run(inspection.pk)
    monkeypatch.setattr(services, "inspection_look", look)
    inspection.refresh_from_db()
    assert (inspection.state, inspection.verdict, inspection.revision) == ("queued", "", 2)
    work_off()
    inspection.refresh_from_db()
    assert (inspection.state, inspection.earlier) == ("done", [])
    assert inspection.verdict != "pass" and InspectionPhoto.objects.get().mask_given


def test_again_runs_with_the_thresholds_of_today(found: Any, writer: Any, seen: Any) -> None:
    from search.models import QcThreshold

    QcThreshold.objects.create(threshold=0.999)
    assert writer.post(f"{found['url']}/again").status_code == 202
    assert writer.post(f"{found['url']}/again").status_code == 202
    now = seen()
    assert (now["threshold"], now["verdict"], now["revision"]) == (0.999, "review", 3)
    assert [run["revision"] for run in now["earlier"]] == [1]

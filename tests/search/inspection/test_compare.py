"""A photo of a piece against its part: from the request to the kept verdict."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from catalog.models import Part
from search.inspection import services
from search.models import Inspection
from tests.factories.onnx_files import brightness_network
from tests.factories.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_good_piece_passes_and_is_kept(compare: Any, writer: Any) -> None:
    found = compare("good", piece="no. 7")
    assert found["state"] == "done" and found["error"] is None
    assert found["verdict"] == "pass" and not found["alert"]
    assert 0.9 <= found["similarity"] <= 1 and 0.5 < found["p_good"] <= 1
    assert found["scale"] == "assumed_from_stl" and found["piece"] == "no. 7"
    seen = found["photos"][0]
    assert seen["measures"]["iou"] > 0.95 and 0 < seen["coverage"] < 1
    for url in ("overlay_url", "part_url", "mask_url", "photo_url"):
        answer = writer.get(seen[url])
        assert answer.status_code == 200 and answer["Content-Type"].startswith("image/")
    assert writer.get(found["heat_url"]).status_code == 200
    kept = writer.get("/api/qc/inspections", {"verdict": "pass"}).json()
    assert [row["id"] for row in kept["results"]] == [found["id"]]


def test_a_broken_piece_does_not_pass(compare: Any) -> None:
    found = compare("broken")
    assert found["verdict"] in {"fail", "review"} and found["alert"]
    assert found["similarity"] < 0.9
    assert any(reason["code"] == "local_deviation" for reason in found["reasons"])
    assert all(reason["message"] for reason in found["reasons"])


def test_several_photos_give_one_verdict(compare: Any) -> None:
    found = compare("good", "other")
    assert found["verdict"] == "pass" and len(found["photos"]) == 2
    assert found["coverage"] > max(photo["coverage"] for photo in found["photos"])
    mixed = compare("good", "broken")
    assert mixed["verdict"] != "pass" and mixed["worst_photo"] == 1


def test_a_photo_of_nothing_is_a_review_with_its_reason(compare: Any) -> None:
    found = compare("empty")
    assert found["verdict"] == "review" and found["similarity"] is None and found["alert"]
    assert [reason["code"] for reason in found["reasons"]] == ["no_object"]
    beside = compare("good", "empty")
    assert beside["verdict"] == "review"


def test_a_threshold_of_the_call_decides(compare: Any) -> None:
    usual = compare("good")
    above = round((1 + usual["similarity"]) / 2, 5)
    strict = compare("good", threshold=above)
    assert strict["similarity"] == pytest.approx(usual["similarity"], abs=1e-6)
    assert strict["verdict"] == "review" and strict["alert"] and strict["threshold"] == above


@pytest.mark.parametrize("count", [0, 5])
def test_no_photo_or_too_many_are_refused(
    writer: Any, bracket: Part, photo: Any, count: int
) -> None:
    body = {"part_id": str(bracket.uuid), "photo": [photo() for _ in range(count)]}
    answer = writer.post("/api/qc/compare", body, format="multipart")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "photos_count"
    assert not Inspection.objects.exists()


def test_parts_that_cannot_be_inspected_are_refused(writer: Any, bracket: Part, photo: Any) -> None:
    def ask() -> Any:
        return writer.post(
            "/api/qc/compare",
            {"part_id": str(bracket.uuid), "photo": [photo()]},
            format="multipart",
        )

    for status, code in (
        (Part.Status.FAILED, "part_failed"),
        (Part.Status.QUEUED, "part_not_ready"),
    ):
        Part.objects.filter(pk=bracket.pk).update(status=status)
        answer = ask()
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, code)
    writer.delete(f"/api/parts/{bracket.uuid}")
    assert ask().status_code == 404


def test_a_broken_file_is_refused_and_nothing_is_kept(
    writer: Any, bracket: Part, bracket_photos: dict[str, bytes]
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    for data in (b"", b"no picture", bracket_photos["good"][:2000]):
        sent = SimpleUploadedFile("x.jpg", data, "image/jpeg")
        answer = writer.post(
            "/api/qc/compare", {"part_id": str(bracket.uuid), "photo": [sent]}, format="multipart"
        )
        assert answer.status_code == 400, data[:10]
        assert answer.json()["error"]["message"]
    assert not Inspection.objects.exists()


def test_a_worker_that_died_is_taken_over_and_at_last_given_up(
    writer: Any, bracket: Part, photo: Any
) -> None:
    sent = services.photo_sent(photo())
    inspection = services.inspection_create(part=bracket, photos=[sent])
    dead = {"state": "running", "claimed_by": "elsewhere:1:1"}
    rows = Inspection.objects.filter(pk=inspection.pk)
    rows.update(**dead)
    work_off()  # held by a worker that may well live
    assert rows.get().state == "running"
    rows.update(resend_at=inspection.created_at)
    assert services.inspections_sweep() == 1
    work_off()
    assert rows.get().verdict == "pass"
    rows.update(**dead, stalls=2, resend_at=inspection.created_at)
    services.inspections_sweep()
    work_off()
    assert (rows.get().state, rows.get().error_code) == ("failed", "inspection_died")


def test_a_run_that_began_before_another_was_asked_for_writes_nothing(
    bracket: Part, photo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspection = services.inspection_create(part=bracket, photos=[services.photo_sent(photo())])
    look = services.inspection_look

    def looked(*args: Any, **kwargs: Any) -> Any:
        out = look(*args, **kwargs)
        services.inspection_again(Inspection.objects.get(pk=inspection.pk))
        return out

    monkeypatch.setattr(services, "inspection_look", looked)
    services.inspection_run(inspection.pk)
    row = Inspection.objects.get(pk=inspection.pk)
    assert (row.state, row.verdict, row.revision) == ("queued", "", 2)
    monkeypatch.setattr(services, "inspection_look", look)
    work_off()
    row.refresh_from_db()
    assert (row.state, row.verdict) == ("done", "pass")


def test_people_decide_and_note(compare: Any, writer: Any) -> None:
    found = compare("good")
    url = found["url"]
    said = writer.patch(url, {"decision": "bad", "note": "scratched"}, format="json").json()
    assert (said["decision"], said["note"]) == ("bad", "scratched")
    said = writer.patch(url, {"decision": "open"}, format="json").json()
    assert said["decision"] is None and said["decided_at"] is None and said["note"] == "scratched"


def test_a_part_may_be_named_by_its_number(writer: Any, bracket: Part, photo: Any) -> None:
    def ask(**part: str) -> tuple[int, str]:
        body = {"photo": [photo()], "wait": 0, **part}
        answer = writer.post("/api/qc/compare", body, format="multipart")
        return answer.status_code, (answer.json()["error"] or {}).get("code", "")

    assert ask(number="R8107490") == (404, "part_unknown")
    Part.objects.filter(pk=bracket.pk).update(number="R8107490")
    assert ask(number="R8107490")[0] == 202
    assert ask() == (400, "part_one")
    assert ask(number="R8107490", part_id=str(bracket.uuid)) == (400, "part_one")
    twin = Part.objects.get(pk=bracket.pk)
    twin.pk, twin.uuid, twin.sha256 = None, uuid4(), "1" * 64
    twin.save(force_insert=True)
    assert ask(number="R8107490") == (409, "number_ambiguous")


def test_a_network_of_ones_own_finds_the_piece(compare: Any, settings: Any, tmp_path: Path) -> None:
    """One that takes what is bright for the piece: of the bracket, not all of it."""
    file = tmp_path / "bright.onnx"
    file.write_bytes(brightness_network(shape=(1, 3, 210, 280)))
    own = settings.SEARCH.inspection
    usual = compare("good")["photos"][0]["measures"]
    inspection = own.model_copy(update={"segmenter": str(file)})
    settings.SEARCH = settings.SEARCH.model_copy(update={"inspection": inspection})
    found = compare("good")
    measures = (found["photos"][0]["measures"] or {}).get("iou")
    assert measures != usual["iou"]
    inspection = own.model_copy(update={"segmenter": str(tmp_path / "gone.onnx")})
    settings.SEARCH = settings.SEARCH.model_copy(update={"inspection": inspection})
    assert compare("good")["verdict"] is None

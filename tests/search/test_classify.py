"""Words suggest categories before anybody filed a part; what people decide is then believed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.models import Category
from search import classify
from tests.factories import meshes
from tests.factories.shelf import AxisEncoder, axes_in_place, looks, part_on_shelf

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def axes(monkeypatch) -> AxisEncoder:
    return axes_in_place(monkeypatch)


@pytest.fixture
def shelves() -> dict[str, Category]:
    return {
        name: services.category_create(name=name, name_zh=name_zh)
        for name, name_zh in (("Rings", "戒指"), ("Boxes", "盒子"), ("Gears", "齒輪"))
    }


def told(answer) -> list[tuple[str, float]]:
    return [(category.name, confidence) for category, confidence in answer.suggestions]


def test_words_alone_suggest(shelves) -> None:
    answer = classify.part_classify(part_on_shelf(looks(0.9)))
    assert told(answer)[0][0] == "Rings"
    assert 0.9 < told(answer)[0][1] <= 1
    assert not answer.none


def test_what_is_like_no_category_is_none_of_them(shelves) -> None:
    answer = classify.part_classify(part_on_shelf(looks()))
    assert answer.none and answer.suggestions == []


def test_without_categories_everything_is_none() -> None:
    assert classify.part_classify(part_on_shelf(looks(1))).none


def test_the_threshold_is_the_configurations(shelves, settings) -> None:
    part = part_on_shelf(looks(0.7, 0.7))
    assert {name for name, _ in told(classify.part_classify(part))} == {"Boxes", "Rings"}
    strict = settings.SEARCH.classify.model_copy(update={"threshold": 0.6})
    settings.SEARCH = settings.SEARCH.model_copy(update={"classify": strict})
    assert classify.part_classify(part).none


def test_what_people_filed_nearby_is_believed_more_the_more_there_is(shelves) -> None:
    """A category whose name says nothing of looks is learnt from the parts in it."""
    strange = services.category_create(name="Series 7")
    part = part_on_shelf(looks(0.1, grain=1))
    confidences = []
    for n in range(5):
        answer = dict(told(classify.part_classify(part)))
        confidences.append(answer.get("Series 7", 0.0))
        part_on_shelf(looks(0.1 + n / 50, grain=1), category=strange)
    assert confidences[0] == 0
    assert confidences == sorted(confidences)
    assert confidences[1] > 0.3 and confidences[4] > 0.75
    far = classify.part_classify(part_on_shelf(looks(0.9)))
    assert told(far)[0][0] == "Rings"


def test_a_part_has_no_vote_on_itself_and_the_trash_has_none(shelves) -> None:
    part = part_on_shelf(looks(0.9), category=shelves["Boxes"])
    assert told(classify.part_classify(part))[0][0] == "Rings"
    twin = part_on_shelf(looks(0.9), category=shelves["Boxes"])
    assert dict(told(classify.part_classify(part)))["Boxes"] > 0.3
    services.part_delete(part=twin)
    assert "Boxes" not in dict(told(classify.part_classify(part)))


def test_filed_parts_are_found_behind_a_crowd_of_unfiled_ones(shelves) -> None:
    part = part_on_shelf(looks(0.2, grain=1))
    for _ in range(4 * classify.NEIGHBOURS + 5):
        part_on_shelf(looks(0.2, grain=1))
    for _ in range(3):
        part_on_shelf(looks(0.3, grain=1), category=shelves["Gears"])
    assert told(classify.part_classify(part))[0][0] == "Gears"


def test_what_people_rejected_is_not_said_again(shelves) -> None:
    part = part_on_shelf(looks(0.6, 0.55))
    first = dict(told(classify.part_classify(part)))
    assert first["Rings"] > first["Boxes"]
    part.suggestions.create(category=shelves["Rings"], confidence=0.5, accepted=False)
    then = dict(told(classify.part_classify(part)))
    assert "Rings" not in then
    assert then["Boxes"] > first["Boxes"]


def test_an_unsure_branch_is_told_by_its_parent(shelves) -> None:
    fasteners = services.category_create(name="Fasteners")
    for n in range(4):
        services.category_create(name=f"Bolts of kind {n}", parent=fasteners)
    (best, confidence), *rest = told(classify.part_classify(part_on_shelf(looks(0, 0, 0, 0.9))))
    assert best == "Fasteners"
    assert confidence > 0.9
    assert not rest


def test_changes_of_categories_are_seen_at_once_and_nothing_else_is_embedded(shelves) -> None:
    part = part_on_shelf(looks(0, 0, 0, 0.9))
    assert classify.part_classify(part).none
    asked = AxisEncoder.asked
    classify.part_classify(part)
    assert AxisEncoder.asked == asked
    services.category_update(category=shelves["Boxes"], prompts=["a bolt"], name="Things")
    assert told(classify.part_classify(part))[0][0] == "Things"
    assert AxisEncoder.asked == asked + 1
    services.category_delete(category=shelves["Boxes"])
    assert classify.part_classify(part).none


def test_the_cost_does_not_grow_with_the_categories(shelves, django_assert_max_num_queries) -> None:
    for n in range(60):
        services.category_create(name=f"Kind {n}")
    part = part_on_shelf(looks(0.9))
    classify.part_classify(part)
    with django_assert_max_num_queries(9):
        classify.part_classify(part)


class TestDoor:
    """POST /api/classify"""

    def test_a_part(self, api, shelves) -> None:
        part = part_on_shelf(looks(0.9))
        answer = api.post("/api/classify", {"part_id": str(part.uuid)})
        body = answer.json()
        assert answer.status_code == 200, body
        assert body["success"] and body["none"] is False
        best = body["suggestions"][0]
        rings = shelves["Rings"]
        assert best["category"] == {"id": rings.pk, "name": "Rings", "name_zh": "戒指"}
        assert 0.9 < best["confidence"] <= 1
        assert set(body["took_ms"]) == {"encode", "classify", "total"}
        assert api.post("/api/classify/", {"part_id": str(part.uuid)}).status_code == 200

    def test_none_of_these(self, api, shelves) -> None:
        body = api.post("/api/classify", {"part_id": str(part_on_shelf(looks()).uuid)}).json()
        assert (body["success"], body["none"], body["suggestions"]) == (True, True, [])

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 400, "classify_one"),
            ({"part_id": None}, 400, "classify_one"),
            ({"part_id": "x"}, 400, "invalid"),
            ({"part_id": "00000000-0000-0000-0000-000000000000"}, 404, "part_unknown"),
            ([], 400, "invalid"),
        ],
    )
    def test_refusals(self, api, body, status, code) -> None:
        answer = api.post("/api/classify", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)

    def test_two_at_once_is_refused(self, api) -> None:
        body = {"file": SimpleUploadedFile("a.stl", b"x"), "image": SimpleUploadedFile("a", b"x")}
        answer = api.post("/api/classify", body, "multipart")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "classify_one")

    @pytest.mark.parametrize(
        ("field", "data", "code"),
        [
            ("image", b"", "empty_file"),
            ("image", b"no picture", "not_a_picture"),
            ("file", b"", "empty_file"),
            ("file", meshes.stl_binary(meshes.box())[:-60], "truncated"),
        ],
    )
    def test_files_that_cannot_be_read(self, api, shelves, field, data, code) -> None:
        body = {field: SimpleUploadedFile("query.stl", data)}
        answer = api.post("/api/classify", body, "multipart")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)

    def test_a_part_that_is_not_embedded_yet(self, api, shelves) -> None:
        part = part_on_shelf(looks(0.9))
        part.embeddings.all().delete()
        answer = api.post("/api/classify", {"part_id": str(part.uuid)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "part_not_ready")

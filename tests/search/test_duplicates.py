"""Duplicates are found as parts come in, listed, decided, and never asked about twice."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Part, PipelineStep
from catalog.services import part_delete, part_restore, part_update
from search import engines
from search.duplicates import services as duplicates
from search.embeddings import embeddings_write
from search.engine.mesh.normalise import mesh_normalise
from search.engine.shape.descriptor import SHAPE_SPACE, shape_embed
from search.engine.shape.invariants import invariants_measure
from search.models import DuplicatePair
from tests.factories import meshes, solids
from workers import comparisons, tasks

pytestmark = pytest.mark.django_db

_made = iter(range(10**6))


@pytest.fixture(autouse=True)
def shape_only(settings: Any) -> None:
    """The engine that needs no network: what a part is compared by."""
    settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["shape"]})
    assert engines.in_use() == ["shape"]


def part_of(triangles: meshes.Triangles, **fields: Any) -> Part:
    """A ready part of this geometry, as the pipeline leaves it before it is compared."""
    mesh = mesh_normalise(triangles, format="stl-binary")
    n = next(_made)
    part = Part.objects.create(
        **{"name": f"part {n}", "number": f"R810{n:04}", "file": f"meshes/{n}.stl",
           "file_name": f"{n}.stl", "file_size": 84, "sha256": f"{n:064x}",
           "status": Part.Status.READY, "invariants": invariants_measure(mesh).to_json(),
           **fields}
    )  # fmt: skip
    embeddings_write(part_id=part.pk, space=SHAPE_SPACE, vectors=shape_embed(mesh.triangles)[None])
    return part


def bracket(seed: int = 0, scale: float = 1.0) -> Part:
    return part_of(solids.moved(solids.drilled_bracket(), seed=seed, scale=scale))


def pairs() -> list[tuple[int, int, str]]:
    return list(DuplicatePair.objects.order_by("pk").values_list("part_a", "part_b", "relation"))


def test_each_relation_is_found_from_either_side_once():
    first = bracket()
    others = {
        "same": bracket(seed=1),
        "scaled": bracket(seed=2, scale=1.2),
        "mirrored": part_of(solids.mirrored(solids.drilled_bracket())),
    }
    part_of(meshes.ring())
    duplicates.duplicates_refresh([first.pk])
    for relation, other in others.items():
        pair = DuplicatePair.objects.get(part_a=first, part_b=other)
        assert pair.relation == relation
        assert pair.factor == pytest.approx(1.2 if relation == "scaled" else 1, rel=1e-5)
    before = set(pairs())
    duplicates.duplicates_refresh([part.pk for part in (first, *others.values())])
    duplicates.duplicates_refresh([others["scaled"].pk])
    assert before <= set(pairs())
    assert len({(a, b) for a, b, _ in pairs()}) == len(pairs()) == 6


def test_nothing_near_is_no_pair():
    part = bracket()
    assert duplicates.duplicates_refresh([part.pk]) == 0
    part_of(meshes.torus())
    assert duplicates.duplicates_refresh([part.pk]) == 0
    assert duplicates.duplicates_refresh([]) == 0
    assert pairs() == []


def test_a_part_without_measures_is_passed_over():
    part, other = bracket(), bracket(seed=1)
    Part.objects.filter(pk=other.pk).update(invariants=None)
    assert duplicates.duplicates_refresh([part.pk, other.pk, 10**9]) == 0


def test_what_was_dismissed_stays_dismissed(staff):
    first, second = bracket(), bracket(seed=1)
    duplicates.duplicates_refresh([second.pk])
    pair = DuplicatePair.objects.get()
    duplicates.pair_decide(pair=pair, state="dismissed", user=staff)
    duplicates.duplicates_refresh([first.pk])
    duplicates.duplicates_refresh([second.pk])
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by) == ("dismissed", staff)
    assert pair.decided_at is not None
    assert duplicates.part_likenesses(first) == []
    duplicates.pair_decide(pair=pair, state="open", user=staff)
    assert (pair.decided_by, pair.decided_at) == (None, None)
    assert [likeness.other for likeness in duplicates.part_likenesses(first)] == [second]


def test_an_open_pair_that_holds_no_longer_is_taken_back_and_a_decided_one_is_not():
    first, second, third = bracket(), bracket(seed=1), bracket(seed=2)
    duplicates.duplicates_refresh([first.pk, second.pk, third.pk])
    decided = DuplicatePair.objects.get(part_a=first, part_b=third)
    duplicates.pair_decide(pair=decided, state="confirmed")
    mesh = mesh_normalise(meshes.ring(), format="stl-binary")
    first.invariants = invariants_measure(mesh).to_json()
    first.save()
    embeddings_write(part_id=first.pk, space=SHAPE_SPACE, vectors=shape_embed(mesh.triangles)[None])
    duplicates.duplicates_refresh([first.pk])
    assert {(a, b) for a, b, _ in pairs()} == {(first.pk, third.pk), (second.pk, third.pk)}


def test_a_part_in_the_trash_is_nobody_s_duplicate(writer):
    first, second = bracket(), bracket(seed=1)
    duplicates.duplicates_refresh([second.pk])
    pair = DuplicatePair.objects.get()
    answer = writer.post(
        f"/api/duplicates/{pair.pk}/", {"state": "confirmed", "trash": str(second.uuid)}
    )
    assert answer.status_code == 200
    second.refresh_from_db()
    assert second.deleted_at is not None
    assert Part.objects.get(pk=first.pk).deleted_at is None
    assert writer.get("/api/duplicates/?state=confirmed").json()["count"] == 0
    assert duplicates.part_likenesses(first) == []
    # The other one cannot be thrown away as well: there is no such pair any more.
    again = writer.post(
        f"/api/duplicates/{pair.pk}/", {"state": "confirmed", "trash": str(first.uuid)}
    )
    assert again.status_code == 404
    assert again.json()["error"]["code"] == "duplicate_unknown"
    writer.post(f"/api/parts/{second.uuid}/restore")
    assert writer.get("/api/duplicates/?state=confirmed").json()["count"] == 1


def test_the_list_is_narrowed_and_tells_both_parts(writer):
    first, second = bracket(), bracket(seed=1)
    larger = bracket(seed=2, scale=2)
    duplicates.duplicates_refresh([first.pk, second.pk, larger.pk])
    body = writer.get("/api/duplicates/").json()
    assert (body["success"], body["count"], body["pages"]) == (True, 3, 1)
    scaled = writer.get("/api/duplicates/?relation=scaled").json()["results"]
    assert len(scaled) == 2
    assert {round(pair["factor"], 4) for pair in scaled} == {2.0}
    own = writer.get(f"/api/duplicates/?part={second.uuid}&per_page=1").json()
    assert (own["count"], own["pages"], len(own["results"])) == (2, 2, 1)
    one = own["results"][0]
    assert {one["part_a"]["id"], one["part_b"]["id"]} & {str(second.uuid)}
    assert writer.get(f"/api/duplicates/{one['id']}/").json()["id"] == one["id"]


def test_a_part_says_what_it_looks_like(writer):
    first = bracket()
    larger = bracket(seed=2, scale=1.2)
    duplicates.duplicates_refresh([larger.pk])
    (likeness,) = writer.get(f"/api/parts/{larger.uuid}/").json()["duplicates"]
    assert likeness["part_id"] == str(first.uuid)
    assert likeness["relation"] == "scaled"
    assert likeness["factor"] == pytest.approx(1.2, rel=1e-4)
    assert likeness["says"] == f"This looks like {first.number} (same shape, scaled ×1.2)."
    (back,) = writer.get(f"/api/parts/{first.uuid}/").json()["duplicates"]
    assert back["factor"] == pytest.approx(1 / 1.2, rel=1e-4)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?state=odd", 400),
        ("?relation=odd", 400),
        ("?part=odd", 400),
        ("?page=0", 400),
        ("?per_page=100000", 400),
        ("?page=99999", 200),
        ("999999999999999999/", 404),
    ],
)
def test_what_cannot_be_asked_is_refused(writer, path, status):
    assert writer.get(f"/api/duplicates/{path}").status_code == status


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 400),
        ({"state": "gone"}, 400),
        ({"state": "confirmed", "trash": "x"}, 400),
        ({"state": "confirmed", "trash": "00000000-0000-4000-8000-000000000000"}, 400),
        ({"state": "dismissed", "trash": "own"}, 400),
    ],
)
def test_what_cannot_be_said_is_refused(writer, body, code):
    first, second = bracket(), bracket(seed=1)
    duplicates.duplicates_refresh([first.pk])
    pair = DuplicatePair.objects.get()
    if body.get("trash") == "own":
        body = body | {"trash": str(second.uuid)}
    answer = writer.post(f"/api/duplicates/{pair.pk}/", body)
    assert answer.status_code == code
    assert answer.json()["error"]["message"]
    pair.refresh_from_db()
    assert pair.state == "open"
    assert Part.objects.trashed().count() == 0


def test_reading_decides_nothing(token_client):
    first, _ = bracket(), bracket(seed=1)
    duplicates.duplicates_refresh([first.pk])
    pair = DuplicatePair.objects.get()
    reader = token_client("read")
    assert reader.get(f"/api/duplicates/{pair.pk}/").status_code == 200
    said = reader.post(f"/api/duplicates/{pair.pk}/", {"state": "dismissed"})
    assert said.status_code == 403


def test_only_the_best_of_many_near_ones_are_kept(monkeypatch):
    parts = [part_of(meshes.box((10, 20, 30 * (1 + 0.02 * n)))) for n in range(5)]
    monkeypatch.setattr(duplicates, "NEAR_MOST", 2)
    duplicates.duplicates_refresh([parts[0].pk])
    kept = DuplicatePair.objects.filter(relation="near")
    assert set(kept.values_list("part_b", flat=True)) == {parts[1].pk, parts[2].pk}


def test_of_many_copies_each_is_shown_beside_a_few(monkeypatch):
    monkeypatch.setattr(duplicates, "SAME_MOST", 2)
    parts = [bracket(scale=2)] + [bracket() for _ in range(8)]
    for part in parts:
        duplicates.duplicates_refresh([part.pk])
    newest = DuplicatePair.objects.filter(part_b=parts[-1])
    # Those of its own size before a scaled one.
    assert set(newest.values_list("relation", flat=True)) == {"same"}
    assert newest.count() == 2
    assert DuplicatePair.objects.count() <= 2 * len(parts)


def test_copies_in_the_trash_do_not_hide_the_one_that_was_kept():
    copies = [bracket() for _ in range(duplicates.NEAREST + 2)]
    kept = bracket()
    for copy in copies:
        part_delete(part=copy)
    again = bracket()
    duplicates.duplicates_refresh([again.pk])
    assert pairs() == [(kept.pk, again.pk, "same")]


def test_one_number_of_two_files_is_another_length_in_inches():
    first, second = bracket(), bracket(seed=1)
    converted = bracket(seed=2, scale=25.4)
    part_update(part=second, unit="in")
    duplicates.duplicates_refresh([second.pk])
    told = {pair.part_a_id: pair for pair in DuplicatePair.objects.filter(part_b=second)}
    told |= {pair.part_b_id: pair for pair in DuplicatePair.objects.filter(part_a=second)}
    assert told[first.pk].relation == "scaled"
    assert told[first.pk].factor == pytest.approx(25.4, rel=1e-4)
    assert told[converted.pk].relation == "same"


def test_a_pair_that_was_taken_back_meanwhile_is_no_longer_decided(writer, monkeypatch):
    first, _ = bracket(), bracket(seed=1)
    duplicates.duplicates_refresh([first.pk])
    held = DuplicatePair.objects.get()
    monkeypatch.setattr(duplicates, "pair_get", lambda pk: held)
    DuplicatePair.objects.all().delete()
    answer = writer.post(f"/api/duplicates/{held.pk}/", {"state": "dismissed"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "duplicate_unknown"


def test_two_workers_that_find_one_pair_agree():
    first, second = bracket(), bracket(seed=1)
    found = duplicates._compared({(first.pk, second.pk)})
    for _ in range(2):
        duplicates._write(found)
    assert len(pairs()) == 1


# The background ---------------------------------------------------------------------------------


def compared(part: Part, state: str) -> None:
    PipelineStep.objects.create(part=part, step="compare", state=state)


def test_waiting_parts_are_compared_a_little_at_a_time():
    first, second = bracket(), bracket(seed=1)
    compared(first, "waiting")
    compared(second, "done")
    assert comparisons.is_due()
    assert comparisons.refresh() == 1
    assert not comparisons.is_due()
    assert len(pairs()) == 1
    step = PipelineStep.objects.get(part=first, step="compare")
    assert (step.state, step.recipe) == ("done", comparisons.recipe())


def waiting() -> set[int]:
    rows = PipelineStep.objects.filter(step="compare", state="waiting")
    return set(rows.values_list("part", flat=True))


def test_who_was_paired_with_a_part_in_the_trash_looks_for_others(
    django_capture_on_commit_callbacks, monkeypatch
):
    """Of three copies two pairs are known; without the part of both, the others are one."""
    monkeypatch.setattr(duplicates, "SAME_MOST", 1)
    first, second, third = bracket(), bracket(), bracket()
    alone = part_of(meshes.ring())
    for part in (first, second, third, alone):
        duplicates.duplicates_refresh([part.pk])
        compared(part, "done")
    assert pairs() == [(first.pk, second.pk, "same"), (first.pk, third.pk, "same")]
    # Also the one that it is known to repeat.
    duplicates.pair_decide(pair=DuplicatePair.objects.get(part_b=second), state="confirmed")
    sent = []
    monkeypatch.setattr("catalog.queue._send", lambda task, args, *rest: sent.append((task, args)))
    with django_capture_on_commit_callbacks(execute=True):
        part_delete(part=first)
    assert sent == [("workers.duplicates_left", (first.pk,))]
    tasks.duplicates_left(first.pk)
    assert waiting() == {second.pk, third.pk}
    comparisons.refresh()
    assert [likeness.other for likeness in duplicates.part_likenesses(third)] == [second]


def test_what_comes_out_of_the_trash_or_gets_another_unit_is_compared_again():
    first, second = bracket(), bracket(seed=1)
    for part in (first, second):
        compared(part, "done")
    part_delete(part=first)
    part_restore(part=first)
    assert waiting() == {first.pk}
    part_update(part=second, name="other")
    assert waiting() == {first.pk}
    part_update(part=second, unit="in")
    assert waiting() == {first.pk, second.pk}
    comparisons.refresh()
    assert DuplicatePair.objects.get().relation == "scaled"


def test_the_whole_catalogue_is_compared_by_command(capsys):
    from django.core.management import call_command

    for seed in range(3):
        bracket(seed=seed)
    call_command("duplicates_find")
    assert "3 parts compared" in capsys.readouterr().out
    assert len(pairs()) == 3
    assert not comparisons.is_due()
    call_command("duplicates_find", "--missing")
    assert "0 parts compared" in capsys.readouterr().out

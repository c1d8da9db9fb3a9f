"""A catalogue from before an upgrade gains the new engines' vectors, and stays findable."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog import services
from catalog.models import Part
from search import encoders, engines
from search.lifecycle import selection, switching
from search.models import Embedding, EngineInstall
from tests.factories import meshes
from tests.factories.encoders import words_checkpoint
from workers import pipeline, tasks, upgrades
from workers.steps import embed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def weights(settings: Any, tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """Makes these weights the installed ones, as a new version would."""

    def install(seed: int) -> None:
        folder = words_checkpoint(tmp_path / str(seed), seed=seed)
        mini = settings.SEARCH.engines["mini"].model_copy(update={"weights": str(folder)})
        named = {**settings.SEARCH.engines, "mini": mini}
        settings.SEARCH = settings.SEARCH.model_copy(update={"engines": named})
        settings.MODELS = folder.resolve()  # the product's own, as its new version brings them
        encoders.encoders_forget()

    yield install
    encoders.encoders_forget()


@pytest.fixture
def part(weights: Callable[[int], None], work: Callable[[], int]) -> Part:
    """Ready, with the vectors of older weights; the newer ones are installed since."""
    weights(1)
    file = SimpleUploadedFile("ring.stl", meshes.stl_binary(meshes.ring()))
    made = services.part_upload(file=file)[0]
    work()
    assert spaces(made) == {space.key for space in engines.spaces()}
    weights(2)
    made.refresh_from_db()
    return made


def spaces(part: Part) -> set[str]:
    return set(Embedding.objects.filter(part=part).values_list("space__key", flat=True))


def test_the_sweep_brings_what_is_missing(part: Part, work: Callable[[], int]) -> None:
    words = encoders.words_space("mini").key
    assert words not in spaces(part)
    drawn = set(part.views.values_list("image", flat=True))
    tasks.parts_sweep()
    part.refresh_from_db()
    assert part.status == "ready"  # while it waits, too
    work()
    part.refresh_from_db()
    assert part.status == "ready"
    assert words in spaces(part)
    assert Embedding.objects.get(part=part, space__key=words).views == 1
    assert part.steps.get(step="embed").recipe == embed.recipe()
    assert set(part.views.values_list("image", flat=True)) == drawn
    tasks.parts_sweep()
    work()
    assert set(part.steps.values_list("state", flat=True)) == {"done"}


def test_nothing_is_due_afterwards_and_the_question_is_not_asked_again(
    part: Part, django_assert_max_num_queries: Any
) -> None:
    assert upgrades.is_due()
    assert upgrades.upgrade() == 1
    assert not upgrades.is_due()
    with django_assert_max_num_queries(2):  # which engines there are; no part is looked at
        assert not upgrades.is_due()


def test_it_stops_when_its_time_is_over(part: Part) -> None:
    assert upgrades.upgrade(seconds=-1) == 0
    assert upgrades.is_due()


def test_a_part_in_the_trash_is_left_alone(part: Part) -> None:
    services.part_delete(part=part)
    assert upgrades.upgrade() == 0


def test_a_cause_that_passes_is_tried_again(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(embed, "run", full)
        assert upgrades.upgrade() == 0
    assert part.steps.get(step="embed").state == "done"
    assert upgrades.upgrade() == 1


def test_a_file_that_is_gone_bad_is_told_and_not_tried_for_ever(part: Part) -> None:
    file = Path(part.file.path)
    data = file.read_bytes()
    try:
        file.write_bytes(b"not a mesh any more")
        assert upgrades.upgrade() == 0
    finally:
        file.write_bytes(data)  # the name is the content's: other tests have the same file
    step = part.steps.get(step="embed")
    assert step.state == "failed"
    assert step.error.endswith(".")
    cache.clear()
    assert not upgrades.is_due()
    part.refresh_from_db()
    assert part.status == "ready"  # its older vectors still find it


def test_a_message_for_the_part_does_its_work_as_ever(part: Part) -> None:
    services.parts_reprocess([part.pk])
    pipeline.part_ingest(part.pk)
    assert encoders.words_space("mini").key in spaces(part)
    assert not upgrades.is_due()


def test_what_people_chose_follows_the_products_own_weights(
    part: Part, weights: Callable[[int], None], work: Callable[[], int]
) -> None:
    """An upgrade is an install of the same engine: told as one, and the choice goes with it."""
    weights(1)
    switching.engine_activate("mini", first=True)
    chosen = selection.selection_current()
    older = encoders.words_space("mini").key
    assert older in chosen.engines[0].spaces
    weights(2)
    assert not selection.faults()
    cache.clear()
    tasks.parts_sweep()
    row = EngineInstall.objects.get(engine="mini")
    assert (row.state, row.upgrade) == ("filling", True)
    work()
    row.refresh_from_db()
    assert (row.state, row.missing) == ("ready", 0)
    now = selection.selection_current()
    assert now.names == chosen.names
    assert set(now.engines[0].spaces) == set(selection.space_keys("mini")) == set(row.spaces)
    assert now.revision == chosen.revision + 1
    assert switching.keys_orphaned() == [older]
    assert switching.engine_rollback().names == chosen.names
    assert not selection.faults()

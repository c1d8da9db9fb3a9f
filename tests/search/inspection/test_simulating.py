"""Simulated photos of a part's good pieces, where the configuration asks for them."""

from typing import Any

import pytest

from catalog.models import Part
from search.engine.qc.judge import calibration_shipped
from search.inspection import learning, simulating
from search.inspection.limits import learnt_of
from search.models import QcCalibration
from tests.factories.inspections import part_make
from tests.factories.work import queued_by_task, work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulate(settings: Any) -> Any:
    """Sets how many photos are simulated of each part."""
    usual = settings.SEARCH

    def make(photos: int) -> None:
        config = usual.inspection.model_copy(update={"simulate": photos, "rivals": 0})
        settings.SEARCH = usual.model_copy(update={"inspection": config})

    yield make
    settings.SEARCH = usual


def test_nothing_is_simulated_unasked(compare: Any, simulate: Any) -> None:
    simulate(0)
    compare("good")
    assert not QcCalibration.objects.exists()


def test_photos_are_simulated_slice_by_slice_and_once(
    compare: Any, bracket: Part, simulate: Any
) -> None:
    simulate(3)
    simulating.part_simulate(bracket.pk, seconds=1e-9)  # none fits in
    assert queued_by_task() == {"workers.inspection_simulate": [bracket.pk]}
    compare("good")  # asks for the rest, and the worker does it
    row = QcCalibration.objects.get(part=bracket)
    first = row.data["simulated"]
    assert len(first) == 3 and any(value is not None for value in first)
    assert learnt_of(bracket).shift == 0  # nothing to compare it with
    compare("good")
    assert not queued_by_task()
    # The same photos again give the same odds.
    QcCalibration.objects.all().delete()
    simulating.part_simulate(bracket.pk)
    assert QcCalibration.objects.get(part=bracket).data["simulated"] == first


def test_a_part_that_measures_worse_even_when_good_is_judged_milder(simulate: Any) -> None:
    simulate(4)
    version = calibration_shipped().version
    for number in range(5):
        QcCalibration.objects.create(
            part=part_make(f"Block {number}"), version=version, data={"simulated": [2.0, None, 3.0]}
        )
    lattice = part_make("Lattice")
    QcCalibration.objects.create(
        part=lattice, version=version, data={"simulated": [0.5, 0.5, 0.5, None]}
    )
    learning.part_learn(lattice.pk)
    # Three of them move the limit by 3 / (3 + 32) of the difference of the medians.
    assert learnt_of(lattice).shift == pytest.approx(3 / 35 * 2.0, abs=1e-3)
    QcCalibration.objects.filter(part=lattice).update(version="of another year")
    learning.part_learn(lattice.pk)
    assert learnt_of(lattice).shift == 0
    work_off()

"""Decisions outlive the calibration under which they were made."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from catalog.models import Part
from search.engine.qc import judge, verdict
from search.engine.qc.judge import Calibration, calibration_shipped
from search.engine.qc.types import Measures
from search.inspection import learning, rejudging, services
from search.inspection.limits import learnt_of
from search.models import Inspection, InspectionPhoto, QcCalibration
from tests.factories.inspections import inspection_make, part_make
from tests.factories.work import queue_clear, work_off

pytestmark = pytest.mark.django_db(transaction=True)

MEASURES = Measures(
    iou=0.96, mean=0.005, p95=0.01, thickness=0.02, blob=1e-3, evidence=0.6, weighed=0.01,
    supported=0.6, unsupported=0.02, unexplained=1e-3, shading=0.7, surface=1e-3, strength=2.0,
    contrast=5.0, pixel=0.004,
)  # fmt: skip


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Calibration]:
    """The product comes with another calibration from now on: of other weights and limits."""
    shipped = calibration_shipped()

    def come(version: str) -> Calibration:
        new = replace(
            shipped,
            version=version,
            weights=tuple(weight * 0.6 for weight in shipped.weights),
            offset=shipped.offset + 0.4,
            pass_at=shipped.pass_at * 0.8,
            fused=(0.5, 0.7),
        )
        for module in (judge, verdict):
            monkeypatch.setattr(module, "calibration_shipped", lambda: new)
        return new

    return come


def decided(part: Part, *, iou: float = 0.96, photos: int = 1, good: bool = True) -> Inspection:
    """A piece that was measured so, judged by the calibration of the time and decided."""
    measures = replace(MEASURES, iou=iou)
    odds = calibration_shipped().odds(measures)
    inspection = inspection_make(part, odds=odds, photos=photos)
    inspection.photos.update(measures=asdict(measures))
    services.inspection_decide(inspection, decision="good" if good else "bad")
    return inspection


def swept() -> int:
    """What the minute's sweep asks for is done."""
    asked = learning.learning_sweep()
    work_off()
    return asked


def test_decisions_count_on_under_a_new_calibration(
    compare: Any, writer: Any, bracket: Part, release: Any
) -> None:
    """The odds are those that running the pieces again would give."""
    found = [compare("good"), compare("good", "other"), compare("broken")]
    for body, said in zip(found, ("good", "good", "bad"), strict=True):
        writer.patch(body["url"], {"decision": said}, format="json")
    work_off()
    before = {row.pk: row.odds for row in Inspection.objects.all()}
    new = release("of another year")
    assert learnt_of(bracket).n_good == 0  # what was learnt of other odds does not count
    assert swept() == 1
    learnt = learnt_of(bracket)
    assert (learnt.n_good, learnt.n_bad) == (2, 1)
    lesson = QcCalibration.objects.get(part=bracket).data
    told = {body["id"]: body for body in found}
    rejudged = {}
    for row in Inspection.objects.all():
        rejudged[row.pk] = row.odds
        assert row.odds != pytest.approx(before[row.pk], abs=0.01)
        # What was told of the piece stays, and by which calibration.
        body = told[str(row.uuid)]
        assert (row.verdict, row.similarity) == (body["verdict"], body["similarity"])
        assert row.calibration == body["calibration"] != new.version
    for body in found:
        writer.post(f"{body['url']}/again")
    work_off()
    for row in Inspection.objects.all():
        assert row.calibration == new.version
        assert rejudged[row.pk] == pytest.approx(row.odds, abs=1e-3)
        for photo in row.photos.all():
            assert photo.odds is not None
    # So is what they teach.
    assert QcCalibration.objects.get(part=bracket).data == pytest.approx(lesson, abs=1e-3)
    assert learnt_of(bracket).n_good == 2


def test_a_run_that_lacks_a_measure_is_left_out(release: Any) -> None:
    part = part_make()
    whole, lacking, none = decided(part), decided(part, photos=2), decided(part)
    queue_clear()
    measures = asdict(MEASURES)
    lacking.photos.filter(place=1).update(measures=measures | {"shading": None})
    none.photos.update(measures={name: measures[name] for name in ("iou", "mean")})
    new = release("of another year")
    assert swept() == 1
    assert learnt_of(part).n_good == 1
    odds = dict(Inspection.objects.values_list("pk", "odds"))
    assert odds[whole.pk] == pytest.approx(new.odds(MEASURES))
    assert odds[lacking.pk] is None and odds[none.pk] is None
    assert swept() == 0  # and is not asked for again
    # Nothing is lost: a calibration that can read them all counts them all.
    InspectionPhoto.objects.update(measures=measures | {"of a later product": 1.0})
    release("of the year after")
    swept()
    assert learnt_of(part).n_good == 3


def test_a_piece_that_nothing_fitted_has_no_odds(release: Any) -> None:
    part = part_make()
    hopeless, several = decided(part, photos=2, good=False), decided(part, photos=2, good=False)
    for row, code in ((hopeless, "no_fit"), (several, "piece_missing")):
        photo = row.photos.filter(place=1)
        photo.update(measures={}, odds=None, reasons=[{"code": code, "params": {}}])
    new = release("of another year")
    swept()
    odds = dict(Inspection.objects.values_list("pk", "odds"))
    assert odds[hopeless.pk] is None
    assert odds[several.pk] == pytest.approx(new.odds(MEASURES))  # of the photo that was judged
    assert learnt_of(part).n_bad == 1


def test_many_decisions_are_taken_in_turns(release: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    part, other = part_make(), part_make("Another")
    for n in range(5):
        decided(part, iou=0.95 + n / 100)
    decided(other)
    work_off()
    monkeypatch.setattr(rejudging, "MOST", 3)
    monkeypatch.setattr(rejudging, "BATCH", 2)
    release("of another year")
    assert swept() == 2
    assert (learnt_of(part).n_good, learnt_of(other).n_good) == (3, 1)
    assert swept() == 1 and learnt_of(part).n_good == 5
    assert swept() == 0


def test_a_worker_that_dies_before_the_lesson_leaves_it_to_the_sweep(release: Any) -> None:
    part = part_make()
    decided(part)
    work_off()
    new = release("of another year")
    rejudging.part_rejudge(part.pk, new)  # and died
    assert learnt_of(part).n_good == 0
    assert swept() == 1 and learnt_of(part).n_good == 1


def test_a_run_that_ends_meanwhile_is_not_overwritten(release: Any) -> None:
    part = part_make()
    inspection = decided(part)
    new = release("of another year")
    Inspection.objects.update(odds=1.25, odds_version=new.version)  # as its new run left it
    rejudging.part_rejudge(part.pk, new)
    inspection.refresh_from_db()
    assert inspection.odds == 1.25


def test_what_was_to_be_forgotten_stays_forgotten(release: Any) -> None:
    part = part_make()
    decided(part)
    work_off()
    learning.calibration_forget(QcCalibration.objects.get(part=part))
    release("of another year")
    swept()
    assert learnt_of(part).n_good == 0
    decided(part)
    work_off()
    assert learnt_of(part).n_good == 1


def test_what_was_learnt_does_not_creep_into_the_odds(
    compare: Any, writer: Any, bracket: Part
) -> None:
    """A plain deviation's odds are held under the limit, whatever is added to them."""
    found = compare("broken")
    odds = Inspection.objects.get().odds
    for _ in range(2):
        QcCalibration.objects.update_or_create(
            part=bracket,
            defaults={"version": calibration_shipped().version, "data": {"shift": 1.0}},
        )
        writer.post(f"{found['url']}/again")
        work_off()
        row = Inspection.objects.get()
        assert row.shift == 1.0 and row.odds == pytest.approx(odds, abs=1e-6)
        assert row.photos.get().odds == pytest.approx(odds, abs=1e-6)

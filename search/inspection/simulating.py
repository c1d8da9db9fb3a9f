"""Simulated photos of a part's good pieces, made in the background: how they measure beside those
of other parts is known before anybody decided about a real one.

Off unless the configuration says how many (`inspection.simulate`).
"""

import logging
import time

from django.conf import settings
from django.db import transaction

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.queue import LATER, enqueue
from search.inspection.learning import kept_of, learning_ask
from search.inspection.preparing import part_prepared, triangles_read
from search.models import QcCalibration

log = logging.getLogger(__name__)

SLICE_S = 20.0
TASK = "workers.inspection_simulate"


def simulation_ask(part_id: int) -> None:
    """Have photos of an inspected part simulated, unless that is off or was done."""
    from search.engine.qc.judge import calibration_shipped

    wanted = settings.SEARCH.inspection.simulate
    if not wanted:
        return
    row = QcCalibration.objects.filter(part_id=part_id, version=calibration_shipped().version)
    held = row.values_list("data__simulated", flat=True).first()
    if len(held or ()) < wanted:
        enqueue(TASK, part_id, priority=LATER)


def part_simulate(part_id: int, *, seconds: float = SLICE_S) -> None:
    """Simulate some more photos; ask for the rest, or for the lesson when there are enough.

    Each photo follows from its number, so two workers at once or one that dies change nothing.
    """
    from search.engine.errors import EngineError
    from search.engine.qc.judge import calibration_shipped
    from search.engine.qc.simulate.calibrate import good_odds

    wanted, shipped = settings.SEARCH.inspection.simulate, calibration_shipped()
    part = Part.objects.filter(pk=part_id, status=Part.Status.READY, deleted_at=None).first()
    if part is None or not wanted:
        return
    with transaction.atomic():
        odds = list(kept_of(part_id, shipped).get("simulated", ()))
    until = time.monotonic() + seconds
    try:
        prepared = part_prepared(part)
        triangles = triangles_read(part) * Part.UNIT_MM[Part.Unit(part.unit)]
        while len(odds) < wanted and time.monotonic() < until:
            found = good_odds(prepared, triangles, shipped, photos=1, seed=len(odds))
            # One that cannot be judged counts as made: it would not be judged again either.
            odds.append(round(float(found[0]), 4) if len(found) else None)
    except (ServiceError, EngineError) as error:
        log.warning("no photos of part %s were simulated: %s", part_id, error)
        return
    with transaction.atomic():
        kept = kept_of(part_id, shipped)
        if len(odds) > len(kept.get("simulated", ())):
            row, _made = QcCalibration.objects.get_or_create(
                part_id=part_id, defaults={"version": shipped.version}
            )
            data = row.data if row.version == shipped.version else kept
            row.data, row.version = data | {"simulated": odds}, shipped.version
            row.save(update_fields=["data", "version"])
        if len(odds) < wanted:
            enqueue(TASK, part_id, priority=LATER)
        else:
            learning_ask(part_id)

"""A scheduler beside a worker (`worker --beat`) that was killed is begun again.

Celery looks after the processes of its pool, not after that one: without it no sweep would come,
and nobody would notice.
"""

import logging
from typing import Any

from celery import bootsteps
from celery.beat import EmbeddedService
from celery.worker import state

log = logging.getLogger(__name__)

LOOK_S = 5.0


class KeptBeat(bootsteps.StartStopStep):
    requires = ("celery.worker.components:Beat", "celery.worker.components:Timer")

    def __init__(self, worker: Any, beat: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002  Celery's call
        super().__init__(worker, **options)
        self.enabled = beat
        self._again: Any = None

    def start(self, worker: Any) -> None:
        worker.timer.call_repeatedly(LOOK_S, self._look, (worker,))

    def stop(self, worker: Any) -> None:
        # Celery itself stops the one it began.
        if self._again is not None:
            self._again.stop()

    def _look(self, worker: Any) -> None:
        if worker.beat.is_alive() or state.should_stop is not None:
            return
        log.warning("the scheduler has died; another one is begun")
        worker.beat = self._again = EmbeddedService(
            worker.app,
            schedule_filename=worker.schedule_filename,
            scheduler_cls=worker.scheduler,
        )
        self._again.start()

"""Sends work to the workers by task name, so that the catalogue never imports them.

Ids, never objects; after the commit, so that a worker finds the row. A broker that does not answer
is not the caller's trouble: what the message says is in the database, and the sweep sends it again.
"""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

log = logging.getLogger(__name__)


def enqueue(task: str, *args: int | str, countdown: float | None = None) -> None:
    """Send `task` (a name such as "workers.part_ingest") with `args` once this commits."""
    transaction.on_commit(partial(_send, task, args, countdown))


def _send(task: str, args: tuple[int | str, ...], countdown: float | None) -> None:
    try:
        current_app.send_task(task, args=args, countdown=countdown, retry=False)
    except (KombuError, OSError) as error:
        log.warning("%s%s was not sent, the sweep will send it: %s", task, args, error)

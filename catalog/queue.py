"""Sends work to the workers by task name, so that the catalogue never imports them.

Ids, never objects; after the commit, so that a worker finds the row. A broker that does not answer
is not the caller's trouble: what the message says is in the database, and the sweep sends it again.

A question (`ask`) is the exception: somebody waits for its answer, so it is sent at once, lies in
the box with its bytes for as long as it is waited for, and is refused when no answer comes.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import KombuError

from catalog.box import Box, box_open

log = logging.getLogger(__name__)

CONNECT_S = 2  # a broker that takes longer to answer is not waited for by who only counts

# Of messages, 0 is read first: a file somebody just sent, the rest of it, what nobody waits for.
NOW, SOON, LATER = 0, 3, 6
# A message not acted on by then is taken for lost; the sweep sends another.
LOST_AFTER = timedelta(minutes=10)


class NoAnswer(Exception):
    """Nobody answered a question: "away" (no worker lives), "full", "late" or "broker"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def enqueue(
    task: str, *args: int | str, countdown: float | None = None, priority: int = SOON
) -> None:
    """Send `task` (a name such as "workers.part_ingest") with `args` once this commits."""
    transaction.on_commit(partial(_send, task, args, countdown, priority))


def _send(task: str, args: tuple[int | str, ...], countdown: float | None, priority: int) -> None:
    try:
        current_app.send_task(task, args=args, countdown=countdown, priority=priority, retry=False)
    except (KombuError, OSError) as error:
        log.warning("%s%s was not sent, the sweep will send it: %s", task, args, error)


def ask(task: str, data: bytes, *, queue: str, seconds: float, waiting_most: int) -> bytes:
    """Give `data` to a worker of the queue and wait for its answer, `seconds` at most.

    Raises `NoAnswer`: at once when no worker of the queue lives or so many questions wait already.
    """
    question = uuid.uuid4().hex
    try:
        box = answers()
        if not box.lives(queue):
            raise NoAnswer("away")
        if box.waiting() >= waiting_most:
            raise NoAnswer("full")
        box.ask(question, data, seconds=seconds)
        # Without `expires`: it would compare the clocks of two machines. The box forgets in time.
        current_app.send_task(task, args=(question,), priority=NOW, retry=False)
        found = box.wait(question, seconds=seconds)
    except (KombuError, OSError) as error:
        log.warning("%s was not asked: %s", task, error)
        raise NoAnswer("broker") from error
    if found is None:
        raise NoAnswer("late")
    return found


def answers() -> Box:
    return box_open(settings.ANSWERS_URL)


def queue_lengths(queues: Iterable[str]) -> dict[str, int]:
    """How many messages wait in each; queues of a broker that does not answer are left out."""
    lengths = {}
    try:
        with current_app.connection_for_read(connect_timeout=CONNECT_S) as connection:
            channel = connection.default_channel
            for queue in queues:
                lengths[queue] = int(channel._size(queue))
    except (KombuError, OSError) as error:
        log.warning("the broker was not asked for its queues: %s", error)
    return lengths

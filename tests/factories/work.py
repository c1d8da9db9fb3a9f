"""The worker's side of the broker, without its process: reads the queues and runs the tasks."""

import os
from queue import Empty

from amqp.exceptions import ChannelError
from django.conf import settings
from kombu.simple import SimpleQueue

from stlcatalog.celery import app

QUEUES = ("ingest", "gpu", "index", "inspect", "encode")


def work_off(*, most: int = 500) -> int:
    """Run queued tasks until there are none; the number run."""
    import workers.tasks  # noqa: F401  the tasks register themselves

    done = 0
    with app.connection_for_read() as connection:
        for queue in QUEUES * 2:
            messages = connection.SimpleQueue(queue)
            while done < most:
                try:
                    message = messages.get(block=False)
                except Empty:
                    break
                message.ack()
                args, kwargs, _embed = message.payload
                app.tasks[message.headers["task"]](*args, **kwargs)
                done += 1
            messages.close()
    return done


def queue_clear() -> None:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        for message in (settings.DATA / "broker" / "queue").rglob("*.msg"):
            message.unlink(missing_ok=True)
        return
    with app.connection_for_write() as connection:
        for queue in QUEUES:
            connection.SimpleQueue(queue).clear()


def queued() -> int:
    """How many messages wait."""
    with app.connection_for_read() as connection:
        queues = [connection.SimpleQueue(queue) for queue in QUEUES]
        return sum(_size(queue) for queue in queues)


def _size(queue: SimpleQueue) -> int:
    try:
        return queue.qsize()
    except ChannelError:  # Redis knows a queue only once a message was in it
        return 0


def database_url() -> str:
    """The test's own database, as another process names it."""
    held = settings.DATABASES["default"]
    if held["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{held['NAME']}"
    return f"postgres://{held['USER']}@{held['HOST']}:{held['PORT']}/{held['NAME']}"


def environment() -> dict[str, str]:
    """What a process of the product needs to work on the test's own data."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "stlcatalog.settings",
        "STLCATALOG_DATA": str(settings.DATA),
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
        "SEARCH_ENCODERS": settings.SEARCH_ENCODERS,
    }


def questions() -> list[str]:
    """The questions whose messages wait for a worker of the queue `encode`, each once."""
    found = []
    with app.connection_for_read() as connection:
        messages = connection.SimpleQueue("encode")
        while True:
            try:
                message = messages.get(block=False)
            except Empty:
                return found
            message.ack()
            found.append(message.payload[0][0])


def queued_by_task() -> dict[str, list[int]]:
    """What waits, by task, taken off the queues."""
    found: dict[str, list[int]] = {}
    with app.connection_for_read() as connection:
        for queue in QUEUES:
            messages = connection.SimpleQueue(queue)
            while True:
                try:
                    message = messages.get(block=False)
                except Empty:
                    break
                message.ack()
                found.setdefault(message.headers["task"], []).extend(message.payload[0])
    return found

"""The worker's side of the broker, without its process: reads the queues and runs the tasks."""

from queue import Empty

from django.conf import settings

from stlcatalog.celery import app

QUEUES = ("ingest", "index")


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
        for message in (settings.DATA / "broker" / "queue").glob("*"):
            message.unlink(missing_ok=True)
        return
    with app.connection_for_write() as connection:
        for queue in QUEUES:
            connection.SimpleQueue(queue).clear()


def queued() -> int:
    """How many messages wait."""
    with app.connection_for_read() as connection:
        return sum(connection.SimpleQueue(queue).qsize() for queue in QUEUES)

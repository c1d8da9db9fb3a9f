"""What remembering a search costs the one who waits: `python -m bench.search_log`.

The time that `search_log` holds an answer up: of anybody's words, of a member of staff's photo
(which is kept), and of words while another process writes to the SQLite file without pause. A
thread writes the rows; the last column says how long it took for all of them. Beside it what
counting one request for /metrics takes.
"""

import io
import multiprocessing
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from bench import running

ROUNDS = 300


def photo(rng: np.random.Generator) -> bytes:
    """A JPEG as phones take them, 12 megapixels."""
    small = rng.integers(90, 220, (90, 120, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(small).resize((4000, 3000), Image.Resampling.BICUBIC).save(held, "JPEG")
    return held.getvalue()


def write_always(stop: "multiprocessing.synchronize.Event") -> None:
    """Transactions of 20 ms, one after the other, as a busy worker's."""
    running.django_ready()
    from django.db import transaction

    from search.models import SearchLog

    while not stop.is_set():
        with transaction.atomic():
            SearchLog.objects.filter(pk=0).update(n=0)
            time.sleep(0.02)


def timed(one: Callable[[], object], *, rounds: int) -> tuple[str, str, str, int, str]:
    """Median, 95th percentile and most milliseconds, how many rows were given up; seconds of all.

    A search every 20 ms at most, as fifty people would ask.
    """
    from search.evaluation.logs import _writer

    took, lost = [], 0
    begun = time.perf_counter()
    for _ in range(rounds):
        start = time.perf_counter()
        lost += one() is None
        took.append((time.perf_counter() - start) * 1000)
        time.sleep(0.02)
    _writer.drain()
    p50, p95 = np.percentile(took, [50, 95])
    return (
        f"{p50:.2f}", f"{p95:.2f}", f"{max(took):.1f}", lost, f"{time.perf_counter() - begun:.1f}"
    )  # fmt: skip


def main() -> None:
    with running.data_folder():
        from django.contrib.auth import get_user_model
        from django.contrib.auth.models import AnonymousUser

        from catalog import meters
        from catalog.models import Part
        from search.evaluation.logs import search_log
        from search.query import Query
        from search.services import Answer

        staff = get_user_model().objects.create_user("staff", is_staff=True)
        hit = type("Hit", (), {"part": Part(pk=1)})()
        answer = Answer([hit] * 5, {"total": 10.0}, "mini")
        picture = photo(np.random.default_rng(0))

        def words() -> object:
            query = Query(kind="text", text="六角螺栓")
            return search_log(query=query, answer=answer, door="api", user=AnonymousUser())

        def kept() -> object:
            query = Query(kind="image", image=picture)
            return search_log(query=query, answer=answer, door="page", user=staff)

        def counted() -> bool:
            meters.request_seen(view="search", method="GET", status=200, seconds=0.01)
            return True

        words()
        rows = [
            ["words", *timed(words, rounds=ROUNDS)],
            ["a 12-megapixel photo of staff", *timed(kept, rounds=ROUNDS // 6)],
            ["a request counted", *timed(counted, rounds=ROUNDS)],
        ]
        spawn = multiprocessing.get_context("spawn")
        stop = spawn.Event()
        writer = spawn.Process(target=write_always, args=(stop,))
        writer.start()
        time.sleep(4)
        rows.insert(1, ["words, beside a busy writer", *timed(words, rounds=ROUNDS)])
        stop.set()
        writer.join()
        print(
            running.table(
                ["what", "p50 ms", "p95 ms", "most ms", "given up", "all written, s"], rows
            )
        )


if __name__ == "__main__":
    main()

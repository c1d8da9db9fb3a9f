"""Counts and times of what this process does, for whoever watches the service (/metrics).

Each process writes its own file in `settings.METRICS`, and whichever is asked adds them all up, so
it does not matter how many there are. Prometheus's client is imported when the first thing is
counted: commands that serve nobody do without it.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram
    from prometheus_client.metrics_core import Metric

log = logging.getLogger(__name__)

# Seconds. Answers come in tens of milliseconds, a large mesh in some seconds.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
STAGE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# Files of processes that ended are added up once there are so many.
DEAD_MOST = 8
DEAD = "dead"


@dataclass(frozen=True)
class Meters:
    requests: "Counter"
    request_seconds: "Histogram"
    searches: "Counter"
    stage_seconds: "Histogram"


@cache
def meters() -> Meters:
    settings.METRICS.mkdir(parents=True, exist_ok=True)
    from prometheus_client import CollectorRegistry, Counter, Histogram

    own = CollectorRegistry()  # not the client's global one: nothing else writes here
    return Meters(
        requests=Counter(
            "stlcatalog_requests", "Requests answered.", ["view", "method", "status"], registry=own
        ),
        request_seconds=Histogram(
            "stlcatalog_request_seconds",
            "Time to answer a request.",
            ["view"],
            buckets=REQUEST_BUCKETS,
            registry=own,
        ),
        searches=Counter(
            "stlcatalog_searches", "Searches answered.", ["kind", "engine"], registry=own
        ),
        stage_seconds=Histogram(
            "stlcatalog_search_stage_seconds",
            "Time of each stage of a search.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=own,
        ),
    )


def request_seen(*, view: str, method: str, status: int, seconds: float) -> None:
    held = meters()
    held.requests.labels(view, method, str(status)).inc()
    held.request_seconds.labels(view).observe(seconds)


def search_seen(*, kind: str, engine: str, took_ms: Mapping[str, float]) -> None:
    held = meters()
    held.searches.labels(kind, engine).inc()
    for stage, ms in took_ms.items():
        held.stage_seconds.labels(stage).observe(ms / 1000)


@contextmanager
def counted() -> Iterator["CollectorRegistry"]:
    """What all processes of this machine have counted. Nothing is added up meanwhile."""
    meters()
    settings.METRICS.mkdir(parents=True, exist_ok=True)  # somebody may have cleaned up
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    with _alone():
        _dead_join()
        registry.register(Counted())
        yield registry


@contextmanager
def _alone() -> Iterator[None]:
    with (settings.METRICS / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Counted:
    """Adds up the files that can be read."""

    def collect(self) -> "Iterable[Metric]":
        from prometheus_client.multiprocess import MultiProcessCollector

        return MultiProcessCollector.merge([str(path) for path in _files()], accumulate=True)


def _files() -> list[Path]:
    """The files that can be read; a broken one of a process that ended is dropped.

    A process that was killed, or a full disk, leaves such: one must not hide all the others.
    """
    from prometheus_client.mmap_dict import MmapedDict

    found = []
    for path in sorted(settings.METRICS.glob("*.db")):
        try:
            for key, *_counted in MmapedDict.read_all_values_from_file(str(path)):
                json.loads(key)
        except Exception as error:
            # A live one may be just begun.
            if not _is_alive(path) or path.stem.endswith(DEAD):
                log.warning("%s cannot be read and is dropped: %r", path.name, error)
                path.unlink(missing_ok=True)
        else:
            found.append(path)
    return found


def _dead_join() -> None:
    """Add the files of processes that ended to one, so that a year of restarts stays small.

    Their counts must not be lost: a counter that falls looks like a burst of requests.
    """
    dead = [path for path in _files() if not _is_alive(path)]
    if len(dead) <= DEAD_MOST:
        return
    from prometheus_client.mmap_dict import MmapedDict

    for kind in ("counter", "histogram"):
        files = [path for path in dead if path.name.startswith(f"{kind}_")]
        total = MmapedDict(str(settings.METRICS / f"{kind}_{DEAD}.db"))
        for path in files:
            for key, value, time, _place in MmapedDict.read_all_values_from_file(str(path)):
                before, _time = total.read_value(key)
                total.write_value(key, before + value, time)
            path.unlink()
        total.close()


def _is_alive(path: Path) -> bool:
    """Whether the process a file belongs to still runs; the joined file is never dead."""
    pid = path.stem.rpartition("_")[2]
    if not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

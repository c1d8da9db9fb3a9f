"""Workers as real processes over the test's own data, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from catalog.queue import answers
from tests.factories.work import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def worker(queues: str, *options: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "stlcatalog", "worker", "--queues", queues,
         "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
         "--hostname", f"{queues.replace(',', '-')}@%h", *options],
        cwd=settings.BASE, env=environment() | variables, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@contextmanager
def encode_worker(**variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the queue `encode`, up and warm."""
    # One that was killed is taken for alive for some seconds more.
    answers().beat("encode", seconds=0)
    with worker("encode", "--pool", "threads", "--concurrency", "8", **variables) as process:
        until(lambda: answers().lives("encode"))
        yield process


def kill(process: subprocess.Popen[bytes]) -> None:
    """The whole group at once, as the machine's end would: nothing is tidied up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def lives(pid: int) -> bool:
    """Whether it works still: one that ended may wait for somebody to look."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False


def until(reached: Callable[[], bool], *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)

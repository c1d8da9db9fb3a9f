"""Processes side by side, by Honcho; one that is killed is begun again.

Whoever ends by itself has said why, and ends the others, as Honcho does. A machine out of memory
kills, and a crash says nothing either: what such a process left running goes too (a scheduler
without its worker would hold the output open, and nobody would notice), and another begins.
"""

import multiprocessing
import os
import signal
import subprocess
import time
from contextlib import suppress
from functools import partial
from multiprocessing.synchronize import Event
from threading import Thread
from typing import Any

from honcho.manager import Manager
from honcho.process import Process

REST_S, REST_MOST_S = 1.0, 60.0  # before another begins; doubled when it soon dies, too


class KeptProcess(Process):  # type: ignore[misc]  # Honcho has no types
    """`cmd` is one command, without pipes: it takes the place of its shell."""

    def __init__(self, cmd: str, *, stopping: Event, **options: Any) -> None:
        super().__init__(f"exec {cmd}", **options)
        self._stopping = stopping
        self._rest = REST_S

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:  # noqa: FBT001, FBT002  Honcho's call
        self._again = True
        while self._again:
            self._again = False
            self._began = time.monotonic()
            super().run(events, ignore_signals)

    def _send_message(self, data: Any, type: str = "line") -> None:  # noqa: A002  Honcho's name
        if type == "start":
            Thread(target=self._remains_end, args=(self._child,), daemon=True).start()
        elif type == "stop" and data["returncode"] < 0 and not self._stopping.is_set():
            self._again = self._rested(signal.Signals(-data["returncode"]).name)
        if not self._again:
            super()._send_message(data, type)

    def _rested(self, killer: str) -> bool:
        """Whether nobody asked to stop until it is time for another."""
        if time.monotonic() - self._began > REST_MOST_S:
            self._rest = REST_S
        said = f"Killed by {killer}; another begins in {self._rest:.0f} s.\n"
        super()._send_message(said.encode())
        stopped = self._stopping.wait(self._rest)
        self._rest = min(2 * self._rest, REST_MOST_S)
        return not stopped

    @staticmethod
    def _remains_end(child: subprocess.Popen[bytes]) -> None:
        child.wait()
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


class KeptManager(Manager):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self._stopping = multiprocessing.Event()
        self._process_ctor = partial(KeptProcess, stopping=self._stopping)

    def terminate(self) -> None:
        self._stopping.set()
        super().terminate()

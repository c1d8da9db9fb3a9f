"""What several threads ask of one network at once goes through it together.

Knows no encoder: rows in, rows out.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Row = TypeVar("Row")
Found = TypeVar("Found")


class TooLate(Exception):
    """Who asked waits no longer; nothing was computed."""


@dataclass(frozen=True)
class _Asked(Generic[Row, Found]):
    rows: Sequence[Row]
    until: float  # of time.monotonic()
    future: "Future[list[Found]]" = field(default_factory=Future)


class Batches(Generic[Row, Found]):
    """One thread runs `run` over the rows of all that waits: one result a row, in order.

    A batch is what arrives within `gather_s` of its first rows, or while the batch before it runs;
    `most` rows, or the rows of one call where those are more.
    """

    def __init__(
        self, run: Callable[[list[Row]], Sequence[Found]], *, most: int, gather_s: float
    ) -> None:
        self._run = run
        self._most = most
        self._gather_s = gather_s
        self._waiting: queue.SimpleQueue[_Asked[Row, Found]] = queue.SimpleQueue()
        self._left: _Asked[Row, Found] | None = None  # did not fit into the last batch
        threading.Thread(target=self._work, name="batches", daemon=True).start()

    def ask(self, rows: Sequence[Row], *, seconds: float) -> list[Found]:
        """The rows' results. Raises `TooLate`, or what `run` raised for the whole batch."""
        asked: _Asked[Row, Found] = _Asked(rows, time.monotonic() + seconds)
        self._waiting.put(asked)
        try:
            return asked.future.result(timeout=seconds)
        except FutureTimeout as error:
            # It may still be on its way through the network; its thread is free for the next.
            raise TooLate from error

    def _work(self) -> None:
        while True:
            batch = self._gather()
            now = time.monotonic()
            for late in [asked for asked in batch if asked.until <= now]:
                late.future.set_exception(TooLate())
            if batch := [asked for asked in batch if asked.until > now]:
                self._answer(batch)

    def _gather(self) -> list[_Asked[Row, Found]]:
        """The next batch; waits for more only when nothing waited behind the first."""
        first, self._left = self._left or self._waiting.get(), None
        batch, rows = [first], len(first.rows)
        until = 0.0
        if self._waiting.empty():
            until = time.monotonic() + self._gather_s
        while rows < self._most:
            try:
                asked = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if rows + len(asked.rows) > self._most:
                self._left = asked
                break
            batch.append(asked)
            rows += len(asked.rows)
        return batch

    def _answer(self, batch: list[_Asked[Row, Found]]) -> None:
        try:
            found = self._run([row for asked in batch for row in asked.rows])
        except Exception as error:
            for asked in batch:
                asked.future.set_exception(error)
            return
        at = 0
        for asked in batch:
            asked.future.set_result(list(found[at : at + len(asked.rows)]))
            at += len(asked.rows)

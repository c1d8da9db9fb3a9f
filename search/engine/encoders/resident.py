"""Keeps something large in memory while it is used, once for all threads, and lets it go after.

Knows no network: what is loaded, and how, is the caller's.
"""

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Resident(Generic[T]):
    """Loaded at the first use, whichever thread comes first; let go when nobody uses it any more.

    That is `idle_s` seconds after the last use; 0 keeps it for the life of the process. `freed`
    runs after it was let go.
    """

    def __init__(
        self,
        load: Callable[[], T],
        *,
        idle_s: float = 0,
        freed: Callable[[], None] = lambda: None,
    ) -> None:
        self._load = load
        self._idle_s = idle_s
        self._freed = freed
        self._lock = threading.Lock()
        self._held: T | None = None
        self._users = 0
        self._last = 0.0
        self._watch: threading.Timer | None = None

    @property
    def is_loaded(self) -> bool:
        return self._held is not None

    @contextmanager
    def use(self) -> Iterator[T]:
        """It is loaded, and stays so, while the block lasts."""
        with self._lock:
            if self._held is None:
                self._held = self._load()
            held = self._held
            self._users += 1
        try:
            yield held
        finally:
            del held
            with self._lock:
                self._users -= 1
                self._last = time.monotonic()
                self._watch_start(self._idle_s)

    def unload(self) -> bool:
        """Let go of it now. False, and nothing happens, while somebody uses it."""
        with self._lock:
            if self._users:
                return False
            if self._held is not None:
                self._held = None
                self._memory_return()
            return True

    def _watch_start(self, seconds: float) -> None:
        # A process forked from this one has the timer's object and not its thread.
        if self._idle_s and not (self._watch and self._watch.is_alive()):
            self._watch = threading.Timer(seconds, self._look)
            self._watch.daemon = True
            self._watch.start()

    def _look(self) -> None:
        """In the timer's thread: idle for long enough, or look again when it will be."""
        with self._lock:
            self._watch = None
            if self._held is None:
                return
            left = self._last + self._idle_s - time.monotonic()
            if self._users or left > 0.01:
                self._watch_start(max(left, 0.05) if not self._users else self._idle_s)
                return
            self._held = None
            self._memory_return()

    def _memory_return(self) -> None:
        """To the system, not only to Python: what nobody refers to may be held in cycles, and the
        C library keeps what was freed in case it is asked for again."""
        gc.collect()
        self._freed()
        if sys.platform == "linux":
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
            if trim is not None:
                trim(0)

"""The file-system broker: a folder a queue, a file a message.

Celery's own transport writes a message where its readers already look, so that one who comes
between reads half of it; it empties the file of an exchange's queues before it locks it, so that
one who sends meanwhile fails; it lists every queue's messages for each one it takes; and it knows
no priorities. Here a message appears whole, a queue's folder holds nothing of another's, and what
somebody waits for is read first and at once.
"""

import fcntl
import re
import threading
import time
import uuid
from collections import deque
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

# What can only name a folder inside the data folder; "@" is in the names of workers' own queues.
QUEUE_NAME = re.compile(r"(?=.*\w)[\w.@-]{1,200}", re.ASCII)
LISTED = 64  # messages of one look into a queue's folder
DEFAULT_PRIORITY = 5  # 0 is read first, 9 last
_BINDING = threading.Lock()


class Channel(filesystem.Channel):
    """Messages in `data_folder_in`/<queue>/, named so that they sort in the order to be read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: dict[str, deque[Path]] = {}

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:
        folder = self._folder(queue)
        priority = payload.get("properties", {}).get("priority")
        priority = DEFAULT_PRIORITY if priority is None else min(9, max(0, int(priority)))
        name = f"{priority}-{time.time_ns():020}-{uuid.uuid4().hex}"
        part = folder / f".{name}"
        try:
            part.write_bytes(dumps(payload).encode())
            part.rename(folder / f"{name}.msg")
        except FileNotFoundError:
            # Somebody emptied the data folder under a running process.
            folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(dumps(payload).encode())
            part.rename(folder / f"{name}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        listed = self._listed.setdefault(queue, deque())
        while listed or self._list(queue):
            file = listed.popleft()
            try:
                data = file.read_bytes()
                file.unlink()  # of two readers, the one who removes it has it
            except FileNotFoundError:
                continue
            return dict(loads(data.decode()))
        raise Empty

    def _list(self, queue: str) -> int:
        """Look into the queue's folder; how many messages are to be read."""
        listed = self._listed[queue]
        listed.extend(sorted(self._folder(queue).glob("*.msg"))[:LISTED])
        return len(listed)

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        # Kombu notes for the whole process that a queue is bound before the table says so: another
        # thread that sent between found no queue, and its message was dropped.
        with _BINDING:
            super().queue_bind(*args, **kwargs)

    def get_table(self, exchange: str) -> list[Any]:
        try:
            rows = loads(self._exchange(exchange).read_bytes().decode())
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """The exchange's queues appear whole, as messages do; of two who bind, one waits."""
        file = self._exchange(exchange)
        file.parent.mkdir(parents=True, exist_ok=True)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (file.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rows = self.get_table(exchange)
            if row not in rows:
                part = file.with_name(f".{file.name}")
                part.write_bytes(dumps([row, *rows]).encode())
                part.rename(file)

    def _size(self, queue: str) -> int:
        return sum(1 for _file in self._folder(queue).glob("*.msg"))

    def _purge(self, queue: str) -> int:
        files = list(self._folder(queue).glob("*.msg"))
        for file in files:
            file.unlink(missing_ok=True)
        return len(files)

    def _folder(self, queue: str) -> Path:
        return Path(self.data_folder_in) / _checked(queue)

    def _exchange(self, exchange: str) -> Path:
        return Path(self.control_folder) / f"{_checked(exchange)}.exchange"


def _checked(name: str) -> str:
    if not QUEUE_NAME.fullmatch(name):
        raise ValueError(f"A queue cannot be called {name!r}.")
    return name


class Transport(filesystem.Transport):
    """Polls every `polling_interval` seconds; the `quick_queues` every `quick_interval`."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        options = self.client.transport_options
        quick = set(options.get("quick_queues", ()))
        read = {queue for channel in self.channels for queue in channel._active_queues}
        name = "quick_interval" if read & quick else "polling_interval"
        self.polling_interval = options.get(name, self.polling_interval)
        super().drain_events(connection, timeout=timeout)


def register() -> None:
    """`filesystem://` means this transport from now on."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"

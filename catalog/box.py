"""Where questions to the workers lie, and their answers: in Redis, or in files of the data folder.

Bytes only, each with a lifetime after which it is as if it had never been there: a question nobody
waits for any more is not worked on, an answer nobody fetched is not kept.
"""

import contextlib
import struct
import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol

POLL_S, POLL_MOST_S = 0.001, 0.005  # of the files
HEAD = struct.Struct(">d")  # before a file's bytes: the second at which its lifetime ends
STALE_S = 60  # files older than that are nobody's


class BoxError(OSError):
    """The box cannot be reached."""


class Box(Protocol):
    def waiting(self) -> int:
        """How many questions no worker has taken."""
        ...

    def ask(self, question: str, data: bytes, *, seconds: float) -> None: ...

    def take(self, question: str) -> tuple[bytes, float] | None:
        """A question, once, and the seconds its asker still waits; None when that is over."""
        ...

    def answer(self, question: str, data: bytes, *, seconds: float) -> None: ...

    def wait(self, question: str, *, seconds: float) -> bytes | None:
        """The answer, once; None when it does not come in time. Nothing is left behind."""
        ...

    def beat(self, queue: str, *, seconds: float) -> None:
        """Say that a worker of this queue lives for so long; for 0 seconds, that none does."""
        ...

    def lives(self, queue: str) -> bool: ...


@cache
def box_open(url: str) -> Box:
    """`redis://…` (`rediss://…`, `unix://…`) or `file:///folder`. One a process."""
    scheme, _colon, rest = url.partition("://")
    return FileBox(Path(rest)) if scheme == "file" else RedisBox(url)


class RedisBox:
    """Keys that expire by Redis's own clock, so that clocks of machines need not agree."""

    def __init__(self, url: str, *, prefix: str = "stlcatalog") -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._prefix = prefix
        self._broken = (redis.RedisError, OSError)
        self._redis: Any = redis.Redis.from_url(
            url, socket_connect_timeout=2, socket_timeout=5, retry=Retry(NoBackoff(), 1)
        )

    def waiting(self) -> int:
        with self._reached():
            pipe = self._redis.pipeline()
            pipe.zremrangebyscore(self._key("waiting"), "-inf", self._now())
            pipe.zcard(self._key("waiting"))
            return int(pipe.execute()[1])

    def ask(self, question: str, data: bytes, *, seconds: float) -> None:
        with self._reached():
            pipe = self._redis.pipeline()
            pipe.set(self._key("question", question), data, px=_ms(seconds))
            pipe.zadd(self._key("waiting"), {question: self._now() + seconds})
            pipe.execute()

    def take(self, question: str) -> tuple[bytes, float] | None:
        key = self._key("question", question)
        with self._reached():
            pipe = self._redis.pipeline()  # MULTI: of two workers, one gets it
            pipe.pttl(key)
            pipe.getdel(key)
            pipe.zrem(self._key("waiting"), question)
            left, data, _removed = pipe.execute()
        return None if data is None or left <= 0 else (data, left / 1000)

    def answer(self, question: str, data: bytes, *, seconds: float) -> None:
        key = self._key("answer", question)
        with self._reached():
            pipe = self._redis.pipeline()
            pipe.rpush(key, data)
            pipe.pexpire(key, _ms(seconds))
            pipe.execute()

    def wait(self, question: str, *, seconds: float) -> bytes | None:
        key, end = self._key("answer", question), time.monotonic() + seconds
        with self._reached():
            # In slices under the socket's timeout, so that a Redis that hangs is noticed.
            while (left := end - time.monotonic()) > 0:
                if found := self._redis.blpop([key], timeout=max(0.01, min(left, 2.0))):
                    return bytes(found[1])
            pipe = self._redis.pipeline()
            pipe.delete(self._key("question", question), key)
            pipe.zrem(self._key("waiting"), question)
            pipe.execute()
        return None

    def beat(self, queue: str, *, seconds: float) -> None:
        with self._reached():
            if seconds > 0:
                self._redis.set(self._key("lives", queue), b"1", px=_ms(seconds))
            else:  # Redis knows no time that short
                self._redis.delete(self._key("lives", queue))

    def lives(self, queue: str) -> bool:
        with self._reached():
            return bool(self._redis.exists(self._key("lives", queue)))

    def _now(self) -> float:
        """Seconds, of Redis's clock too."""
        seconds, micros = self._redis.time()
        return float(seconds) + micros / 1e6

    def _key(self, *names: str) -> str:
        return ":".join((self._prefix, *names))

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except self._broken as error:
            raise BoxError(str(error)) from error


class FileBox:
    """Files of one machine; each appears whole, by a rename, and whoever removes it has it."""

    def __init__(self, folder: Path) -> None:
        self._questions, self._answers = folder / "questions", folder / "answers"
        self._lives = folder / "lives"
        for inner in (self._questions, self._answers, self._lives):
            inner.mkdir(parents=True, exist_ok=True)

    def waiting(self) -> int:
        return sum(1 for file in self._questions.iterdir() if not _is_stale(file))

    def ask(self, question: str, data: bytes, *, seconds: float) -> None:
        _write(self._questions / _plain(question), data, until=time.time() + seconds)

    def take(self, question: str) -> tuple[bytes, float] | None:
        found = _take(self._questions / _plain(question))
        if found is None or (left := found[1] - time.time()) <= 0:
            return None
        return found[0], left

    def answer(self, question: str, data: bytes, *, seconds: float) -> None:
        _write(self._answers / _plain(question), data, until=time.time() + seconds)

    def wait(self, question: str, *, seconds: float) -> bytes | None:
        file, end, pause = self._answers / _plain(question), time.monotonic() + seconds, POLL_S
        while True:
            if found := _take(file):
                return found[0]
            if time.monotonic() > end:
                (self._questions / file.name).unlink(missing_ok=True)
                return None
            time.sleep(pause)
            pause = min(POLL_MOST_S, pause * 1.05)

    def beat(self, queue: str, *, seconds: float) -> None:
        _write(self._lives / _plain(queue), b"", until=time.time() + seconds)
        for folder in (self._questions, self._answers):
            for file in folder.iterdir():
                if _is_stale(file):
                    file.unlink(missing_ok=True)

    def lives(self, queue: str) -> bool:
        try:
            data = (self._lives / _plain(queue)).read_bytes()
        except FileNotFoundError:
            return False
        return HEAD.unpack_from(data)[0] > time.time()


def _write(file: Path, data: bytes, *, until: float) -> None:
    unfinished = file.with_name(f".{file.name}-{uuid.uuid4().hex}")
    unfinished.write_bytes(HEAD.pack(until) + data)
    unfinished.rename(file)


def _take(file: Path) -> tuple[bytes, float] | None:
    try:
        data = file.read_bytes()
        file.unlink()
    except FileNotFoundError:
        return None
    return data[HEAD.size :], HEAD.unpack_from(data)[0]


def _is_stale(file: Path) -> bool:
    try:
        return file.stat().st_mtime < time.time() - STALE_S
    except FileNotFoundError:
        return False


def _plain(name: str) -> str:
    if not name.replace("-", "").isalnum():
        raise ValueError(f"{name!r} is no name of a file")
    return name


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))

"""Remembers what was searched, so that staff see what people look for and can judge the hits.

The doors call `search_log` once the answer is ready. The row is written by a thread of its own:
a database that is slow, locked or full fails no search and delays none. What is kept of people is
in the configuration's section `log`.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from catalog import meters
from search.expand import script_of
from search.models import SearchLog
from search.query import Query
from search.services import Answer

log = logging.getLogger(__name__)

FOLDER = "asked"
MEGABYTE = 1024 * 1024
# Of a mesh larger than what is kept, so much tells it from others.
HEAD = 4 * MEGABYTE
# Searches whose rows are not written yet; beyond, the next one is not logged. And, since their
# bytes wait in memory, of those the ones with a picture or mesh.
WAITING_MOST, FILES_MOST = 200, 4
WRITTEN_S = 1.0  # that a search which is judged at once is waited for
LONGEST_SIDE = 1200  # pixels, of a picture that is kept
PRUNED = 1000  # rows at a time


def search_log(*, query: Query, answer: Answer, door: str, user: Any) -> SearchLog | None:
    """One row for a search that was answered; None when it is not logged."""
    _count(query, answer)
    if not settings.SEARCH.log.enabled:
        return None
    try:
        row = _row(query, answer, door, user)
        file = _file(query) if answer.results and _is_staff(user) else None
        return row if _writer.write(row, file) else None
    except Exception as error:
        # Whatever it is, the answer is ready and somebody waits for it.
        log.warning("a search was not logged: %s", error)
        return None


def search_made(key: str) -> SearchLog | None:
    """The search that an answer named by this key.

    It may be judged before its row, or its picture, is written, by whichever process answered.
    """
    until = time.monotonic() + (0.0 if connection.in_atomic_block else WRITTEN_S)
    while True:
        row = SearchLog.objects.filter(key=key[:24]).first()
        if row is not None and not _is_being_kept(row):
            return row
        if time.monotonic() >= until:
            return row
        time.sleep(0.05)


def _is_being_kept(row: SearchLog) -> bool:
    """Whether its picture or mesh may be on its way to the storage."""
    keeps = row.user_id is not None and row.kind != "text" and not row.file and row.n > 0
    return keeps and timezone.now() - row.created_at < timedelta(seconds=5 * WRITTEN_S)


def search_reorder(key: str, *, query: Query, answer: Answer) -> SearchLog | None:
    """The same search's hits, verified since: they are the ones that are judged now. None when
    it is not remembered, or was another."""
    try:
        row = SearchLog.objects.filter(key=key[:24]).first()
        text = query.text.strip() if query.kind in {"text", "hybrid"} else ""
        if row is None or row.digest != query_digest(query.kind, text, _content(query)):
            return None
        row.hits = [hit.part.pk for hit in answer.results]
        row.n = len(row.hits)
        row.save(update_fields=["hits", "n"])
    except DatabaseError as error:
        log.warning("a search was not logged: %s", error)
        return None
    return row


@dataclass(frozen=True)
class Asked:
    """What a search was made with, to be kept: a mesh as it came, or a picture to be redrawn."""

    data: bytes
    suffix: str = ""
    crop: tuple[float, float, float, float] | None = None


class Writer:
    """One thread that writes rows and files, as long as not too many wait.

    Inside a transaction the row belongs to it, and is written at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: dict[Future[None], bool] = {}

    def write(self, row: SearchLog, file: Asked | None) -> bool:
        """Whether it will be written."""
        if connection.in_atomic_block:
            with transaction.atomic():
                _write(row, file)
            return True
        with self._lock:
            if len(self._waiting) >= WAITING_MOST:
                log.warning("a search was not logged: %s wait already", WAITING_MOST)
                return False
            if file and sum(self._waiting.values()) >= FILES_MOST:
                file = None
            # Begun here and not at import: a thread does not live on in a forked process.
            self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="search-log")
            future = self._pool.submit(self._one, row, file)
            self._waiting[future] = file is not None
        future.add_done_callback(self._done)
        return True

    def drain(self) -> None:
        """Wait until nothing waits."""
        with self._lock:
            waiting = list(self._waiting)
        wait(waiting)

    def _one(self, row: SearchLog, file: Asked | None) -> None:
        try:
            _write(row, file)
        except Exception as error:
            log.warning("a search was not logged: %s", error)
        finally:
            connection.close()  # this thread's; it may be a while until the next

    def _done(self, future: "Future[None]") -> None:
        with self._lock:
            self._waiting.pop(future, None)


_writer = Writer()


def _write(row: SearchLog, file: Asked | None) -> None:
    row.save(force_insert=True)
    # The row first: a hit may be judged before its picture is drawn anew.
    kept = file and (
        (file.suffix, file.data) if file.suffix else picture_kept(file.data, file.crop)
    )
    if kept:
        row.file = default_storage.save(f"{FOLDER}/{row.key}{kept[0]}", ContentFile(kept[1]))
        row.save(update_fields=["file"])


def _count(query: Query, answer: Answer) -> None:
    try:
        meters.search_seen(kind=query.kind, engine=answer.engine, took_ms=answer.took_ms)
    except OSError as error:
        log.warning("a search was not counted: %s", error)


def query_digest(kind: str, text: str = "", content: bytes = b"") -> str:
    """By this the same query is known again: its kind, its words as written, what was sent."""
    digest = hashlib.sha256(f"{kind}\0{text.strip()}\0".encode())
    digest.update(content)
    return digest.hexdigest()


def language_of(text: str) -> str:
    return script_of(text) if text.strip() else ""


def logs_prune(*, most: int = 20 * PRUNED) -> int:
    """Forget searches older than the configuration says, with their files. Returns how many."""
    days = settings.SEARCH.log.days
    if not days:
        return 0
    old = SearchLog.objects.filter(created_at__lt=timezone.now() - timedelta(days=days))
    done = 0
    while done < most and (rows := list(old.order_by("pk").only("file")[:PRUNED])):
        searches_delete(rows)
        done += len(rows)
    return done


def searches_delete(rows: Sequence[SearchLog]) -> None:
    """Forget searches, and what was asked with."""
    files = [row.file.name for row in rows if row.file]
    SearchLog.objects.filter(pk__in=[row.pk for row in rows]).delete()
    transaction.on_commit(lambda: [default_storage.delete(file) for file in files])


def _row(query: Query, answer: Answer, door: str, user: Any) -> SearchLog:
    named = _is_staff(user) or settings.SEARCH.log.people
    known = user if named and getattr(user, "pk", None) else None
    text = query.text.strip() if query.kind in {"text", "hybrid"} else ""
    return SearchLog(
        door=door,
        kind=query.kind,
        engine=answer.engine[:80],
        text=text[:500],
        language=language_of(text),
        digest=query_digest(query.kind, text, _content(query)),
        k=query.k or settings.SEARCH.search.default_k,
        n=len(answer.results),
        hits=[hit.part.pk for hit in answer.results],
        took_ms=answer.took_ms["total"],
        weak=answer.weak,
        user=known,
    )


def _is_staff(user: Any) -> bool:
    return bool(getattr(user, "is_staff", False))


def _content(query: Query) -> bytes:
    """What was sent, or enough of it to be known again."""
    if query.kind == "mesh" and query.mesh:
        return str(query.mesh.size).encode() + _head(query.mesh)
    if not query.image:
        return b""
    return hashlib.sha256(query.image).digest() + repr(query.crop).encode()


def _head(file: File) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _file(query: Query) -> Asked | None:
    """What to keep; None for nothing, or too much."""
    most = settings.SEARCH.log.keep_mb * MEGABYTE
    if query.kind == "mesh" and query.mesh:
        if query.mesh.size > most:
            return None
        query.mesh.seek(0)
        suffix = "".join(filter(str.isalnum, str(query.mesh.name).rpartition(".")[2].lower()))
        return Asked(query.mesh.read(), suffix=f".{suffix[:8] or 'stl'}")
    if not query.image or len(query.image) > most:
        return None
    return Asked(query.image, crop=query.crop)


def picture_kept(
    data: bytes, crop: tuple[float, float, float, float] | None
) -> tuple[str, bytes] | None:
    """The part of a photo that was asked with, upright and without what cameras write beside it.

    Where it was taken is nobody's business.
    """
    import cv2
    import numpy as np

    from search.engine.photo.decode import picture_decode
    from search.engine.photo.types import WHOLE, Box, PhotoLimits

    seen = picture_decode(data, limits=PhotoLimits(longest_side=LONGEST_SIDE))
    height, width = seen.picture.shape[:2]
    left, top, right, bottom = (Box(*crop) if crop else WHOLE).pixels(height, width)
    picture = seen.picture[top:bottom, left:right, ::-1]
    if seen.alpha is None:
        done, held = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        return (".jpg", held.tobytes()) if done else None
    alpha = seen.alpha[top:bottom, left:right, None]
    done, held = cv2.imencode(".png", np.concatenate([picture, alpha], axis=2))
    return (".png", held.tobytes()) if done else None

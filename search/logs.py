"""Remembers what was searched, so that staff see what people look for and can judge the hits.

The doors call `search_log` once the answer is ready; it never fails a search and hardly delays
one. What it keeps of people is in the configuration's section `log`.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import Error as DatabaseError
from django.db import connection, transaction
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
# A writer that holds SQLite for longer than this costs the log a row, not the user the time.
PATIENCE_MS = 200
LONGEST_SIDE = 1200  # pixels, of a picture that is kept
PRUNED = 1000  # rows at a time


def search_log(*, query: Query, answer: Answer, door: str, user: Any) -> SearchLog | None:
    """One row for a search that was answered; None when it is not logged."""
    _count(query, answer)
    if not settings.SEARCH.log.enabled:
        return None
    try:
        row = _row(query, answer, door, user)
        with _impatient(), transaction.atomic():
            row.save(force_insert=True)
    except Exception as error:
        # Whatever it is, the answer is ready and somebody waits for it.
        log.warning("a search was not logged: %s", error)
        return None
    return row


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
    while done < most and (rows := list(old.order_by("pk").values_list("pk", "file")[:PRUNED])):
        SearchLog.objects.filter(pk__in=[pk for pk, _file in rows]).delete()
        for _pk, file in rows:
            if file:
                default_storage.delete(file)
        done += len(rows)
    return done


def _row(query: Query, answer: Answer, door: str, user: Any) -> SearchLog:
    staff = bool(getattr(user, "is_staff", False))
    known = user if getattr(user, "pk", None) and (staff or settings.SEARCH.log.people) else None
    text = query.text.strip() if query.kind in {"text", "hybrid"} else ""
    row = SearchLog(
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
    if staff and answer.results and (kept := _kept(query)):
        suffix, data = kept
        row.file = default_storage.save(f"{FOLDER}/{row.key}{suffix}", ContentFile(data))
    return row


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


def _kept(query: Query) -> tuple[str, bytes] | None:
    """The file to keep as (suffix, bytes); None for none, or one too large."""
    most = settings.SEARCH.log.keep_mb * MEGABYTE
    if query.kind == "mesh" and query.mesh:
        if query.mesh.size > most:
            return None
        query.mesh.seek(0)
        suffix = "".join(filter(str.isalnum, str(query.mesh.name).rpartition(".")[2].lower()))
        return f".{suffix[:8] or 'stl'}", query.mesh.read()
    if not query.image or len(query.image) > most:
        return None
    return picture_kept(query.image, query.crop)


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


@contextmanager
def _impatient() -> Iterator[None]:
    """Inside, SQLite gives up soon on a lock that another process holds."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = connection.settings_dict.get("OPTIONS", {}).get("timeout", 5)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    try:
        yield
    finally:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {int(usual * 1000)}")
        except DatabaseError as error:
            log.warning("the database's patience was not set back: %s", error)

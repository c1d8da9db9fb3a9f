"""The indices of this process: for each space the newest snapshot, and the tail after it.

Before each search one query asks for the space's last sequence number and its newest snapshot;
rows this process has not seen are read then. So a part is findable by the next query after its
commit, in every process, and nothing needs to be told to anyone. The files can all be lost: the
rows give them back.
"""

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from catalog.errors import ServiceError
from search import embeddings, engines
from search.models import Snapshot, Space

if TYPE_CHECKING:
    from search.engine.encoders import space as engine_space
    from search.engine.index.snapshot import Snapshot as IndexSnapshot
    from search.engine.index.space_index import SpaceIndex

log = logging.getLogger(__name__)


@dataclass
class Held:
    """One space's index in this process."""

    index: "SpaceIndex"
    version: str = ""  # of the snapshot in use; "" is none
    lock: threading.Lock = field(default_factory=threading.Lock)  # of reading the tail
    switching: threading.Lock = field(default_factory=threading.Lock)


@cache
def _held(key: str, d: int) -> Held:
    from search.engine.index.space_index import SpaceIndex

    return Held(SpaceIndex(d))


def index_current(space: "engine_space.Space") -> "SpaceIndex":
    """The space's index, up to the last commit."""
    held = _held(space.key, space.d)
    version = Snapshot.objects.filter(space=OuterRef("pk")).values("version")[:1]
    row = Space.objects.filter(key=space.key).annotate(newest=Subquery(version)).first()
    if row is None:
        return held.index
    newest = row.newest or ""
    if newest != held.version:
        _snapshot_follow(held, row, newest)
    with held.lock:
        if held.index.watermark < row.last_seq:
            _tail_read(held, row)
    return held.index


def _snapshot_follow(held: Held, row: Space, newest: str) -> None:
    """One thread opens the new snapshot; the others go on with the old one, if they have one."""
    if held.switching.acquire(blocking=not held.version):
        try:
            if newest != held.version:
                _snapshot_switch(held, row, newest)
        finally:
            held.switching.release()


def _snapshot_switch(held: Held, row: Space, version: str) -> None:
    """Use the snapshot `version`; without its files, go on with what is held."""
    from search.engine.errors import SnapshotError

    try:
        snapshot = _open(row, version, gpu=engines.gpu_config())
    except SnapshotError as error:
        log.warning("snapshot %s of %s cannot be used: %s", version, row.key, error)
        Snapshot.objects.filter(space=row, version=version).delete()
        held.version = row.snapshots.values_list("version", flat=True).first() or ""
        if held.version:
            _snapshot_switch(held, row, held.version)
        return
    held.index.snapshot_set(snapshot)
    held.version = version


def _tail_read(held: Held, row: Space) -> None:
    if not held.version and row.last_seq - held.index.watermark > rebuild_at_once():
        # No snapshot and many rows: the files were lost, or never made. Made here and now, they
        # cost less memory than a tail of the whole gallery, and the next process finds them.
        try:
            newest = index_compact(row.key).version
        except OSError as error:
            # A disk that is full, or read only. Memory it is, rather than no answer.
            log.error("no snapshot of %s can be written: %s", row.key, error)
        else:
            _snapshot_switch(held, row, newest)
    for batch in embeddings.rows_after(row, held.index.watermark, until=row.last_seq):
        held.index.rows_append(batch)


def snapshots_root() -> Path:
    return settings.INDICES


def rebuild_at_once() -> int:
    return 5 * settings.SEARCH.faiss.compact_rows


# Compaction -------------------------------------------------------------------------------------


def index_compact(space_key: str) -> Snapshot:
    """Build a snapshot of the space up to now, beside the one in use, and make it the newest.

    Searches go on meanwhile with what they have. Two builds of a space at once on one machine
    take turns; the second finds nothing to do. Nothing is to do, either, when no row came since
    the newest was built as the configuration says.
    """
    from search.engine.index.snapshot import snapshot_build, snapshots_prune

    space = Space.objects.filter(key=space_key).first()
    if space is None:
        raise ServiceError("space_unknown", status=404, space=space_key)
    with _build_lock(space_key):
        space.refresh_from_db()
        watermark = space.last_seq
        newest = space.snapshots.first()
        config = engines.index_config()
        same = (
            newest
            and newest.watermark == watermark
            and newest.manifest.get("config") == asdict(config)
        )
        if same and _exists(newest):
            return newest
        version = f"{watermark:012d}-{timezone.now():%Y%m%dT%H%M%S%f}"
        manifest = snapshot_build(
            snapshots_root(),
            embeddings.rows_after(space, 0, until=watermark),
            space_key=space_key,
            d=space.d,
            config=config,
            version=version,
        )
        snapshot = Snapshot.objects.create(
            space=space,
            version=version,
            watermark=watermark,
            rows=manifest.rows,
            manifest=asdict(manifest),
        )
        wanted = list(
            space.snapshots.values_list("version", flat=True)[: settings.SEARCH.faiss.keep]
        )
        space.snapshots.exclude(version__in=wanted).delete()
        snapshots_prune(snapshots_root(), space_key, wanted=wanted)
    return snapshot


def snapshot_fresh(space: Space) -> "IndexSnapshot":
    """The newest snapshot, up to now, opened; one that was damaged is built anew."""
    from search.engine.errors import SnapshotError

    newest = index_compact(space.key)
    try:
        return _open(space, newest.version)
    except SnapshotError:
        newest.delete()
        return _open(space, index_compact(space.key).version)


def _open(space: Space, version: str, **how: Any) -> "IndexSnapshot":
    from search.engine.index.snapshot import snapshot_open

    folder = snapshots_root() / space.key / version
    return snapshot_open(folder, space_key=space.key, d=space.d, **how)


def _exists(snapshot: Snapshot) -> bool:
    """Whether its files are there in their sizes; who opens them compares every byte."""
    folder = snapshots_root() / snapshot.space.key / snapshot.version
    try:
        return (folder / "manifest.json").is_file() and all(
            (folder / name).stat().st_size == fact["size"]
            for name, fact in snapshot.manifest.get("files", {}).items()
        )
    except OSError:
        return False


@contextmanager
def _build_lock(space_key: str) -> Iterator[None]:
    folder = snapshots_root() / space_key
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def spaces_to_compact(*, missing_only: bool = False) -> list[str]:
    """Keys of the spaces whose tail has outgrown its share, or whose snapshot's files are gone."""
    faiss = settings.SEARCH.faiss
    due = []
    for space in Space.objects.all():
        newest = space.snapshots.first()
        if newest and not _exists(newest):
            due.append(space.key)
            continue
        tail = space.last_seq - (newest.watermark if newest else 0)
        most = max(faiss.compact_rows, faiss.compact_share * (newest.rows if newest else 0))
        if not missing_only and tail > most:
            due.append(space.key)
    return due


def index_facts() -> list[dict[str, Any]]:
    """Each space's snapshot and what came after it, for /api/indices/ and the admin."""
    facts = []
    for space in Space.objects.order_by("key"):
        newest = space.snapshots.first()
        facts.append(
            {
                "space": space.key,
                "encoder": space.encoder,
                "dimensions": space.d,
                "parts": space.embeddings.count(),
                "last_seq": space.last_seq,
                "lag": space.last_seq - (newest.watermark if newest else 0),
                "snapshot": newest
                and {
                    "version": newest.version,
                    "watermark": newest.watermark,
                    "rows": newest.rows,
                    "made": newest.created_at,
                    **newest.manifest,
                },
            }
        )
    return facts

"""Batches: an archive of photos is kept at once, and read by a worker into inspections.

Reading goes on where a worker that died stopped: a piece that is there already is not made again.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.files import local_path
from catalog.models import Part
from catalog.queue import LATER, LOST_AFTER, SOON, enqueue
from search.engine.errors import MeshError
from search.engine.mesh.archive import Archive, ArchiveLimits, Member
from search.inspection.claims import task_claim, task_end, task_fail, task_renew, tasks_sweep
from search.inspection.naming import (
    Piece,
    is_photo,
    numbers_possible,
    pieces_by_name,
    pieces_listed,
    pieces_of_one,
)
from search.inspection.services import PhotoSent, inspection_create, part_checked, text_clean
from search.models import Inspection, InspectionBatch

READ = "workers.batch_read"
REFUSED_MOST = 500  # kept with a batch; the rest are counted
LOOKED_UP = 500  # numbers asked for at once
LISTED_MOST = 2 * 1024 * 1024  # characters of a list of pieces

State = InspectionBatch.State


def batch_create(
    *,
    archive: Any = None,
    photos: Sequence[Any] = (),
    part: Part | None = None,
    pieces: str = "",
    threshold: float | None = None,
    name: str = "",
    by: Any = None,
) -> InspectionBatch:
    """Keep an uploaded zip, or loose photos, and queue its reading.

    `pieces` is a JSON list that says which photos are which piece (`naming.pieces_listed`);
    without it their names do. Raises `ServiceError` for what is no zip of photos.
    """
    if (archive is None) == (not photos):
        raise ServiceError("batch_one")
    if part is not None:
        part_checked(part)
    with TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as packed:
        if archive is None:
            _pack(photos, packed)
        source = archive if archive is not None else packed
        with _archive(source) as read:
            names = [member.name for member in read.members if is_photo(member.name)]
        if not names:
            raise ServiceError("batch_empty")
        listed = _listed(pieces, names)
        batch = InspectionBatch(
            name=text_clean(name or getattr(archive, "name", "") or "")[:200],
            part=part,
            pieces=listed,
            threshold_asked=threshold,
            by=by if getattr(by, "pk", None) else None,
            resend_at=timezone.now() + LOST_AFTER,
        )
        folder = f"inspections/batches/{batch.uuid.hex[:2]}"
        try:
            source.seek(0)
            batch.file = default_storage.save(f"{folder}/{batch.uuid.hex}.zip", File(source))
        except OSError as error:
            raise ServiceError("storage_away", status=503) from error
    with transaction.atomic():
        batch.save(force_insert=True)
        enqueue(READ, batch.pk, priority=SOON)
    return batch


def _pack(photos: Sequence[Any], packed: BinaryIO) -> None:
    """Loose photos as a zip of their own; of one name, the later ones get a number."""
    taken: set[str] = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as out:
        for file in photos:
            pure = PurePosixPath(str(file.name).replace("\\", "/"))
            name, again = pure.name, 1
            while name in taken:
                again += 1
                name = f"{pure.stem} ({again}){pure.suffix}"
            taken.add(name)
            with out.open(name, "w") as member:
                for chunk in file.chunks():
                    member.write(chunk)


def _listed(pieces: str, names: Sequence[str]) -> Any:
    if not pieces.strip():
        return None
    try:
        listed = json.loads(pieces) if len(pieces) <= LISTED_MOST else None
    except (ValueError, RecursionError):
        listed = None
    if pieces_listed(listed, names) is None:
        raise ServiceError("batch_list")
    return listed


@contextmanager
def _archive(source: Path | BinaryIO) -> Iterator[Archive]:
    limits = settings.SEARCH.limits
    members = min(limits.archive_members, 10 * settings.SEARCH.inspection.batch_pieces)
    try:
        with Archive(source, ArchiveLimits(members, limits.archive_mb)) as archive:
            yield archive
    except MeshError as error:
        raise ServiceError(error.code, **error.params) from error


# Reading ----------------------------------------------------------------------------------------


def batch_read(batch_id: int) -> None:
    """Make the inspections of a batch. Nothing when it is read, or another worker's."""
    batch = task_claim(InspectionBatch, batch_id)
    if batch is None:
        return
    try:
        with local_path(batch.file) as path, _archive(path) as archive:
            refused = _pieces_make(batch, archive)
    except ServiceError as error:
        task_fail(batch, error.code, error.params)
        return
    except OSError:
        task_fail(batch, "storage_away", {})
        return
    task_end(batch, refused=refused)


def batches_sweep(*, starting: bool = False) -> int:
    """Send again what a dead worker or a lost message left unread. Returns how many."""
    return tasks_sweep(InspectionBatch, READ, starting=starting)


def _pieces_make(batch: InspectionBatch, archive: Archive) -> list[dict[str, Any]]:
    """Inspections of the archive's pieces; what could not be taken in, with why."""
    photos = {member.name: member for member in archive.members if is_photo(member.name)}
    pieces, parts = _planned(batch, sorted(photos))
    most = settings.SEARCH.inspection.batch_pieces
    if len(pieces) > most:
        raise ServiceError("batch_too_large", found=len(pieces), most=most)
    if not task_renew(batch, total=len(pieces)):
        return []
    made = set(batch.inspections.values_list("batch_key", flat=True))
    refused: list[dict[str, Any]] = []
    for piece in pieces:
        if piece.key in made:
            continue
        try:
            _piece_make(batch, piece, parts.get(piece.number), archive, photos)
        except ServiceError as error:
            shown = piece.names[0] if len(piece.names) == 1 else piece.piece or piece.names[0]
            params = {key: str(value)[:200] for key, value in error.params.items()}
            refused.append({"name": shown[:300], "code": error.code, "params": params})
        if not task_renew(batch, refused=refused[:REFUSED_MOST]):
            break  # it is another worker's by now
    return refused[:REFUSED_MOST]


def _planned(
    batch: InspectionBatch, names: list[str]
) -> tuple[list[Piece], Mapping[str, Part | None]]:
    """The pieces, and the part of each `number` in them; None where several parts have it."""
    if batch.pieces is not None:
        pieces = pieces_listed(batch.pieces, names) or []
        return pieces, _parts({piece.number for piece in pieces}) | _parts_by_id(pieces)
    if batch.part is not None:
        return pieces_of_one(names), {"": batch.part}
    parts = _parts(numbers_possible(names))
    return pieces_by_name(names, parts), parts


def _parts(numbers: set[str]) -> dict[str, Part | None]:
    found: dict[str, Part | None] = {}
    wanted = sorted(number for number in numbers if number and len(number) <= 80)
    for first in range(0, len(wanted), LOOKED_UP):
        rows = Part.objects.present().filter(number__in=wanted[first : first + LOOKED_UP])
        for part in rows.select_related("category"):
            found[part.number] = None if part.number in found else part
    return found


def _parts_by_id(pieces: Sequence[Piece]) -> dict[str, Part | None]:
    uuids = {}
    for piece in pieces:
        try:
            uuids[UUID(piece.number)] = piece.number
        except ValueError:
            continue
    rows = Part.objects.present().filter(uuid__in=list(uuids)).select_related("category")
    return {uuids[part.uuid]: part for part in rows}


def _piece_make(
    batch: InspectionBatch,
    piece: Piece,
    part: Part | None,
    archive: Archive,
    photos: Mapping[str, Member],
) -> None:
    if part is None:
        raise ServiceError("batch_no_part", number=piece.number or piece.piece)
    inspection_create(
        part=part,
        photos=[_photo(archive, photos[name]) for name in piece.names[:5]],
        threshold=batch.threshold_asked,
        piece=piece.piece,
        batch=batch,
        batch_key=piece.key,
        by=batch.by,
        priority=LATER,
    )


def _photo(archive: Archive, member: Member) -> PhotoSent:
    most = settings.SEARCH.limits.picture_mb
    if member.size > most << 20:
        raise ServiceError("picture_too_large", status=413, most=most)
    data = io.BytesIO()
    try:
        archive.extract(member, data)
    except MeshError as error:
        raise ServiceError(error.code, **error.params) from error
    return PhotoSent(data.getvalue(), PurePosixPath(member.name).name)


# Looking ----------------------------------------------------------------------------------------


def batches() -> QuerySet[InspectionBatch]:
    """The newest first."""
    return InspectionBatch.objects.select_related("part", "by")


def batches_counted(rows: Sequence[InspectionBatch]) -> list[InspectionBatch]:
    """The same rows, each with `counts` of its inspections: one query for all of them."""
    states = Inspection.State
    unsure = Q(similarity__isnull=True) | Q(similarity__lt=F("threshold"))
    wanted = {
        "inspections": Q(),
        "finished": Q(state__in=(states.DONE, states.FAILED)),
        "failed": Q(state=states.FAILED),
        "alert": Q(state=states.DONE) & unsure,
        **{verdict: Q(verdict=verdict) for verdict in ("pass", "review", "fail")},
    }
    grouped = (
        Inspection.objects.filter(batch__in=rows)
        .order_by()
        .values("batch")
        .annotate(**{f"n_{name}": Count("pk", filter=which) for name, which in wanted.items()})
    )
    by = {row["batch"]: row for row in grouped}
    for batch in rows:
        row = by.get(batch.pk, {})
        batch.counts = {name: row.get(f"n_{name}", 0) for name in wanted}  # type: ignore[attr-defined]
    return list(rows)


def batch_get(uuid: UUID | str) -> InspectionBatch:
    """Raises `ServiceError` (404)."""
    found = batches().filter(uuid=uuid).first()
    if found is None:
        raise ServiceError("batch_unknown", status=404)
    return batches_counted([found])[0]


def batch_progress(batch: Any) -> float:
    """0 to 1, of a counted batch: reading it is a twentieth of the work."""
    if batch.state == State.FAILED:
        return 1.0
    if not batch.total:
        return 1.0 if batch.finished else 0.0
    refused = len(batch.refused)
    taken = (batch.counts["inspections"] + refused) / batch.total
    done = (batch.counts["finished"] + refused) / batch.total
    return round(min(1.0, 0.05 * taken + 0.95 * done), 4)

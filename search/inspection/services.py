"""Everything that is written of inspections.

Photos are saved before work is queued. A run is claimed, writes its results in one transaction,
and only if nobody asked for another run meanwhile; a worker that dies leaves a claim that another
one takes over.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.queue import LOST_AFTER, NOW, enqueue
from search import engines
from search.inspection.claims import (
    task_again,
    task_claim,
    task_end,
    task_fail,
    task_later,
    task_renew,
    tasks_sweep,
)
from search.inspection.learning import learning_ask
from search.inspection.limits import asked_of
from search.inspection.naming import SUFFIXES
from search.inspection.running import folder_of, inspection_look
from search.inspection.simulating import simulation_ask
from search.models import Inspection, InspectionBatch, InspectionPhoto

log = logging.getLogger(__name__)

MOST_PHOTOS = 4
RUN = "workers.inspection_run"
# What a run writes of a photo; the rest is what came, and what people corrected.
FOUND = sorted(
    {field.name for field in InspectionPhoto._meta.concrete_fields} - InspectionPhoto.SAID
)
POLL_S = 0.05
NOTE_LENGTH, PIECE_LENGTH = 2000, 120


@dataclass(frozen=True)
class PhotoSent:
    """A photo as it came: its bytes and the name it had."""

    data: bytes
    name: str = ""


def photo_sent(file: Any) -> PhotoSent:
    """An uploaded file, refused before it is read when it is too large."""
    most = settings.SEARCH.limits.picture_mb
    if file.size > most * 1024 * 1024:
        raise ServiceError("picture_too_large", status=413, most=most)
    file.seek(0)
    return PhotoSent(file.read(), PurePath(str(file.name).replace("\\", "/")).name[:300])


def inspection_create(
    *,
    part: Part,
    photos: Sequence[PhotoSent],
    threshold: float | None = None,
    piece: str = "",
    batch: InspectionBatch | None = None,
    batch_key: str = "",
    by: Any = None,
    priority: int = NOW,
) -> Inspection:
    """Keep the photos of a piece and queue its inspection.

    Raises `ServiceError` when the part cannot be inspected yet or any more, for no photos or more
    than MOST_PHOTOS, for a file that is no picture, and (503) when the storage takes none.
    """
    part_checked(part)
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise ServiceError("photos_count", found=len(photos), limit=MOST_PHOTOS)
    for photo in photos:
        photo_checked(photo)
    inspection = Inspection(
        part=part,
        batch=batch,
        batch_key=batch_key,
        piece=text_clean(piece)[:PIECE_LENGTH],
        threshold_asked=threshold,
        resend_at=timezone.now() + LOST_AFTER,
        by=by if getattr(by, "pk", None) else None,
    )
    rows = []
    for place, photo in enumerate(photos):
        digest = hashlib.sha256(photo.data).hexdigest()
        suffix = PurePath(photo.name).suffix.lower()
        suffix = suffix if suffix in SUFFIXES else ".jpg"
        name = f"{folder_of(inspection)}/{place}-{digest[:16]}{suffix}"
        rows.append(
            InspectionPhoto(
                inspection=inspection,
                place=place,
                file=storage_save(name, photo.data),
                file_name=text_clean(photo.name)[:300],
                sha256=digest,
            )
        )
    with transaction.atomic():
        inspection.save(force_insert=True)
        InspectionPhoto.objects.bulk_create(rows)
        enqueue(RUN, inspection.pk, priority=priority)
    return inspection


def part_checked(part: Part) -> None:
    """The part can be compared with photos. Raises `ServiceError`."""
    if part.deleted_at is not None:
        raise ServiceError("part_unknown", status=404)
    if part.status == Part.Status.FAILED:
        raise ServiceError("part_failed", status=409)
    if part.status != Part.Status.READY:
        raise ServiceError("part_not_ready", status=409)


def photo_checked(photo: PhotoSent) -> None:
    """The bytes are a picture that can be inspected. Raises `ServiceError`."""
    from search.engine.qc.inspect import inspection_photo_read
    from search.engine.qc.read import LONGEST_SIDE

    if not photo.data:
        raise ServiceError("image_missing")
    limits = replace(engines.photo_limits(), longest_side=LONGEST_SIDE)
    with engines.engine_errors():
        inspection_photo_read(photo.data, limits=limits)


def text_clean(text: str) -> str:
    """One line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def storage_save(name: str, data: bytes) -> str:
    try:
        return default_storage.save(name, ContentFile(data))
    except OSError as error:
        log.warning("%s was not kept: %s", name, error)
        raise ServiceError("storage_away", status=503) from error


# Runs -------------------------------------------------------------------------------------------


def inspection_run(inspection_id: int) -> None:
    """Look at an inspection's photos and keep the verdict. Nothing when it is done, or another's.

    What goes wrong is the inspection's end, and stands in its row.
    """
    inspection = task_claim(Inspection, inspection_id)
    if inspection is None:
        return
    if inspection.part.deleted_at is not None:
        task_fail(inspection, "part_unknown", {})
        return
    started = time.monotonic()

    def progress(place: int, stage: str) -> None:
        # Without a hold on it any more, the work is another's: what it writes is not kept.
        task_renew(inspection, stage_photo=place, stage=stage)

    try:
        asked = asked_of(inspection.part, threshold=inspection.threshold_asked)
        fields, photos = inspection_look(inspection, asked, progress=progress)
    except OSError as error:
        log.warning("inspection %s waits for its files: %s", inspection_id, error)
        task_later(inspection, RUN, "storage_away")
        return
    except ServiceError as error:
        if error.code == "storage_away":
            task_later(inspection, RUN, error.code)
        else:
            task_fail(inspection, error.code, error.params)
        return
    except Exception:
        log.exception("inspection %s failed", inspection_id)
        task_fail(inspection, "internal", {})
        return
    fields["took_ms"] = {"total": round((time.monotonic() - started) * 1000, 1)}
    with transaction.atomic():
        if not task_end(inspection, **fields, stage="", untold=True):
            return
        InspectionPhoto.objects.bulk_update(photos, FOUND)
        enqueue("workers.inspection_tell", inspection.pk, priority=NOW)
        simulation_ask(inspection.part_id)
        # Its odds are others now: what was decided of it is learnt from anew.
        decided = Inspection.objects.filter(pk=inspection.pk).exclude(decision="")
        if decided.update(unlearnt=True):
            learning_ask(inspection.part_id)


def inspections_sweep(*, starting: bool = False) -> int:
    """Send again what a dead worker or a lost message left behind. Returns how many."""
    return tasks_sweep(Inspection, RUN, starting=starting)


def inspection_wait(inspection: Inspection, *, seconds: float) -> Inspection:
    """The inspection as it is when it is finished, or `seconds` later."""
    until = time.monotonic() + seconds
    while not inspection.finished and time.monotonic() < until:
        time.sleep(POLL_S)
        inspection.refresh_from_db(fields=["state"])
    inspection.refresh_from_db()
    return inspection


@transaction.atomic
def inspection_again(inspection: Inspection) -> None:
    """Run it anew: what was found before stays to be seen until the new verdict is there, and is
    remembered then. A run that goes on is outdated by it, not waited for.

    Raises `ServiceError` when the part cannot be inspected any more.
    """
    held = Inspection.objects.select_for_update().select_related("part").get(pk=inspection.pk)
    part_checked(held.part)
    Inspection.objects.filter(pk=held.pk).update(earlier=earlier_with(held), stage="")
    task_again(inspection, RUN)


def inspection_as(inspection: Inspection, part: Part, *, by: Any = None) -> Inspection:
    """Inspect the same photos as a piece of another part. Raises what `inspection_create` does."""
    photos = []
    for photo in inspection.photos.all():
        try:
            with photo.file.open("rb") as file:
                photos.append(PhotoSent(file.read(), photo.file_name))
        except OSError as error:
            raise ServiceError("storage_away", status=503) from error
    return inspection_create(part=part, photos=photos, piece=inspection.piece, by=by)


def earlier_with(inspection: Inspection) -> list[dict[str, Any]]:
    """What earlier runs found, with what is found now; that once, however often it is asked."""
    kept = list(inspection.earlier)
    if inspection.state != Inspection.State.DONE or inspection.finished_at is None:
        return kept
    photos = inspection.photos.values("place", "overlay", "drawn", "mask")
    run = {
        "revision": inspection.revision,
        "verdict": inspection.verdict,
        "similarity": inspection.similarity,
        "finished_at": inspection.finished_at.isoformat(),
        "photos": [photo for photo in photos.order_by("place") if photo["overlay"]],
    }
    return [*kept, run][-Inspection.EARLIER_MOST :]


# What people say --------------------------------------------------------------------------------


def inspection_decide(
    inspection: Inspection, *, decision: str | None = None, note: str | None = None, by: Any = None
) -> None:
    """What a person says of the piece, and a note; None leaves either as it is."""
    fields: dict[str, Any] = {}
    if decision is not None:
        if decision not in Inspection.Decision.values:
            known = ", ".join(value for value in Inspection.Decision.values if value)
            raise ServiceError("choice_unknown", name=decision[:40], known=known)
        undone = decision == Inspection.Decision.OPEN
        fields |= {
            "decision": decision,
            "decided_by": None if undone or not getattr(by, "pk", None) else by,
            "decided_at": None if undone else timezone.now(),
        }
    if note is not None:
        fields["note"] = note.strip()[:NOTE_LENGTH]
    if not fields:
        return
    with transaction.atomic():
        if decision is not None:
            fields["unlearnt"] = True
            learning_ask(inspection.part_id)
        Inspection.objects.filter(pk=inspection.pk).update(**fields)
    inspection.refresh_from_db()


def inspection_erase(inspection: Inspection) -> None:
    """Delete an inspection, what was learnt from it, its photos and pictures, for good."""
    with transaction.atomic():
        learning_ask(inspection.part_id)
        Inspection.objects.filter(pk=inspection.pk).delete()
        transaction.on_commit(partial(folder_delete, folder_of(inspection)))


def folder_delete(folder: str) -> None:
    """Delete the files of a folder of the storage; what cannot be deleted is left, and logged."""
    try:
        _folders, names = default_storage.listdir(folder)
        for name in names:
            default_storage.delete(f"{folder}/{name}")
    except OSError as error:
        log.warning("%s was not deleted: %s", folder, error)

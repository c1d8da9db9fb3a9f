"""Everything that is written to the catalogue, each in one short transaction.

Bytes are saved before work is queued; ids, never rows, are queued, and only after the commit.
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import ApiToken, Category, Part, PipelineStep, Suggestion
from catalog.queue import LATER, LOST_AFTER, SOON, enqueue
from catalog.words import terms_write

log = logging.getLogger(__name__)

HEAD = 4096  # bytes looked at before a file is accepted
EDITABLE = frozenset({"name", "name_zh", "number", "description", "tags", "category", "unit"})
TAGS, TAG_LENGTH = 50, 60
NUMBER_NAME = re.compile(r"[A-Za-z]{0,4}-?\d{4,12}(?:[-_.]?[A-Za-z0-9]{1,6}){0,3}")


# Parts ------------------------------------------------------------------------------------------


def part_upload(
    *,
    file: UploadedFile | File,
    name: str = "",
    name_zh: str = "",
    number: str = "",
    description: str = "",
    category: Category | None = None,
    tags: Iterable[str] = (),
    owner: AbstractBaseUser | None = None,
    priority: int = SOON,
) -> tuple[Part, bool]:
    """Keep an uploaded mesh and queue its processing. Returns the part and whether it is new.

    Bytes that are here already give the part that holds them, out of the trash if it was there;
    two uploads of the same bytes at once give one part; `priority` is that of its work. Raises
    `ServiceError` for what cannot be a mesh, and (503) when the storage does not take it.
    """
    suffix = _sniff(file)
    file_name = PurePath(str(file.name).replace("\\", "/")).name
    digest = _sha256(file)
    if part := Part.objects.filter(sha256=digest).first():
        return _part_again(part), False

    stored = f"meshes/{digest[:2]}/{digest}{suffix}"
    try:
        if not default_storage.exists(stored):
            file.seek(0)
            stored = default_storage.save(stored, file)
    except OSError as error:
        log.warning("%s was not kept: %s", stored, error)
        raise ServiceError("storage_away", status=503) from error
    part = Part(
        name=_clip(name, "name") or _name_from(file_name),
        name_zh=_clip(name_zh, "name_zh"),
        number=_clip(number, "number") or _number_from(file_name),
        description=description,
        tags=tags_clean(tags),
        category=category,
        owner=owner if owner and owner.pk else None,
        file=stored,
        file_name=file_name[:300],
        file_size=file.size,
        sha256=digest,
        resend_at=timezone.now() + LOST_AFTER,
    )
    try:
        with transaction.atomic():
            part.save(force_insert=True)
            terms_write(part)
            enqueue("workers.part_ingest", part.pk, priority=priority)
    except IntegrityError:
        # The other of two uploads at once was first: its row stands for both. The file is the
        # same file unless storage had to give ours another name.
        winner = Part.objects.get(sha256=digest)
        if stored != winner.file.name:
            default_storage.delete(stored)
        return winner, False
    return part, True


def _sniff(file: File) -> str:
    """The suffix to keep the file under, by its first bytes and its name; or a refusal."""
    from search.engine.errors import MeshError
    from search.engine.mesh.sniff import format_sniff

    file.seek(0)
    head = file.read(HEAD)
    try:
        mesh_format = format_sniff(head, str(file.name), file.size)
    except MeshError as error:
        raise ServiceError(error.code, **error.params) from error
    return "." + mesh_format.split("-")[0]


def _sha256(file: File) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks(1024 * 1024):
        digest.update(chunk)
    return digest.hexdigest()


def _part_again(part: Part) -> Part:
    if part.deleted_at:
        part_restore(part=part)
    return part


def _name_from(file_name: str) -> str:
    stem = _clip(PurePath(file_name).stem.replace("_", " "), "name")
    return stem or "part"


def _number_from(file_name: str) -> str:
    """The part number a file is named by (R8107490.stl), when its whole name is one."""
    stem = PurePath(file_name).stem
    return stem if NUMBER_NAME.fullmatch(stem) else ""


def _clip(text: str, field: str) -> str:
    """The text without control characters, as long as the field may be."""
    clean = "".join(c for c in text if c.isprintable()).strip()
    return clean[: Part._meta.get_field(field).max_length]


def tags_clean(tags: Iterable[str]) -> list[str]:
    """Trimmed, without doubles, the order kept."""
    clean = (" ".join(str(tag).split())[:TAG_LENGTH] for tag in tags)
    return list(dict.fromkeys(tag for tag in clean if tag))[:TAGS]


@transaction.atomic
def part_update(*, part: Part, **fields: Any) -> Part:
    """Change what people say of a part; its words find it at once.

    A new unit rescales the geometry facts: they are kept in millimetres.
    """
    if unknown := fields.keys() - EDITABLE:
        raise ServiceError("field_unknown", fields=", ".join(sorted(unknown)))
    part = Part.objects.select_for_update().get(pk=part.pk)
    if "unit" in fields:
        _unit_change(part, Part.Unit(fields.pop("unit")))
    refiled = fields.get("category", part.category) != part.category
    for field, value in fields.items():
        if field == "tags":
            value = tags_clean(value)
        elif field in {"name", "name_zh", "number"}:
            value = _clip(value, field)
        setattr(part, field, value)
    if not part.name:
        raise ServiceError("name_missing")
    part.save()
    terms_write(part)
    if refiled:
        _suggestions_settle(part)
        enqueue("workers.suggestions_around", part.pk)
    return part


def _unit_change(part: Part, unit: Part.Unit) -> None:
    factor = Part.UNIT_MM[unit] / Part.UNIT_MM[Part.Unit(part.unit)]
    for field, power in (("size_x", 1), ("size_y", 1), ("size_z", 1), ("area_mm2", 2),
                         ("volume_mm3", 3)):  # fmt: skip
        if (value := getattr(part, field)) is not None:
            setattr(part, field, value * factor**power)
    if part.centroid_mm:
        part.centroid_mm = [value * factor for value in part.centroid_mm]
    part.unit, part.unit_assumed = unit, False
    _compare_again(part)


def _compare_again(part: Part) -> None:
    """What the part is beside others is asked again, in the background."""
    part.steps.filter(step=PipelineStep.Step.COMPARE, state=PipelineStep.State.DONE).update(
        state=PipelineStep.State.WAITING
    )


@transaction.atomic
def part_delete(*, part: Part) -> None:
    """Into the trash: nothing finds it, nothing of it is lost."""
    part.deleted_at = timezone.now()
    part.save(update_fields=["deleted_at", "updated_at"])
    terms_write(part)
    enqueue("workers.duplicates_left", part.pk)


@transaction.atomic
def part_restore(*, part: Part) -> None:
    part.deleted_at = None
    part.save(update_fields=["deleted_at", "updated_at"])
    terms_write(part)
    _compare_again(part)
    if part.status in {Part.Status.QUEUED, Part.Status.PROCESSING}:
        enqueue("workers.part_ingest", part.pk)
    elif part.status == Part.Status.READY:
        enqueue("workers.part_restored", part.pk)


def parts_reprocess(parts: Sequence[int], *, step: PipelineStep.Step | None = None) -> None:
    """Queue these parts again, from `step` on; without one, from the first that is not done."""
    order = list(PipelineStep.Step)
    again = order[order.index(step) :] if step else []
    now = timezone.now()
    with transaction.atomic():
        steps = PipelineStep.objects.filter(part__in=parts)
        (steps.filter(step__in=again) if again else steps.exclude(state="done")).update(
            state=PipelineStep.State.WAITING, attempts=0, error_code="", error_params={}
        )
        Part.objects.filter(pk__in=parts).update(
            status=Part.Status.QUEUED, error_code="", error_params={}, claimed_by="",
            resend_at=now + LOST_AFTER,
        )  # fmt: skip
        # One that somebody asked for is not put behind thousands.
        priority = SOON if len(parts) == 1 else LATER
        for part in parts:
            enqueue("workers.part_ingest", part, priority=priority)


def part_retry(*, part: Part, step: PipelineStep.Step | None = None) -> None:
    """Try a part again. One that a worker holds right now is left to it."""
    if part.status == Part.Status.PROCESSING and part.resend_at and part.resend_at > timezone.now():
        raise ServiceError("part_busy", status=409)
    parts_reprocess([part.pk], step=step)


# Categories and suggestions ---------------------------------------------------------------------


@transaction.atomic
def category_create(
    *, name: str, name_zh: str = "", prompts: Iterable[str] = (), parent: Category | None = None
) -> Category:
    name = " ".join(name.split())[:120]
    if not name:
        raise ServiceError("name_missing")
    if Category.objects.filter(name__iexact=name).exists():
        raise ServiceError("category_exists", status=409, name=name)
    category = Category.objects.create(
        name=name, name_zh=" ".join(name_zh.split())[:120], prompts=tags_clean(prompts),
        parent=parent,
    )  # fmt: skip
    enqueue("workers.suggestions_renew")
    return category


@transaction.atomic
def category_update(*, category: Category, **fields: Any) -> Category:
    """Change a category; the words of its parts, and suggestions, follow in the background."""
    for field, value in fields.items():
        setattr(category, field, value)
    category.save()
    enqueue("workers.category_words", category.pk)
    enqueue("workers.suggestions_renew")
    return category


@transaction.atomic
def category_delete(*, category: Category) -> None:
    """Its parts are filed nowhere, and get suggestions again in the background."""
    enqueue("workers.suggestions_renew")
    category.delete()


def category_words_write(category_id: int) -> None:
    """Make the category's parts findable by its present names, a few at a time."""
    parts = Part.objects.present().filter(category=category_id).select_related("category")
    last = 0
    while some := list(parts.filter(pk__gt=last).order_by("pk")[:200]):
        with transaction.atomic():
            for part in some:
                terms_write(part)
        last = some[-1].pk


@transaction.atomic
def suggestion_accept(*, suggestion: Suggestion) -> None:
    """The category becomes the part's: the classifier learns from it at once."""
    Suggestion.objects.filter(part=suggestion.part).exclude(pk=suggestion.pk).update(accepted=False)
    Suggestion.objects.filter(pk=suggestion.pk).update(accepted=True)
    part_update(part=suggestion.part, category=suggestion.category)


def suggestions_accept(suggestions: Iterable[Suggestion]) -> int:
    """Of each part the likeliest of these that still waits. Returns how many parts were filed."""
    best: dict[int, Suggestion] = {}
    for suggestion in sorted(suggestions, key=lambda one: one.confidence):
        if suggestion.accepted is None:
            best[suggestion.part_id] = suggestion
    for suggestion in best.values():
        suggestion_accept(suggestion=suggestion)
    return len(best)


@transaction.atomic
def suggestion_reject(*, suggestion: Suggestion) -> None:
    """It is not that: what is suggested instead follows in the background."""
    Suggestion.objects.filter(pk=suggestion.pk).update(accepted=False)
    enqueue("workers.suggestions_around", suggestion.part_id)


def _suggestions_settle(part: Part) -> None:
    """People have filed the part: what was suggested is decided, or no longer asked."""
    waiting = part.suggestions.filter(accepted__isnull=True)
    waiting.filter(category=part.category_id).update(accepted=True)
    waiting.delete()


@transaction.atomic
def suggestions_replace(*, part: Part, found: Iterable[tuple[int, float]]) -> list[Suggestion]:
    """What the classifier proposes now, (category id, confidence), in place of what it did before.

    Nothing when people have filed the part meanwhile. What they rejected stays rejected. A row
    that is proposed again stays the same row: somebody may be looking at its buttons.
    """
    part = Part.objects.select_for_update().get(pk=part.pk)
    if part.category_id is not None:
        return []
    confidences = dict(found)
    part.suggestions.exclude(accepted=False).exclude(category__in=confidences).delete()
    known = Category.objects.filter(pk__in=confidences)
    known = known.exclude(suggestions__in=part.suggestions.filter(accepted=False))
    return [
        Suggestion.objects.update_or_create(
            part=part, category_id=pk, defaults={"confidence": confidences[pk], "accepted": None}
        )[0]
        for pk in known.values_list("pk", flat=True)
    ]


# Tokens -----------------------------------------------------------------------------------------


def token_create(
    *,
    name: str,
    scopes: Iterable[str],
    user: AbstractBaseUser | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its key. The key is not kept: show it now or never."""
    wanted = list(dict.fromkeys(scopes))
    if unknown := set(wanted) - set(ApiToken.Scope.values):
        raise ServiceError("scope_unknown", scopes=", ".join(sorted(unknown)))
    if not wanted:
        raise ServiceError("scope_missing")
    key = "stl_" + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name[:120], prefix=key[:8], digest=ApiToken.digest_of(key), scopes=wanted,
        user=user, expires_at=expires_at,
    )  # fmt: skip
    return token, key


@contextmanager
def file_open(path: Path, *, name: str = "") -> Iterator[File]:
    """A file of this machine as something `part_upload` takes, under another name if given."""
    with path.open("rb") as opened:
        yield File(opened, name=name or path.name)

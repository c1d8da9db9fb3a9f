"""What the catalogue holds: parts, their views and steps, categories, tokens.

Rows only: writing is `services`, reading is `selectors`.
"""

import hashlib
import uuid
from collections.abc import Collection

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.errors import sentence


class Category(models.Model):
    """A kind of part. `prompts` are the words a picture of it could be captioned with."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    name_zh = models.CharField(_("Chinese name"), max_length=120, blank=True)
    prompts = models.JSONField(_("prompts"), default=list, blank=True)
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children",
        verbose_name=_("broader category"),
    )  # fmt: skip
    # Tells every process that what it keeps of the categories is old.
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return (self.name_zh or self.name) if (get_language() or "").startswith("zh") else self.name


class PartQuerySet(models.QuerySet["Part"]):
    def present(self) -> "PartQuerySet":
        """All but the trash."""
        return self.filter(deleted_at__isnull=True)

    def trashed(self) -> "PartQuerySet":
        return self.filter(deleted_at__isnull=False)

    def among(self, part_ids: Collection[int], condition: Q) -> "PartQuerySet":
        """Those of these parts that pass, in no order.

        The condition is put as a value: SQLite, which keeps no statistics, would look for these
        few through the index of a status that nearly all parts share, and read the whole catalogue.
        """
        passes = models.Case(
            models.When(condition, then=models.Value(True)), default=models.Value(False)
        )
        return self.filter(pk__in=part_ids).alias(passes=passes).filter(passes=True).order_by()


class Part(models.Model):
    """One catalogue item: a mesh file and all that is known of it."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        PROCESSING = "processing", _("processing")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    class Unit(models.TextChoices):
        MILLIMETRE = "mm", _("millimetres")
        CENTIMETRE = "cm", _("centimetres")
        METRE = "m", _("metres")
        INCH = "in", _("inches")

    # Millimetres in one unit of the file.
    UNIT_MM = {Unit.MILLIMETRE: 1.0, Unit.CENTIMETRE: 10.0, Unit.METRE: 1000.0, Unit.INCH: 25.4}

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=300)
    name_zh = models.CharField(_("Chinese name"), max_length=300, blank=True)
    number = models.CharField(_("part number"), max_length=80, blank=True, db_index=True)
    description = models.TextField(_("description"), blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="parts",
        verbose_name=_("category"),
    )  # fmt: skip
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="parts",
        verbose_name=_("uploaded by"),
    )  # fmt: skip

    # The uploaded bytes. Kept for ever: everything below can be made from them again.
    file = models.FileField(_("file"), max_length=300)
    file_name = models.CharField(_("file name"), max_length=300)
    file_size = models.PositiveBigIntegerField(_("file size"))
    sha256 = models.CharField("SHA-256", max_length=64, unique=True, editable=False)

    # Where it stands in the pipeline.
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.QUEUED, db_index=True
    )
    error_code = models.CharField(max_length=60, blank=True)
    error_params = models.JSONField(default=dict, blank=True)
    claimed_by = models.CharField(max_length=120, blank=True)
    # When a worker's claim, or the wait before the next try, or the message sent, grows stale.
    resend_at = models.DateTimeField(null=True, blank=True)

    # Geometry facts, in millimetres by `unit`; the file itself may not say its unit.
    unit = models.CharField(_("unit"), max_length=2, choices=Unit, default=Unit.MILLIMETRE)
    unit_assumed = models.BooleanField(_("unit assumed"), default=True)
    mesh_format = models.CharField(_("format"), max_length=16, blank=True)
    size_x = models.FloatField(_("width, mm"), null=True, blank=True, db_index=True)
    size_y = models.FloatField(_("depth, mm"), null=True, blank=True, db_index=True)
    size_z = models.FloatField(_("height, mm"), null=True, blank=True, db_index=True)
    volume_mm3 = models.FloatField(_("volume, mm³"), null=True, blank=True, db_index=True)
    area_mm2 = models.FloatField(_("surface, mm²"), null=True, blank=True)
    centroid_mm = models.JSONField(_("centroid, mm"), null=True, blank=True)
    watertight = models.BooleanField(_("watertight"), null=True, blank=True)
    components = models.PositiveIntegerField(_("components"), null=True, blank=True)
    triangles = models.PositiveBigIntegerField(_("triangles"), null=True, blank=True)
    invariants = models.JSONField(null=True, blank=True, editable=False)

    thumbnail = models.ImageField(_("thumbnail"), max_length=300, blank=True)
    preview = models.FileField(max_length=300, blank=True, editable=False)

    created_at = models.DateTimeField(_("added"), default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)

    objects = PartQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("part")
        verbose_name_plural = _("parts")
        indexes = [
            models.Index(
                fields=["resend_at"],
                condition=Q(status__in=("queued", "processing")),
                name="part_unfinished",
            ),
            # Of those alone, so that no database looks for a few parts through what all share.
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(deleted_at__isnull=True),
                name="part_newest",
            ),
            models.Index(
                fields=["-deleted_at", "-id"],
                condition=Q(deleted_at__isnull=False),
                name="part_trashed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.label}".strip()

    def get_absolute_url(self) -> str:
        return f"/parts/{self.uuid}"

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return (self.name_zh or self.name) if (get_language() or "").startswith("zh") else self.name

    @property
    @admin.display(description=_("error"))
    def error(self) -> str:
        """Why the part failed, as a sentence in the reader's language; empty when it did not."""
        return sentence(self.error_code, self.error_params) if self.error_code else ""

    @property
    def bbox_mm(self) -> tuple[float, float, float] | None:
        """Extents along x, y and z."""
        if self.size_x is None or self.size_y is None or self.size_z is None:
            return None
        return self.size_x, self.size_y, self.size_z


class View(models.Model):
    """The picture of one part from one viewpoint."""

    part = models.ForeignKey(Part, models.CASCADE, related_name="views")
    viewpoint = models.PositiveSmallIntegerField(_("viewpoint"))
    image = models.ImageField(_("image"), max_length=300)

    class Meta:
        ordering = ("viewpoint",)
        verbose_name = _("view")
        verbose_name_plural = _("views")
        constraints = [
            models.UniqueConstraint(fields=["part", "viewpoint"], name="view_once_per_viewpoint")
        ]

    def __str__(self) -> str:
        return f"{self.part_id}/{self.viewpoint}"


class PipelineStep(models.Model):
    """How one step of the pipeline went for one part."""

    class Step(models.TextChoices):
        INSPECT = "inspect", _("measure")
        RENDER = "render", _("draw")
        EMBED = "embed", _("embed")
        CLASSIFY = "classify", _("classify")
        COMPARE = "compare", _("compare")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    part = models.ForeignKey(Part, models.CASCADE, related_name="steps", verbose_name=_("part"))
    step = models.CharField(_("step"), max_length=12, choices=Step)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    # What the step was made with; another recipe makes the step wait again.
    recipe = models.CharField(_("recipe"), max_length=120, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ms = models.PositiveIntegerField(_("ms"), null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_params = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("pipeline step")
        verbose_name_plural = _("pipeline steps")
        constraints = [models.UniqueConstraint(fields=["part", "step"], name="step_once_per_part")]
        indexes = [models.Index(fields=["state", "step"], name="step_state")]

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.get_state_display()}"

    @property
    @admin.display(description=_("error"))
    def error(self) -> str:
        return sentence(self.error_code, self.error_params) if self.error_code else ""


class Suggestion(models.Model):
    """A category the classifier proposes for a part."""

    part = models.ForeignKey(
        Part, models.CASCADE, related_name="suggestions", verbose_name=_("part")
    )
    category = models.ForeignKey(
        Category, models.CASCADE, related_name="suggestions", verbose_name=_("category")
    )
    confidence = models.FloatField(_("confidence"))
    accepted = models.BooleanField(_("accepted"), null=True, blank=True)

    class Meta:
        ordering = ("-confidence",)
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        constraints = [models.UniqueConstraint(fields=["part", "category"], name="suggestion_once")]

    def __str__(self) -> str:
        return f"{self.category} {self.confidence:.0%}"


class PartTerm(models.Model):
    """A posting: one part is found by one term of its words. `words.py` makes them."""

    part = models.ForeignKey(Part, models.CASCADE, related_name="terms")
    term = models.CharField(max_length=64)
    weight = models.FloatField()

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        indexes = [
            # Everything a query reads, in the order it reads it: the table itself is not visited.
            models.Index(fields=["term", "-weight", "part"], name="term_postings"),
        ]

    def __str__(self) -> str:
        return self.term


class ApiToken(models.Model):
    """A machine's key. Only its hash is kept: the key is shown once, when made."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("write")
        ADMIN = "admin", _("admin")

    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="api_tokens",
        verbose_name=_("user"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(key: str) -> str:
        """SHA-256 is enough for a key of 256 random bits: there is nothing to guess slowly."""
        return hashlib.sha256(key.encode()).hexdigest()

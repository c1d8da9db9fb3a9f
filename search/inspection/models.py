"""Inspections, their photos, and what the staff set for them. `services.py` writes them."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.errors import sentence
from catalog.models import Part


class Verdict(models.TextChoices):
    PASS = "pass", _("pass")
    REVIEW = "review", _("review")
    FAIL = "fail", _("fail")


class Task(models.Model):
    """Work that one worker at a time holds, and another takes over when it dies: `claims.py`."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("at work")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    UNFINISHED = (State.QUEUED, State.RUNNING)

    state = models.CharField(_("state"), max_length=8, choices=State, default=State.QUEUED)
    error_code = models.CharField(max_length=40, blank=True)
    error_params = models.JSONField(default=dict, blank=True)
    # Raised whenever it is to run anew: a run that began before writes nothing.
    revision = models.PositiveIntegerField(default=1, editable=False)
    stalls = models.PositiveSmallIntegerField(default=0, editable=False)
    claimed_by = models.CharField(max_length=120, blank=True, editable=False)
    # When the sweep sends it again: a message lost, or a claim whose worker is gone.
    resend_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def finished(self) -> bool:
        return self.state not in self.UNFINISHED

    @property
    def error_message(self) -> str:
        return sentence(self.error_code, self.error_params) if self.error_code else ""


class InspectionBatch(Task):
    """Many pieces inspected at one go: its task is to read the archive of their photos."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    # A zip of photos, and which of them are pieces of what; without `pieces` their names say it.
    file = models.FileField(_("file"), max_length=200)
    pieces = models.JSONField(null=True, blank=True)
    part = models.ForeignKey(
        Part, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("part"),
        help_text=_("Every piece is one of this part."),
    )  # fmt: skip
    threshold_asked = models.FloatField(
        _("threshold asked for"), null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )  # fmt: skip
    total = models.PositiveIntegerField(_("pieces in the archive"), null=True, blank=True)
    # What could not be taken in: [{"name", "code", "params"}].
    refused = models.JSONField(_("refused"), default=list, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("batch of inspections")
        verbose_name_plural = _("batches of inspections")

    def __str__(self) -> str:
        return self.name or str(self.uuid)[:8]


class Inspection(Task):
    """One piece, in one to four photos, against one part."""

    class Decision(models.TextChoices):
        OPEN = "", _("not decided")
        GOOD = "good", _("good piece")
        BAD = "bad", _("bad piece")

    EARLIER_MOST = 20

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    part = models.ForeignKey(
        Part, models.CASCADE, related_name="inspections", verbose_name=_("part")
    )
    batch = models.ForeignKey(
        InspectionBatch, models.SET_NULL, null=True, blank=True, related_name="inspections",
        verbose_name=_("batch"),
    )  # fmt: skip
    # What the piece is called where it is made: a serial number, a tray's place.
    piece = models.CharField(_("piece"), max_length=120, blank=True)
    # Which of its batch's pieces it is: reading an archive again makes none twice.
    batch_key = models.CharField(max_length=300, blank=True, editable=False)
    # How far it is: the photo's place, and a stage of search/engine/qc/types.py.
    stage_photo = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=16, blank=True)

    # The alert asked for by the call; none: the category's or the configuration's.
    threshold_asked = models.FloatField(
        _("threshold asked for"), null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )  # fmt: skip

    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict, blank=True)
    # None when nothing could be measured.
    similarity = models.FloatField(_("similarity"), null=True, blank=True)
    p_good = models.FloatField(_("chance of a good piece"), null=True, blank=True)
    # Log odds that the piece is good by a calibration as it is shipped, whatever was learnt of
    # the part: what decisions are learnt from (`rejudging.py` keeps those of decided pieces by the
    # calibration of today); and what the run added to them.
    odds = models.FloatField(null=True, blank=True, editable=False)
    odds_version = models.CharField(max_length=80, blank=True, editable=False)
    shift = models.FloatField(default=0, editable=False)
    threshold = models.FloatField(_("threshold"), null=True, blank=True)
    # [{"code", "params"}], the worst first; `wording.py` has their sentences.
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    coverage = models.FloatField(_("surface seen"), null=True, blank=True)
    worst = models.PositiveSmallIntegerField(null=True, blank=True)
    # [{"part", "name", "margin"}], the best first; `name` is for when that part is gone.
    rivals = models.JSONField(_("other parts"), default=list, blank=True)
    # Whether a sheet of markers told the true size.
    scaled = models.BooleanField(_("true size known"), default=False)
    calibration = models.CharField(_("calibration"), max_length=80, blank=True)
    # What decisions about the part's pieces had taught when it ran: {"shift", "n_good", "n_bad"}.
    learnt = models.JSONField(null=True, blank=True)
    # What was asked of the piece: QcLimits, as it ran.
    limits = models.JSONField(default=dict, blank=True)
    took_ms = models.JSONField(default=dict, blank=True)
    # How much each place of the preview mesh deviates, all photos together, packed for the viewer.
    heat = models.CharField(max_length=200, blank=True)

    decision = models.CharField(
        _("decision"), max_length=4, choices=Decision, default=Decision.OPEN, blank=True
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    note = models.TextField(_("note"), max_length=2000, blank=True)

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("by"),
    )  # fmt: skip
    # A decision was made, changed or taken back, or its odds changed: there is something to learn.
    unlearnt = models.BooleanField(default=False, editable=False)
    # A verdict is there that its receivers were not told of yet.
    untold = models.BooleanField(default=False, editable=False)
    # What earlier runs found, the last EARLIER_MOST, the newest last: [{"revision", "verdict",
    # "similarity", "finished_at", "photos": [{"place", "overlay", "drawn", "mask"}]}]. Their
    # pictures stay in the storage.
    earlier = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        indexes = [
            models.Index(fields=["part", "-created_at"], name="inspection_part"),
            models.Index(fields=["verdict", "-created_at"], name="inspection_verdict"),
            models.Index(fields=["-created_at"], name="inspection_when"),
            models.Index(
                fields=["resend_at"], name="inspection_unfinished",
                condition=Q(state__in=("queued", "running")),
            ),
            models.Index(
                fields=["finished_at"], name="inspection_untold", condition=Q(untold=True)
            ),
            models.Index(
                fields=["part"], name="inspection_unlearnt", condition=Q(unlearnt=True)
            ),
            models.Index(
                fields=["part", "-decided_at"], name="inspection_decided",
                condition=~Q(decision=""),
            ),
            models.Index(
                fields=["odds_version", "part"], name="inspection_odds_version",
                condition=~Q(decision=""),
            ),
        ]  # fmt: skip
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "batch_key"], name="inspection_once_per_batch",
                condition=Q(batch__isnull=False),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.part_id} {self.piece or str(self.uuid)[:8]}"

    @property
    def alert(self) -> bool:
        """Whether somebody should look: the similarity is under the threshold, or there is none."""
        if self.state != self.State.DONE or self.threshold is None:
            return False
        return self.similarity is None or self.similarity < self.threshold


class InspectionPhoto(models.Model):
    """One photo of an inspection, what was found in it, and the pictures made of that.

    Poses: a point p (mm, about the middle of the part's box) is seen at
    `rotation @ p + translation`, and there at pixel (focal x / z + w / 2, focal y / z + h / 2) of
    the upright photo of `width` by `height` pixels. Masks are PNGs of that size, 255 on the piece.
    """

    inspection = models.ForeignKey(Inspection, models.CASCADE, related_name="photos")
    place = models.PositiveSmallIntegerField(_("place"))
    file = models.FileField(_("file"), max_length=200)
    file_name = models.CharField(_("file name"), max_length=300, blank=True)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    # What a person corrected: the mask and the pose are taken as they are at the next run, and
    # {"x", "y", "width", "height"} is where the piece is looked for. The pose's "mm" are those of
    # the part's unit at the time: a unit corrected later scales it.
    mask_given = models.FileField(max_length=200, blank=True)
    box_given = models.JSONField(null=True, blank=True)
    pose_given = models.JSONField(null=True, blank=True)
    corrected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("corrected by"),
    )  # fmt: skip
    corrected_at = models.DateTimeField(_("corrected"), null=True, blank=True)

    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict, blank=True)
    similarity = models.FloatField(_("similarity"), null=True, blank=True)
    p_good = models.FloatField(_("chance of a good piece"), null=True, blank=True)
    odds = models.FloatField(null=True, blank=True, editable=False)
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    pose = models.JSONField(null=True, blank=True)
    ambiguous = models.BooleanField(default=False)
    measures = models.JSONField(default=dict, blank=True)
    max_dev_mm = models.FloatField(null=True, blank=True)
    blobs = models.JSONField(default=list, blank=True)
    coverage = models.FloatField(_("surface seen"), null=True, blank=True)
    # Of the piece beside the part's, where a sheet of markers told it.
    size_factor = models.FloatField(null=True, blank=True)
    took_ms = models.JSONField(default=dict, blank=True)

    # Pictures of `width` by `height` pixels: the photo upright, with the differences drawn over
    # it, and the part alone at the pose found; the mask.
    shown = models.CharField(max_length=200, blank=True)
    overlay = models.CharField(max_length=200, blank=True)
    drawn = models.CharField(max_length=200, blank=True)
    mask = models.CharField(max_length=200, blank=True)

    # What people sent and said, which no run writes.
    SAID = frozenset({
        "id", "inspection", "place", "file", "file_name", "sha256", "mask_given", "box_given",
        "pose_given", "corrected_by", "corrected_at",
    })  # fmt: skip

    class Meta:
        ordering = ("inspection", "place")
        verbose_name = _("photo of an inspection")
        verbose_name_plural = _("photos of inspections")
        constraints = [
            models.UniqueConstraint(fields=["inspection", "place"], name="inspection_photo_once")
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id}/{self.place}"

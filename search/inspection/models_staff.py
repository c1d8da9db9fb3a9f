"""What the staff set for inspections, what their decisions taught, and who is told of verdicts."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Part
from search.inspection.models import Inspection


class QcThreshold(models.Model):
    """What is asked of the pieces of a category, or of all that have none of their own."""

    category = models.OneToOneField(
        Category, models.CASCADE, null=True, blank=True, related_name="qc_threshold",
        verbose_name=_("category"), help_text=_("None: for every category without its own."),
    )  # fmt: skip
    threshold = models.FloatField(
        _("threshold"), default=0.9,
        validators=[MinValueValidator(0.01), MaxValueValidator(0.999)],
        help_text=_("Similarity from which a piece passes; below it, it is alarming."),
    )  # fmt: skip
    tolerance = models.FloatField(
        _("tolerance (percent of the diagonal)"), default=2.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(50)],
        help_text=_("Deviations up to here are no defect."),
    )  # fmt: skip
    tolerance_mm = models.FloatField(
        _("tolerance (mm)"), default=0.0, validators=[MinValueValidator(0)],
        help_text=_("The same in mm; the larger of the two counts."),
    )  # fmt: skip
    size = models.FloatField(
        _("size (percent)"), default=3.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(50)],
        help_text=_("How far off the piece's size may be, where a sheet of markers tells it."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("inspection threshold")
        verbose_name_plural = _("inspection thresholds")

    def __str__(self) -> str:
        return str(self.category or _("every category"))


class QcCalibration(models.Model):
    """What was learnt of a part's pieces, or of the whole catalogue's: see `learning.py`.

    data is {"shift", "weight", "ceiling"} of a part, {"shift"} of the catalogue; it counts as long
    as `version` is that of the calibration the product comes with, and is learnt anew after that
    changed.
    """

    part = models.OneToOneField(
        Part, models.CASCADE, null=True, blank=True, related_name="qc_calibration",
        verbose_name=_("part"),
    )  # fmt: skip
    data = models.JSONField(default=dict)
    version = models.CharField(_("version"), max_length=80)
    n_good = models.PositiveIntegerField(_("good pieces"), default=0)
    n_bad = models.PositiveIntegerField(_("bad pieces"), default=0)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        verbose_name = _("calibration")
        verbose_name_plural = _("calibrations")
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(part=None), name="qccalibration_catalogue"
            )
        ]

    def __str__(self) -> str:
        return str(self.part or _("the whole catalogue"))


class Webhook(models.Model):
    """An address that is told of inspections."""

    class Event(models.TextChoices):
        FAIL = "fail", _("verdict: fail")
        ALERT = "alert", _("similarity under the threshold")
        DONE = "done", _("every verdict")

    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(
        _("address"), max_length=500, validators=[URLValidator(schemes=("http", "https"))]
    )
    # Signs each message (HMAC-SHA256), so that its receiver knows who wrote it.
    secret = models.CharField(_("secret"), max_length=120, blank=True)
    event = models.CharField(_("told of"), max_length=8, choices=Event, default=Event.FAIL)
    active = models.BooleanField(_("active"), default=True)
    last_at = models.DateTimeField(_("last told"), null=True, blank=True)
    last_status = models.CharField(_("last answer"), max_length=200, blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name


class InspectionNotice(models.Model):
    """One receiver told of one run of an inspection: a webhook, or people by e-mail."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        # Another run was asked for before it was sent; that one's verdict is told instead.
        OUTDATED = "outdated", _("outdated")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    inspection = models.ForeignKey(
        Inspection, models.CASCADE, related_name="notices", verbose_name=_("inspection")
    )
    revision = models.PositiveIntegerField()
    # None: by e-mail, to STLCATALOG_ALERT_TO.
    webhook = models.ForeignKey(
        Webhook, models.CASCADE, null=True, blank=True, related_name="notices",
        verbose_name=_("webhook"),
    )  # fmt: skip
    event = models.CharField(_("told of"), max_length=8, choices=Webhook.Event)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    answer = models.CharField(_("answer"), max_length=200, blank=True)
    # When it may be tried (again); while a worker is at it, when that one is taken for dead.
    due_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("notice of an inspection")
        verbose_name_plural = _("notices of inspections")
        constraints = [
            models.UniqueConstraint(
                fields=["inspection", "revision", "webhook"], name="inspection_notice_once"
            ),
            models.UniqueConstraint(
                fields=["inspection", "revision"], condition=Q(webhook=None),
                name="inspection_mail_once",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["due_at"], name="inspection_notice_due", condition=Q(state="waiting")
            )
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.event}"

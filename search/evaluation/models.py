"""What searches leave behind, what people say of their hits, and how well engines did.

Rows only: `judging.py` and `logs.py` write them, `services.py` measures by them.
"""

import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.errors import sentence
from catalog.models import Part


class QueryKind(models.TextChoices):
    IMAGE = "image", _("picture")
    TEXT = "text", _("words")
    HYBRID = "hybrid", _("picture and words")
    MESH = "mesh", _("mesh")


class Language(models.TextChoices):
    NONE = "", _("no words")
    ENGLISH = "en", _("English")
    CHINESE = "zh", _("Chinese")


def key_new() -> str:
    return secrets.token_urlsafe(12)


class SearchLog(models.Model):
    """One search that somebody made, written after its answer was ready."""

    class Door(models.TextChoices):
        PAGE = "page", _("page")
        API = "api", _("API")

    # What a page's buttons name it by: numbers could be counted up.
    key = models.CharField(max_length=24, unique=True, default=key_new, editable=False)
    door = models.CharField(_("page or API"), max_length=8, choices=Door)
    kind = models.CharField(_("kind"), max_length=8, choices=QueryKind)
    engine = models.CharField(_("engine"), max_length=80)
    text = models.CharField(_("words"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=4, choices=Language, blank=True)
    digest = models.CharField(_("query's hash"), max_length=64, db_index=True)
    # The picture or mesh that staff asked with: judged, it becomes a query of its own.
    file = models.FileField(_("file"), max_length=200, blank=True)
    k = models.PositiveSmallIntegerField("k")
    n = models.PositiveSmallIntegerField(_("hits"))
    hits = models.JSONField(_("parts shown"), default=list)
    took_ms = models.FloatField(_("ms"))
    weak = models.BooleanField(_("weak"), default=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("user"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("asked at"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("search made")
        verbose_name_plural = _("searches made")

    def __str__(self) -> str:
        return self.text or f"{self.kind} {self.digest[:8]}"


class EvaluationQuery(models.Model):
    """A query that parts were judged for: of a file, or one that staff made and judged."""

    class Origin(models.TextChoices):
        FILE = "file", _("file")
        STAFF = "staff", _("staff's searches")

    origin = models.CharField(_("origin"), max_length=8, choices=Origin)
    query_set = models.CharField(_("query set"), max_length=80, blank=True)
    # Its name in the file it came from.
    name = models.CharField(_("name"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=QueryKind)
    text = models.CharField(_("words"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=4, choices=Language, blank=True)
    file = models.FileField(_("file"), max_length=200, blank=True)
    digest = models.CharField(_("query's hash"), max_length=64, db_index=True)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("judged query")
        verbose_name_plural = _("judged queries")
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "query_set", "digest"], name="evaluation_query_once"
            )
        ]

    def __str__(self) -> str:
        return self.text or self.name or f"{self.kind} {self.digest[:8]}"


class Judgement(models.Model):
    """The graded relevance of a part to a query: 0 is wrong, 1 related, 2 right, 3 exactly it."""

    class Source(models.TextChoices):
        FILE = "file", _("file")
        STAFF = "staff", _("staff")
        CLICK = "click", _("click")

    GRADE_MOST = 10
    RIGHT, WRONG = 2.0, 0.0
    # Whoever clicks looks; that what stands first is clicked most says little of what is right.
    CLICKED = 0.5

    query = models.ForeignKey(
        EvaluationQuery, models.CASCADE, related_name="judgements", verbose_name=_("query")
    )
    part = models.ForeignKey(
        Part, models.CASCADE, related_name="judgements", verbose_name=_("part")
    )
    grade = models.FloatField(_("grade"))
    source = models.CharField(_("source"), max_length=8, choices=Source)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("judged by"),
    )  # fmt: skip
    # Of a click: where the part stood, since what stands first is seen first.
    rank = models.PositiveSmallIntegerField(_("rank"), null=True, blank=True)
    created_at = models.DateTimeField(_("judged"), default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        constraints = [
            models.UniqueConstraint(
                fields=["query", "part", "source", "by"],
                condition=Q(by__isnull=False),
                name="judgement_once_each",
            ),
            models.CheckConstraint(condition=Q(grade__gte=0), name="judgement_grade_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.query_id}/{self.part_id}: {self.grade:g}"


class EvaluationRun(models.Model):
    """Engines measured on judged queries, one time."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    UNFINISHED = (State.QUEUED, State.RUNNING)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    engines = models.JSONField(_("engines"))
    # What was asked for: sources, kinds, query_set, k, limit, seed, threads.
    plan = models.JSONField(_("plan"))
    # The questions by their names (questions.py), in the order they are asked; `position` is next.
    questions = models.JSONField(default=list, editable=False)
    total = models.PositiveIntegerField(_("questions"), default=0)
    position = models.PositiveIntegerField(_("questions asked"), default=0)
    metrics = models.JSONField(default=dict, editable=False)
    # Of each engine: space, sequence number, snapshot, rows; and the configuration's hash.
    versions = models.JSONField(default=dict, editable=False)
    config_hash = models.CharField(max_length=64, blank=True, editable=False)
    note = models.CharField(_("note"), max_length=200, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("started by"),
    )  # fmt: skip
    error_code = models.CharField(max_length=60, blank=True)
    error_params = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("requested"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    # Until when a worker holds it; past it, another may go on.
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    # How often a worker died over it.
    stalls = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")

    def __str__(self) -> str:
        return f"#{self.pk} {', '.join(self.engines)}"

    @property
    def error(self) -> str:
        return sentence(self.error_code, self.error_params) if self.error_code else ""

    @property
    def unfinished(self) -> bool:
        return self.state in self.UNFINISHED

    @property
    def percent(self) -> int:
        return round(100 * self.position / self.total) if self.total else 0

    @property
    def progress(self) -> int:
        """How far it is, counted so that it grows with every slice of work."""
        return self.position + len(self.metrics.get("threads", {}))

    def asked(self, key: str, default: Any = None) -> Any:
        return self.plan.get(key, default)


class EvaluationValue(models.Model):
    """What one engine made of one question."""

    MEASURES = ("precision", "recall", "rr", "ndcg")

    run = models.ForeignKey(EvaluationRun, models.CASCADE, related_name="values")
    engine = models.CharField(max_length=80)
    position = models.PositiveIntegerField()
    question = models.CharField(max_length=60)
    label = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=8)
    language = models.CharField(max_length=4, blank=True)
    source = models.CharField(max_length=10)
    precision = models.FloatField(null=True)
    recall = models.FloatField(null=True)
    rr = models.FloatField(null=True)
    ndcg = models.FloatField(null=True)
    ms = models.FloatField(null=True)
    # Why it could not be asked; it then counts for nothing.
    error = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name = _("value")
        verbose_name_plural = _("values")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "engine", "position"], name="evaluation_value_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.engine}/{self.position}"

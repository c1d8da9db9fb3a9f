"""Vectors, their snapshots, the glossary of words that mean the same, pairs of duplicates.

The rows of `Embedding` are the truth; every index file can be made from them again.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Part
from search.expand import terms_split
from search.lifecycle.models import EngineInstall, InstallFault, Selection  # noqa: F401  Django's


class Space(models.Model):
    """One space of vectors. Vectors of different spaces are never compared."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    encoder = models.CharField(_("encoder"), max_length=40)
    d = models.PositiveIntegerField(_("dimensions"))
    # Raised under the row's lock by every writer of embeddings: see `embeddings.embeddings_write`.
    last_seq = models.PositiveBigIntegerField(_("last sequence number"), default=0)
    created_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        verbose_name = _("space")
        verbose_name_plural = _("spaces")

    def __str__(self) -> str:
        return self.key


class Embedding(models.Model):
    """The vectors of one part in one space: little-endian float16, (views, d), row by row."""

    space = models.ForeignKey(Space, models.CASCADE, related_name="embeddings")
    part = models.ForeignKey(Part, models.CASCADE, related_name="embeddings")
    seq = models.PositiveBigIntegerField(_("sequence number"))
    views = models.PositiveSmallIntegerField(_("views"))
    vectors = models.BinaryField()

    class Meta:
        verbose_name = _("embedding")
        verbose_name_plural = _("embeddings")
        constraints = [
            models.UniqueConstraint(fields=["space", "seq"], name="embedding_seq"),
            models.UniqueConstraint(fields=["part", "space"], name="embedding_once_per_space"),
        ]

    def __str__(self) -> str:
        return f"{self.space_id}:{self.seq}"


class Snapshot(models.Model):
    """An index built from the embeddings up to a watermark. The newest one of a space is used."""

    space = models.ForeignKey(
        Space, models.CASCADE, related_name="snapshots", verbose_name=_("space")
    )
    version = models.CharField(_("version"), max_length=40)
    watermark = models.PositiveBigIntegerField(_("watermark"))
    rows = models.PositiveBigIntegerField(_("rows"))
    manifest = models.JSONField(_("manifest"))
    created_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        constraints = [models.UniqueConstraint(fields=["space", "version"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"{self.space_id}/{self.version}"


class Synonym(models.Model):
    """A group of terms that mean the same, in either language: what a query is also asked as."""

    TERMS_MOST = 16
    TERM_LENGTH = 60

    terms = models.TextField(
        _("terms"),
        help_text=_(
            "At least two terms, with commas between: 螺栓, bolt. A whole term is matched in a "
            "query, the longest first; a single Chinese character only where it stands alone."
        ),
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Queries are asked with active groups only.")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    # Raised at each save, so that processes which hold the glossary notice (search/glossary.py).
    revision = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("group of synonyms")
        verbose_name_plural = _("glossary")

    def __str__(self) -> str:
        return self.terms

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            self.revision = models.F("revision") + 1
            if options.get("update_fields") is not None:
                options["update_fields"] = {*options["update_fields"], "revision", "updated_at"}
        super().save(**options)

    def clean(self) -> None:
        """Refuses what could never match, and writes the terms the one way they are kept."""
        terms = terms_split(self.terms)
        if len(terms) < 2:
            raise ValidationError({"terms": _("Give at least two different terms.")})
        if len(terms) > self.TERMS_MOST:
            text = _("The group has %(found)s terms; the most is %(most)s.")
            found = {"found": len(terms), "most": self.TERMS_MOST}
            raise ValidationError({"terms": ValidationError(text, params=found)})
        if long := next((term for term in terms if len(term) > self.TERM_LENGTH), None):
            text = _("The term “%(term)s…” is longer than %(most)s characters.")
            found = {"term": long[:20], "most": self.TERM_LENGTH}
            raise ValidationError({"terms": ValidationError(text, params=found)})
        self.terms = ", ".join(terms)


# Django finds a model through this module; the rows of searches and their judging have a room of
# their own.
from search.duplicates.models import DuplicatePair  # noqa: E402
from search.evaluation.models import (  # noqa: E402
    EvaluationQuery,
    EvaluationRun,
    EvaluationValue,
    Judgement,
    SearchLog,
)
from search.inspection.models import (  # noqa: E402
    Inspection,
    InspectionBatch,
    InspectionPhoto,
)
from search.inspection.models_staff import (  # noqa: E402
    InspectionNotice,
    QcCalibration,
    QcThreshold,
    Webhook,
)
from search.inspection.preparation import Preparation  # noqa: E402

__all__ = [
    "DuplicatePair",
    "Embedding",
    "EvaluationQuery",
    "EvaluationRun",
    "EvaluationValue",
    "Inspection",
    "InspectionBatch",
    "InspectionNotice",
    "InspectionPhoto",
    "Judgement",
    "Preparation",
    "QcCalibration",
    "QcThreshold",
    "SearchLog",
    "Snapshot",
    "Space",
    "Synonym",
    "Webhook",
]

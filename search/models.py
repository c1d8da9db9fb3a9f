"""Vectors, and the snapshots made of them.

The rows of `Embedding` are the truth; every index file can be made from them again.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Part


class Space(models.Model):
    """One space of vectors. Vectors of different spaces are never compared."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    encoder = models.CharField(_("encoder"), max_length=40)
    d = models.PositiveIntegerField(_("dimensions"))
    # Raised under the row's lock by every writer of embeddings: see `services.embeddings_write`.
    last_seq = models.PositiveBigIntegerField(_("last sequence number"), default=0)
    created_at = models.DateTimeField(_("made"), default=timezone.now)

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

    space = models.ForeignKey(Space, models.CASCADE, related_name="snapshots")
    version = models.CharField(_("version"), max_length=40)
    watermark = models.PositiveBigIntegerField(_("watermark"))
    rows = models.PositiveBigIntegerField(_("rows"))
    manifest = models.JSONField(_("manifest"))
    created_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        constraints = [models.UniqueConstraint(fields=["space", "version"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"{self.space_id}/{self.version}"

"""Pairs of parts that look like one part twice. `services.py` finds and decides them."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Part


class DuplicatePair(models.Model):
    """Two parts that look like one part twice. What people said of them is kept."""

    class Relation(models.TextChoices):
        SAME = "same", _("same shape")
        SCALED = "scaled", _("scaled")
        MIRRORED = "mirrored", _("mirrored")
        NEAR = "near", _("nearly the same")

    class State(models.TextChoices):
        OPEN = "open", _("to be looked at")
        DISMISSED = "dismissed", _("not duplicates")
        CONFIRMED = "confirmed", _("duplicates")

    # The older part first: the one that the newer one repeats.
    part_a = models.ForeignKey(
        Part, models.CASCADE, related_name="duplicates_newer", verbose_name=_("older part")
    )
    part_b = models.ForeignKey(
        Part, models.CASCADE, related_name="duplicates_older", verbose_name=_("newer part")
    )
    relation = models.CharField(_("relation"), max_length=8, choices=Relation)
    # The size of part_b over that of part_a.
    factor = models.FloatField(_("factor"))
    score = models.FloatField(_("likeness"))
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    found_at = models.DateTimeField(_("found"), default=timezone.now)

    class Meta:
        ordering = ("-score", "-pk")
        verbose_name = _("pair of duplicates")
        verbose_name_plural = _("duplicates")
        constraints = [
            models.UniqueConstraint(fields=["part_a", "part_b"], name="duplicate_once"),
            models.CheckConstraint(
                condition=models.Q(part_a__lt=models.F("part_b")), name="duplicate_older_first"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-score", "-id"], name="duplicate_state"),
            models.Index(fields=["state", "relation", "-score", "-id"], name="duplicate_relation"),
        ]

    def __str__(self) -> str:
        return f"{self.part_a_id} / {self.part_b_id}: {self.get_relation_display()}"

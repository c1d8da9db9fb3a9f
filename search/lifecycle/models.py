"""Which engines are in use, and which ones' vectors are kept or being made.

`selection.py` and `installs.py` write them.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.errors import sentence
from catalog.models import Part


class Selection(models.Model):
    """The engines in use from `made_at` until the next selection. Rows are added, never changed."""

    # One more than the row before: of two written at once, the second sees that it is late.
    revision = models.PositiveIntegerField(_("revision"), unique=True)
    # [{"name": "mini", "spaces": ["mini-1a2b3c4d-384", ...]}], the default engine first.
    engines = models.JSONField(_("engines"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("made by"),
    )  # fmt: skip
    made_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        ordering = ("-revision",)
        verbose_name = _("selection of engines")
        verbose_name_plural = _("selections of engines")

    def __str__(self) -> str:
        return f"{self.revision}: {self.names}"

    @property
    def names(self) -> str:
        return ", ".join(of["name"] for of in self.engines)


class EngineInstall(models.Model):
    """An engine whose vectors are kept: in use, ready to be, or being filled beside those in use.

    Parts are looked at from the newest down; `cursor` is the lowest one that a worker has taken.
    """

    class State(models.TextChoices):
        FILLING = "filling", _("filling")
        PAUSED = "paused", _("paused")
        FINISHING = "finishing", _("being indexed")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        REMOVING = "removing", _("being removed")

    engine = models.CharField(_("engine"), max_length=60, unique=True)
    spaces = models.JSONField(_("spaces"))  # keys
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.FILLING)
    # Begun by the software itself: an engine in use came with new weights.
    upgrade = models.BooleanField(_("upgrade"), default=False)
    cursor = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    # Of the messages that ask for filling, only the one with this number counts.
    ticket = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("parts"), default=0)
    rate = models.FloatField(_("parts a second"), null=True, blank=True)
    # The engine beside those in use, on the judgements that there were when it was filled.
    evaluation = models.ForeignKey(
        "search.EvaluationRun", models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("evaluation"),
    )  # fmt: skip
    error_code = models.CharField(max_length=60, blank=True)
    error_params = models.JSONField(default=dict, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("made by"),
    )  # fmt: skip
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    active_at = models.DateTimeField(_("last active"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        ordering = ("engine",)
        verbose_name = _("installed engine")
        verbose_name_plural = _("engines")

    def __str__(self) -> str:
        return self.engine

    @property
    def error(self) -> str:
        return sentence(self.error_code, self.error_params) if self.error_code else ""

    @property
    def missing(self) -> int:
        """Parts that it does not find, as last counted."""
        return max(0, self.total - self.done)

    @property
    def percent(self) -> float:
        return 100.0 * min(1.0, self.done / self.total) if self.total else 100.0

    @property
    def seconds_left(self) -> float | None:
        if self.state != self.State.FILLING or not self.rate:
            return None
        return self.missing / self.rate

    def facts(self) -> dict[str, Any]:
        """Its progress, for the API."""
        left = self.seconds_left
        return {
            "state": self.state,
            "done": min(self.done, self.total),
            "total": self.total,
            "percent": round(self.percent, 1),
            "parts_per_second": self.rate and round(self.rate, 2),
            "seconds_left": left and round(left),
            "error": self.error or None,
        }


class InstallFault(models.Model):
    """A part that an engine cannot embed, and why; not tried again until someone asks."""

    install = models.ForeignKey(EngineInstall, models.CASCADE, related_name="faults")
    part = models.ForeignKey(Part, models.CASCADE, related_name="+")
    error_code = models.CharField(max_length=60)
    error_params = models.JSONField(default=dict, blank=True)
    made_at = models.DateTimeField(_("made at"), default=timezone.now)

    class Meta:
        verbose_name = _("part an engine cannot embed")
        verbose_name_plural = _("parts an engine cannot embed")
        constraints = [models.UniqueConstraint(fields=["install", "part"], name="fault_once")]

    def __str__(self) -> str:
        return f"{self.install_id}: {self.part_id}"

    @property
    def error(self) -> str:
        return sentence(self.error_code, self.error_params)

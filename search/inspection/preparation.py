"""Which parts are ready to be compared with photos: a row a part, worked off in the background."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.errors import sentence
from catalog.models import Part


class Preparation(models.Model):
    """How far a part's preparation is. What was made is in the storage; the row may be lost."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    part = models.OneToOneField(Part, models.CASCADE, related_name="preparation")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    # The version of what was made, or is to be made.
    version = models.PositiveSmallIntegerField(_("version"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    # Not before this: a cause that passes gets its time.
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    ms = models.PositiveIntegerField(_("ms"), null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_params = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("preparation for inspections")
        verbose_name_plural = _("preparations for inspections")
        indexes = [models.Index(fields=["state", "id"], name="preparation_state")]

    def __str__(self) -> str:
        return f"{self.part_id}: {self.state}"

    @property
    def error(self) -> str:
        return sentence(self.error_code, self.error_params) if self.error_code else ""

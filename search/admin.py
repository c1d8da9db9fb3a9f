"""Spaces and snapshots in Django admin: looked at, and compacted."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.admin import ActingAdmin
from catalog.queue import enqueue
from search.models import Snapshot, Space


class LookOnly(ActingAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Space)
class SpaceAdmin(LookOnly):
    list_display = ("key", "encoder", "d", "last_seq", "created_at")
    actions = ("compact",)

    @admin.action(description=_("Build a new snapshot"), permissions=["act"])
    def compact(self, request: HttpRequest, queryset: QuerySet[Space]) -> None:
        for space in queryset:
            enqueue("workers.index_compact", space.key)
        messages.success(request, _("The workers will build it; searches go on meanwhile."))


@admin.register(Snapshot)
class SnapshotAdmin(LookOnly):
    list_display = ("space", "version", "rows", "watermark", "recall", "created_at")
    list_filter = ("space",)

    @admin.display(description=_("recall@10"))
    def recall(self, snapshot: Snapshot) -> Any:
        return snapshot.manifest.get("recall_at_10")

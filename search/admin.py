"""Spaces, snapshots and duplicates in Django admin: looked at. The glossary: kept there."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from catalog.admin import ActingAdmin
from catalog.queue import enqueue
from search.duplicates.services import pair_decide
from search.models import DuplicatePair, Snapshot, Space, Synonym


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


@admin.register(Synonym)
class SynonymAdmin(admin.ModelAdmin):
    list_display = ("terms", "active", "note", "updated_at")
    list_filter = ("active",)
    search_fields = ("terms", "note")
    list_per_page = 100
    actions = ("switch_on", "switch_off")

    @admin.action(description=_("Use in queries"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Synonym]) -> None:
        self._switch(request, queryset, active=True)

    @admin.action(description=_("Leave out of queries"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Synonym]) -> None:
        self._switch(request, queryset, active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Synonym], *, active: bool) -> None:
        n = queryset.update(active=active, revision=F("revision") + 1)
        text = ngettext("%(n)s group was changed.", "%(n)s groups were changed.", n)
        messages.success(request, text % {"n": n})


@admin.register(DuplicatePair)
class DuplicatePairAdmin(LookOnly):
    list_display = ("part_a", "part_b", "relation", "factor", "score", "state", "decided_by")
    list_filter = ("state", "relation")
    list_select_related = ("part_a", "part_b", "decided_by")
    actions = ("dismiss", "open_again")

    @admin.action(description=_("Not duplicates"), permissions=["act"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[DuplicatePair]) -> None:
        self._decide(request, queryset, DuplicatePair.State.DISMISSED)

    @admin.action(description=_("Ask again"), permissions=["act"])
    def open_again(self, request: HttpRequest, queryset: QuerySet[DuplicatePair]) -> None:
        self._decide(request, queryset, DuplicatePair.State.OPEN)

    def _decide(self, request: HttpRequest, queryset: QuerySet[DuplicatePair], state: str) -> None:
        n = 0
        for pair in queryset.filter(
            part_a__deleted_at__isnull=True, part_b__deleted_at__isnull=True
        ):
            pair_decide(pair=pair, state=state, user=request.user)
            n += 1
        text = ngettext("%(n)s pair was changed.", "%(n)s pairs were changed.", n)
        messages.success(request, text % {"n": n})


# Evaluations, engines and inspections have rooms of their own; they register themselves.
from search.evaluation import admin as admin_evaluation  # noqa: E402, F401
from search.evaluation import judged_admin  # noqa: E402, F401
from search.inspection import admin as admin_inspection  # noqa: E402, F401
from search.lifecycle import admin as admin_engines  # noqa: E402, F401

"""The staff's view of the catalogue in Django admin."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from catalog import selectors, services
from catalog.forms import CategoryForm
from catalog.models import ApiToken, Category, Part, PipelineStep, Suggestion


class ActingAdmin(admin.ModelAdmin):
    """Looking needs the permission to view; an action writes, so it needs that to change parts."""

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_part")


def picture_small(part: Part) -> str:
    if not part.thumbnail:
        return "–"
    image = '<img src="{}" width="64" height="64" alt="{}" loading="lazy">'
    return format_html(image, part.thumbnail.url, part.label)


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StepInline(ReadOnlyInline):
    model = PipelineStep
    fields = ("step", "state", "attempts", "ms", "started_at", "error")
    readonly_fields = ("error",)


class SuggestionInline(ReadOnlyInline):
    model = Suggestion
    fields = ("category", "confidence", "accepted")


class TrashFilter(admin.SimpleListFilter):
    title = _("trash")
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("in the trash"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Part]) -> QuerySet[Part]:
        return queryset.filter(deleted_at__isnull=self.value() != "1")


@admin.register(Part)
class PartAdmin(ActingAdmin):
    list_display = ("picture", "number", "name", "name_zh", "category", "status", "created_at")
    list_display_links = ("picture", "number", "name")
    list_filter = (TrashFilter, "status", "watertight", "category")
    list_select_related = ("category",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("number", "name", "name_zh", "sha256")
    autocomplete_fields = ("category",)
    inlines = (StepInline, SuggestionInline)
    actions = ("retry", "to_trash", "restore")
    fields = (
        "picture", "number", "name", "name_zh", "category", "tags", "description", "unit",
        "unit_assumed", "status", "error", "mesh_format", "size_x", "size_y", "size_z",
        "volume_mm3", "area_mm2", "watertight", "components", "triangles", "file_name",
        "file_size", "sha256", "owner", "created_at", "updated_at", "deleted_at",
    )  # fmt: skip
    editable = services.EDITABLE

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for field in self.fields if field not in self.editable]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a part begins with a file: the upload page

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # to the trash instead

    def save_model(self, request: HttpRequest, obj: Part, form: Any, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in form.changed_data}
        services.part_update(part=obj, **fields)

    @admin.display(description=_("picture"))
    def picture(self, part: Part) -> str:
        return picture_small(part)

    @admin.action(description=_("Process again what is not done"), permissions=["act"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Part]) -> None:
        parts = list(queryset.values_list("pk", flat=True))
        services.parts_reprocess(parts)
        text = ngettext("%(n)s part was queued.", "%(n)s parts were queued.", len(parts))
        messages.success(request, text % {"n": len(parts)})

    @admin.action(description=_("Move to the trash"), permissions=["act"])
    def to_trash(self, request: HttpRequest, queryset: QuerySet[Part]) -> None:
        for part in queryset.filter(deleted_at__isnull=True):
            services.part_delete(part=part)

    @admin.action(description=_("Restore from the trash"), permissions=["act"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Part]) -> None:
        for part in queryset.filter(deleted_at__isnull=False):
            services.part_restore(part=part)


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    """Names and prompts are what parts are classified by; suggestions follow a change."""

    form = CategoryForm
    list_display = ("name", "name_zh", "parent", "n_parts")
    list_select_related = ("parent",)
    search_fields = ("name", "name_zh")
    autocomplete_fields = ("parent",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return selectors.categories_list()

    @admin.display(description=_("parts"), ordering="n_parts")
    def n_parts(self, category: Category) -> int:
        return category.n_parts

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        # A new one is made by the same service: suggestions follow either.
        services.category_update(category=obj)

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        services.category_delete(category=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        for category in queryset:
            services.category_delete(category=category)


@admin.register(PipelineStep)
class PipelineStepAdmin(ActingAdmin):
    """Every step of every part: what failed, and trying it again."""

    list_display = ("part", "step", "state", "attempts", "ms", "started_at", "error")
    list_filter = ("state", "step")
    list_select_related = ("part",)
    show_full_result_count = False
    search_fields = ("part__number", "part__name")
    fields = ("part", "step", "state", "attempts", "started_at", "ms", "recipe", "error")
    actions = ("retry",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=_("Try again"), permissions=["act"])
    def retry(self, request: HttpRequest, queryset: QuerySet[PipelineStep]) -> None:
        services.parts_reprocess(list(set(queryset.values_list("part_id", flat=True))))


class AnswerFilter(admin.SimpleListFilter):
    """What waits for an answer comes first: without a choice, nothing else is listed."""

    title = _("answer")
    parameter_name = "answer"
    answers: ClassVar = {"accepted": True, "rejected": False}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("accepted", _("accepted")), ("rejected", _("rejected")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": _("waiting")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(accepted=self.answers.get(self.value()))


class ConfidenceFilter(admin.SimpleListFilter):
    title = _("confidence")
    parameter_name = "confidence"
    least: ClassVar = ("0.9", "0.7", "0.5")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(least, f"≥ {float(least):.0%}") for least in self.least]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> QuerySet:
        if self.value() not in self.least:
            return queryset
        return queryset.filter(confidence__gte=float(self.value()))


@admin.register(Suggestion)
class SuggestionAdmin(ActingAdmin):
    """The likeliest first, to be answered many at a time."""

    list_display = ("picture", "part_link", "category", "percent", "accepted")
    list_display_links = None
    list_filter = (AnswerFilter, ConfidenceFilter, ("category", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("part", "category")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("part__number", "part__name", "part__name_zh", "category__name")
    actions = ("accept", "reject")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suggestion]:
        return super().get_queryset(request).filter(part__deleted_at__isnull=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what was rejected is not to be suggested again

    @admin.display(description=_("picture"))
    def picture(self, suggestion: Suggestion) -> str:
        return picture_small(suggestion.part)

    @admin.display(description=_("part"), ordering="part__name")
    def part_link(self, suggestion: Suggestion) -> str:
        part = suggestion.part
        return format_html('<a href="{}">{}</a>', part.get_absolute_url(), part)

    @admin.display(description=_("confidence"), ordering="confidence")
    def percent(self, suggestion: Suggestion) -> str:
        return f"{suggestion.confidence:.0%}"

    @admin.action(description=_("Accept, of each part the likeliest"), permissions=["act"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        n = services.suggestions_accept(queryset.select_related("part", "category"))
        text = ngettext("%(n)s part was filed.", "%(n)s parts were filed.", n)
        messages.success(request, text % {"n": n})

    @admin.action(description=_("Reject"), permissions=["act"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        waiting = queryset.filter(accepted__isnull=True)
        for suggestion in waiting:
            services.suggestion_reject(suggestion=suggestion)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens are made by `manage.py token_create`, which shows the key once; here they end."""

    list_display = ("name", "prefix", "scopes", "user", "created_at", "expires_at", "last_used_at")
    fields = ("name", "prefix", "scopes", "user", "created_at", "expires_at", "last_used_at")
    readonly_fields = ("prefix", "scopes", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


admin.site.site_header = "STL Catalog"
admin.site.site_title = "STL Catalog"

"""What engines are measured by, in Django admin: judged queries, judgements, searches made."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.admin import ReadOnlyInline
from catalog.errors import ServiceError
from search.admin import LookOnly
from search.evaluation import judgement_import
from search.evaluation.logs import searches_delete
from search.models import EvaluationQuery, Judgement, SearchLog


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or TSV with a header (text, picture or mesh; part; grade), JSON lines, or a zip "
            "with such a table and its pictures, or with TREC qrels and topics. Parts are named "
            "by number, id or file."
        ),
    )
    query_set = forms.CharField(
        label=gettext_lazy("Query set"), required=False, max_length=80,
        help_text=gettext_lazy(
            "Its name, the file's by default. A set of this name is replaced."
        ),
    )  # fmt: skip


class JudgementInline(ReadOnlyInline):
    model = Judgement
    fields = ("part", "grade", "source", "by", "created_at")
    raw_id_fields = ("part",)


@admin.register(EvaluationQuery)
class EvaluationQueryAdmin(admin.ModelAdmin):
    """What engines are measured by. Queries come from files and from searches that staff judged."""

    list_display = ("shown", "kind", "language", "origin", "query_set", "n_judgements")
    list_filter = ("origin", "kind", "language", "query_set")
    search_fields = ("text", "name")
    list_per_page = 50
    fields = ("origin", "query_set", "name", "kind", "text", "language", "file", "created_at")
    readonly_fields = ("origin", "query_set", "name", "kind", "text", "file", "created_at")
    inlines = (JudgementInline,)

    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationQuery]:
        # Of the rows of the page alone: joined, a hundred thousand would be counted each time.
        judged = Judgement.objects.filter(query=OuterRef("pk")).order_by().values("query")
        counted = Subquery(judged.annotate(n=Count("pk")).values("n"))
        return super().get_queryset(request).annotate(n_judgements=Coalesce(counted, 0))

    def delete_model(self, request: HttpRequest, obj: EvaluationQuery) -> None:
        judgement_import.queries_delete([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[EvaluationQuery]) -> None:
        judgement_import.queries_delete(list(queryset))

    @admin.display(description=gettext_lazy("query"))
    def shown(self, query: EvaluationQuery) -> str:
        return str(query)

    @admin.display(description=gettext_lazy("judgements"), ordering="n_judgements")
    def n_judgements(self, query: Any) -> int:
        return query.n_judgements

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A query begins with a file of judgements, or with a search."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        done = None
        if request.method == "POST" and form.is_valid():
            try:
                done = judgement_import.upload_import(
                    form.cleaned_data["file"],
                    query_set=form.cleaned_data["query_set"],
                )
            except ServiceError as error:
                form.add_error("file", str(error))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Bring in judged queries"),
            "form": form,
            "done": done,
        }
        return TemplateResponse(request, "admin/search/evaluation/import.html", context)


@admin.register(Judgement)
class JudgementAdmin(admin.ModelAdmin):
    list_display = ("query", "part_link", "grade", "source", "by", "rank", "created_at")
    list_display_links = None
    list_filter = ("source", "query__kind")
    list_select_related = ("query", "part", "by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("query__text", "query__name", "part__number", "part__name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # on the search page, where hits are seen

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("part"), ordering="part__name")
    def part_link(self, judgement: Judgement) -> str:
        part = judgement.part
        return format_html('<a href="{}">{}</a>', part.get_absolute_url(), part)


class NothingFilter(admin.SimpleListFilter):
    title = gettext_lazy("result")
    parameter_name = "found"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("none", _("nothing found")),
            ("weak", _("nothing close")),
            ("good", _("something close")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SearchLog]) -> QuerySet:
        match self.value():
            case "none":
                return queryset.filter(n=0)
            case "weak":
                return queryset.filter(n__gt=0, weak=True)
            case "good":
                return queryset.filter(n__gt=0, weak=False)
        return queryset


@admin.register(SearchLog)
class SearchLogAdmin(LookOnly):
    """What people look for, and what they do not find."""

    list_display = ("created_at", "shown", "kind", "engine", "n", "close", "ms", "door", "user")
    list_filter = (NothingFilter, "kind", "language", "door", "created_at")
    list_select_related = ("user",)
    list_per_page = 100
    show_full_result_count = False
    search_fields = ("text",)
    date_hierarchy = "created_at"
    fields = ("created_at", "kind", "engine", "text", "language", "file", "k", "n", "close",
              "took_ms", "door", "user", "parts")  # fmt: skip
    readonly_fields = ("close", "parts")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("search.delete_searchlog")

    def delete_model(self, request: HttpRequest, obj: SearchLog) -> None:
        searches_delete([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SearchLog]) -> None:
        searches_delete(list(queryset))

    @admin.display(description=gettext_lazy("query"), ordering="text")
    def shown(self, row: SearchLog) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("something close"), boolean=True, ordering="weak")
    def close(self, row: SearchLog) -> bool:
        return row.n > 0 and not row.weak

    @admin.display(description="ms", ordering="took_ms")
    def ms(self, row: SearchLog) -> str:
        return f"{row.took_ms:.0f}"

    @admin.display(description=gettext_lazy("parts shown"))
    def parts(self, row: SearchLog) -> str:
        from catalog.models import Part

        held = Part.objects.in_bulk(row.hits)
        return ", ".join(str(held[pk]) for pk in row.hits if pk in held) or "–"

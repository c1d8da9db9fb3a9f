"""Evaluations in Django admin: started, watched, read and compared."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.errors import ServiceError
from search.evaluation import report as evaluation_report
from search.evaluation import services as evaluation
from search.evaluation.metrics import FEW
from search.evaluation.models import QueryKind
from search.evaluation.questions import DEFAULT_SOURCES, SOURCES, Choice
from search.models import EvaluationRun, EvaluationValue

REFRESH_S = "3"


class StartForm(forms.Form):
    """What to measure, and by which questions."""

    engines = forms.MultipleChoiceField(
        label=gettext_lazy("Engines"), widget=forms.CheckboxSelectMultiple
    )
    sources = forms.MultipleChoiceField(
        label=gettext_lazy("Questions"), widget=forms.CheckboxSelectMultiple
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of query"), widget=forms.CheckboxSelectMultiple, required=False,
        choices=QueryKind.choices,
        help_text=gettext_lazy(
            "If none is chosen: every kind among the judged queries; for categories, words and "
            "pictures."
        ),
    )  # fmt: skip
    query_set = forms.ChoiceField(
        label=gettext_lazy("Query set"), required=False,
        help_text=gettext_lazy("Only the queries of one file."),
    )  # fmt: skip
    k = forms.IntegerField(
        label=gettext_lazy("Depth k"), initial=10, min_value=1, max_value=evaluation.K_MOST,
        help_text=gettext_lazy("How many hits of each answer count."),
    )  # fmt: skip
    limit = forms.IntegerField(
        label=gettext_lazy("Most questions per source"), initial=500, min_value=1,
        max_value=evaluation.LIMIT_MOST,
        help_text=gettext_lazy("Drawn at random, but the same ones each time."),
    )  # fmt: skip
    threads = forms.IntegerField(
        label=gettext_lazy("Threads"), initial=4, min_value=0, max_value=evaluation.THREADS_MOST,
        help_text=gettext_lazy(
            "How many ask at once when throughput is measured. 0: do not measure it."
        ),
    )  # fmt: skip
    note = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stock = evaluation_report.stock()
        self.fields["engines"].choices = [
            (name, self.engine(name)) for name in evaluation.engines_known()
        ]
        self.fields["engines"].initial = evaluation.engines_default()
        self.fields["sources"].choices = [(name, self.source(name, stock)) for name in SOURCES]
        self.fields["sources"].initial = DEFAULT_SOURCES
        sets = evaluation_report.query_sets()
        self.fields["query_set"].choices = [("", _("all")), *((name, name) for name in sets)]

    def engine(self, name: str) -> str:
        label = evaluation_report.engine_label(name)
        if name in evaluation.engines_default():
            return label
        return _("%(engine)s (not in use)") % {"engine": label}

    def source(self, name: str, stock: dict[str, int]) -> str:
        match name:
            case "file":
                return _("Judged in files (%(n)s)") % {"n": stock["file"]}
            case "category":
                return _("Categories (parts that people filed: %(n)s)") % {"n": stock["filed"]}
            case "staff":
                return _("Judged by staff (%(n)s)") % {"n": stock["staff"]}
            case _other:
                return _("Hits that staff opened, a weak sign (%(n)s)") % {"n": stock["click"]}

    def plan(self) -> evaluation.Plan:
        known = self.cleaned_data
        choice = Choice(
            sources=tuple(known["sources"]),
            kinds=tuple(known["kinds"]),
            query_set=known["query_set"],
            limit=known["limit"],
        )
        return evaluation.Plan(choice, known["k"], known["threads"])


@admin.register(EvaluationRun)
class EvaluationRunAdmin(admin.ModelAdmin):
    list_display = ("number", "engine_names", "state_shown", "ndcg", "total", "note", "asked_at")
    list_display_links = ("number", "engine_names")
    list_filter = ("state",)
    list_per_page = 50
    show_full_result_count = False
    actions = ("compare",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EvaluationRun]:
        return super().get_queryset(request).defer("questions", "versions")

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("compare/", wrap(self.compare_view), name="search_evaluationrun_compare"),
            path("<int:pk>/values.csv", wrap(self.values_view), name="search_evaluationrun_values"),
            path("<int:pk>/cancel/", wrap(self.cancel_view), name="search_evaluationrun_cancel"),
            *super().get_urls(),
        ]

    @admin.display(description="#", ordering="pk")
    def number(self, run: EvaluationRun) -> str:
        return f"#{run.pk}"

    @admin.display(description=gettext_lazy("engines"))
    def engine_names(self, run: EvaluationRun) -> str:
        return ", ".join(evaluation_report.engine_label(name) for name in run.engines)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_shown(self, run: EvaluationRun) -> str:
        if run.state == EvaluationRun.State.RUNNING:
            return f"{run.get_state_display()} {run.percent}%"
        return run.get_state_display()

    @admin.display(description=gettext_lazy("requested"), ordering="created_at")
    def asked_at(self, run: EvaluationRun) -> str:
        return date_format(timezone.localtime(run.created_at), "SHORT_DATETIME_FORMAT")

    @admin.display(description=gettext_lazy("best nDCG"))
    def ndcg(self, run: EvaluationRun) -> str:
        of = [held["all"] for held in run.metrics.get("engines", {}).values()]
        means = [held["ndcg"][0] for held in of if held.get("n")]
        return f"{max(means):.3f}" if means else "–"

    @admin.action(description=gettext_lazy("Compare two"), permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[EvaluationRun]) -> Any:
        pks = sorted(queryset.values_list("pk", flat=True))
        if len(pks) != 2:
            messages.error(request, _("Choose two evaluations to compare."))
            return None
        address = reverse("admin:search_evaluationrun_compare")
        return HttpResponseRedirect(f"{address}?runs={pks[0]},{pks[1]}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        names = evaluation_report.measure_names(10)
        # Depths may differ over the years: the measure's name without one.
        context = {
            "history": evaluation_report.history(),
            "history_measure": names["ndcg"].split("@")[0],
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with them is counted, not listed: a value for each question and engine."""
        runs = list(objs)
        values = EvaluationValue.objects.filter(run__in=runs).count()
        named = [str(run) for run in runs]
        counted = {
            self.opts.verbose_name_plural: len(runs),
            EvaluationValue._meta.verbose_name_plural: values,
        }
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return named, counted, missing, []

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = StartForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                run = evaluation.evaluation_start(
                    names=form.cleaned_data["engines"],
                    plan=form.plan(),
                    note=form.cleaned_data["note"],
                    by=request.user,
                )
            except ServiceError as error:
                form.add_error(None, str(error))
            else:
                return HttpResponseRedirect(
                    reverse("admin:search_evaluationrun_change", args=[run.pk])
                )
        return self._page(request, "start", _("Measure engines"), {"form": form})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is None:
            raise Http404
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        context = evaluation_report.run_report(run, request.GET.get("measure", ""))
        context["may_cancel"] = run.unfinished and self.has_change_permission(request, run)
        title = _("Evaluation %(n)s") % {"n": run.pk}
        response = self._page(request, "report", title, context)
        if run.unfinished:
            response["Refresh"] = REFRESH_S
        return response

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404
        if request.method != "POST" or not self.has_change_permission(request, run):
            raise PermissionDenied
        if evaluation.evaluation_cancel(run):
            messages.success(request, _("It stops after the questions it is at."))
        else:
            messages.error(request, _("This evaluation is over already."))
        return HttpResponseRedirect(reverse("admin:search_evaluationrun_change", args=[pk]))

    def values_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        run = self.get_object(request, str(pk))
        if run is None:
            raise Http404
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        return StreamingHttpResponse(
            evaluation_report.values_csv(run),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="evaluation-{run.pk}.csv"'},
        )

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        given = request.GET.get("runs", "")[:60].split(",")
        runs = [self.get_object(request, pk) for pk in given if pk.isdigit() and len(pk) < 18]
        if len(runs) != 2 or None in runs:
            raise Http404
        first, second = runs
        names = evaluation_report.measure_names(second.plan["k"])
        rows = evaluation_report.runs_compare(first, second)
        context = {
            "first": first,
            "second": second,
            "rows": [{**row, "measure": names[row["measure"]]} for row in rows],
            "differ": evaluation_report.settings_differ(first, second),
            "few": any(row["few"] for row in rows) and FEW,
        }
        title = _("Evaluations %(a)s and %(b)s") % {"a": first.pk, "b": second.pk}
        return self._page(request, "compare", title, context)

    def _page(
        self, request: HttpRequest, name: str, title: str, context: dict[str, Any]
    ) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        whole = {**site, "opts": self.opts, "title": title, **context}
        return TemplateResponse(request, f"admin/search/evaluation/{name}.html", whole)

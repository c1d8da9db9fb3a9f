"""Doors to inspections on paper and in spreadsheets: the report and the table, pages and API."""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_GET
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.pages import says_why
from search.inspection.api import InspectionListApi, filters_of
from search.inspection.export import inspections_csv
from search.inspection.forms import HistoryForm
from search.inspection.selectors import InspectionFilters, inspection_get


@require_GET
@says_why
def report(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The report of an inspection; `?lang=` in another language than the page's."""
    return report_answer(request, uuid)


@require_GET
def history_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list of inspections as its page has it narrowed."""
    return csv_answer(request, HistoryForm(request.GET).filters())


class ReportApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        parameters=[OpenApiParameter("lang", str, enum=[code for code, _n in settings.LANGUAGES])],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, uuid: UUID) -> HttpResponse:
        """An inspection as a PDF of one page."""
        return report_answer(request, uuid)


class InspectionCsvApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        parameters=[InspectionListApi.FilterInput],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Inspections as CSV, narrowed as the list is; the first line has names, the second the
        same in the reader's language."""
        asked = InspectionListApi.FilterInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return csv_answer(request, filters_of(asked.validated_data))


def report_answer(request: Any, uuid: UUID) -> HttpResponse:
    from search.inspection.report import report_pdf

    found = inspection_get(uuid)
    asked = request.GET.get("lang", "")
    known = {code for code, _name in settings.LANGUAGES}
    with translation.override(asked if asked in known else translation.get_language()):
        address = request.build_absolute_uri(reverse("inspection", args=[found.uuid]))
        data = report_pdf(found, address=address)
    name = slugify(f"{found.part.number or found.part.name} {found.piece}") or "inspection"
    return HttpResponse(
        data,
        content_type="application/pdf",
        headers={
            "Content-Disposition": content_disposition_header(False, f"{name}.pdf") or "inline",
            "Cache-Control": "private, no-cache",
        },
    )


def csv_answer(request: Any, filters: InspectionFilters) -> StreamingHttpResponse:
    base = request.build_absolute_uri("/").rstrip("/")
    language = translation.get_language()

    def spoken() -> Iterator[str]:
        # The answer is sent when the request's language is gone from the thread.
        found = inspections_csv(filters, base=base)
        while True:
            with translation.override(language):
                line = next(found, None)
            if line is None:
                return
            yield line

    return StreamingHttpResponse(
        spoken(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="inspections.csv"'},
    )

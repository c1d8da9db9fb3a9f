"""The paths of inspections under /api/, with and without the trailing slash."""

from django.urls import re_path

from catalog.api_urls import UUID
from search.inspection import api, api_batches, api_correcting, downloads

urlpatterns = [
    re_path(r"^qc/compare/?$", api.CompareApi.as_view(), name="api_qc_compare"),
    re_path(r"^qc/inspections/?$", api.InspectionListApi.as_view(), name="api_inspections"),
    re_path(rf"^qc/inspections/{UUID}/?$", api.InspectionApi.as_view(), name="api_inspection"),
    re_path(
        rf"^qc/inspections/{UUID}/again/?$",
        api_correcting.AgainApi.as_view(),
        name="api_inspection_again",
    ),
    re_path(
        rf"^qc/inspections/{UUID}/photos/(?P<place>\d)/correction/?$",
        api_correcting.CorrectionApi.as_view(),
        name="api_inspection_correction",
    ),
    re_path(
        rf"^qc/inspections/{UUID}/report/?$",
        downloads.ReportApi.as_view(),
        name="api_inspection_report",
    ),
    re_path(
        r"^qc/inspections/csv/?$", downloads.InspectionCsvApi.as_view(), name="api_inspections_csv"
    ),
    re_path(r"^qc/batches/?$", api_batches.BatchListApi.as_view(), name="api_qc_batches"),
    re_path(rf"^qc/batches/{UUID}/?$", api_batches.BatchApi.as_view(), name="api_qc_batch"),
]

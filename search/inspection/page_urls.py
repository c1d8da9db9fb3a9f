"""The paths of the inspector's pages, with and without the trailing slash."""

from django.urls import re_path

from catalog.api_urls import UUID
from search.inspection import downloads, pages, pages_batches

urlpatterns = [
    re_path(r"^qc/?$", pages.start, name="inspection_start"),
    re_path(r"^qc/parts/?$", pages.choices, name="inspection_choices"),
    re_path(r"^qc/parts/by-photo/?$", pages.choices_by_photo, name="inspection_choices_by_photo"),
    re_path(r"^qc/history/?$", pages.history, name="inspection_history"),
    re_path(r"^qc/history\.csv$", downloads.history_csv, name="inspection_csv"),
    re_path(r"^qc/batches/?$", pages_batches.batch_list, name="inspection_batches"),
    re_path(rf"^qc/batches/{UUID}/?$", pages_batches.batch, name="inspection_batch"),
    re_path(r"^qc/sheet/?$", pages.sheet, name="inspection_sheet"),
    re_path(
        r"^qc/sheet/(?P<paper>a4|letter)\.(?P<kind>svg|png)$",
        pages.sheet_file, name="inspection_sheet_file",
    ),
    re_path(rf"^parts/{UUID}/label/?$", pages.label, name="inspection_label"),
    re_path(rf"^qc/{UUID}/?$", pages.inspection, name="inspection"),
    re_path(rf"^qc/{UUID}/progress/?$", pages.progress, name="inspection_progress"),
    re_path(rf"^qc/{UUID}/decide/?$", pages.decide, name="inspection_decide"),
    re_path(rf"^qc/{UUID}/again/?$", pages.again, name="inspection_again"),
    re_path(rf"^qc/{UUID}/as/?$", pages.as_part, name="inspection_as"),
    re_path(rf"^qc/{UUID}/report\.pdf$", downloads.report, name="inspection_report"),
]  # fmt: skip

"""The pages of batches: send many photos at once, see how far they are and what was found."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from catalog.errors import ServiceError
from catalog.pages import needs_login, says_why
from catalog.selectors import PartPaginator, part_get
from search.inspection.api_batches import refused_told
from search.inspection.batching import (
    batch_create,
    batch_get,
    batch_progress,
    batches,
    batches_counted,
)
from search.inspection.forms import uuid_of
from search.inspection.models import Verdict

PER_PAGE = 20
POLL_MS = 1500


@require_http_methods(["GET", "HEAD", "POST"])
@says_why
def batch_list(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _send(request)
    return _list(request)


@needs_login
def _send(request: HttpRequest) -> HttpResponse:
    asked = request.POST.get("part", "")
    try:
        batch = batch_create(
            archive=request.FILES.get("archive"),
            photos=request.FILES.getlist("photo"),
            part=part_get(asked) if uuid_of(asked) else None,
            name=request.POST.get("name", ""),
            by=request.user,
        )
    except ServiceError as error:
        return _list(request, fault=str(error), status=error.status)
    return redirect("inspection_batch", uuid=batch.uuid)


def _list(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    asked = request.GET.get("part", "") or request.POST.get("part", "")
    number = request.GET.get("page", "1")
    page = PartPaginator(batches(), PER_PAGE).get_page(number if number.isdigit() else 1)
    context |= {
        "part": part_get(asked) if uuid_of(asked) else None,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "batches": [_shown(batch) for batch in batches_counted(list(page.object_list))],
        "name": request.POST.get("name", ""),
    }
    return render(request, "search/inspection/batches.html", context, status=status)


@require_GET
@says_why
def batch(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One batch; its part that changes is asked for again while there is work."""
    found = batch_get(uuid)
    context = {"batch": _shown(found), "refused": refused_told(found), "poll_ms": POLL_MS}
    template = "_batch.html" if request.htmx else "batch.html"
    return render(request, f"search/inspection/{template}", context)


def _shown(found: Any) -> Any:
    """The batch with how far it is, in percent, and whether there is more to come."""
    found.percent = round(100 * batch_progress(found))
    found.over = found.finished and (
        found.error_code != "" or found.counts["finished"] >= found.counts["inspections"]
    )
    found.verdicts = [(value, label, found.counts[value]) for value, label in Verdict.choices]
    return found

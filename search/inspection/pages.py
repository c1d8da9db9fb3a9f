"""The inspector's pages: read the request, call one service or selector, fill a template."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.pages import needs_login, says_why
from catalog.selectors import part_get
from search.inspection import paper as papers
from search.inspection import services, showing
from search.inspection.choosing import parts_by_photo, parts_found
from search.inspection.forms import HistoryForm, filters_of_list, said_of, uuid_of
from search.inspection.history import inspection_next, pass_trend
from search.inspection.selectors import (
    InspectionFilters,
    inspection_get,
    inspections_page,
    others_of,
)
from search.inspection.wording import reasons_told, verdict_sentence
from search.models import Inspection

# Beginning --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@says_why
def start(request: HttpRequest) -> HttpResponse:
    """Choose a part, send photos of a piece. Photos without a part: the parts they look like."""
    if request.method == "POST":
        return _start(request)
    return start_page(request, part=_part_chosen(request.GET.get("part", "")))


@needs_login
def _start(request: HttpRequest) -> HttpResponse:
    part, files = _part_chosen(request.POST.get("part", "")), request.FILES.getlist("photo")
    try:
        photos = [services.photo_sent(file) for file in files]
        if part is None:
            found = parts_by_photo(photos[0].data if photos else b"")
            return start_page(request, choices=found, asked="photo")
        inspection = services.inspection_create(
            part=part, photos=photos, piece=request.POST.get("piece", ""), by=request.user
        )
    except ServiceError as error:
        return start_page(request, part=part, fault=str(error), status=error.status)
    return redirect("inspection", uuid=inspection.uuid)


def start_page(
    request: HttpRequest, *, part: Part | None = None, status: int = 200, **context: Any
) -> HttpResponse:
    asked = request.GET.get("q", "").strip()
    if part is not None and "fault" not in context:
        try:
            services.part_checked(part)
        except ServiceError as error:
            context["fault"] = str(error)
    if part is None and "choices" not in context and (asked or request.method != "POST"):
        context |= {"choices": parts_found(asked), "asked": "words" if asked else "recent"}
    context |= {"part": part, "q": asked, "most": services.MOST_PHOTOS}
    context["piece"] = request.POST.get("piece", "")
    return render(request, "search/inspection/start.html", context, status=status)


def _part_chosen(text: str) -> Part | None:
    """The part of an address; None where none is named."""
    return part_get(text) if uuid_of(text) else None


@require_GET
@says_why
def choices(request: HttpRequest) -> HttpResponse:
    """Parts that the words find, for the page's script; without words, the last inspected."""
    asked = request.GET.get("q", "").strip()
    context = {"choices": parts_found(asked), "asked": "words" if asked else "recent", "q": asked}
    return render(request, "search/inspection/_choices.html", context)


@require_POST
@says_why
@needs_login
def choices_by_photo(request: HttpRequest) -> HttpResponse:
    """Parts that the first photo looks like, for the page's script."""
    file = request.FILES.get("photo")
    if file is None:
        raise ServiceError("image_missing")
    found = parts_by_photo(services.photo_sent(file).data)
    context = {"choices": found, "asked": "photo"}
    return render(request, "search/inspection/_choices.html", context)


# One inspection ---------------------------------------------------------------------------------


@require_GET
@says_why
def inspection(request: HttpRequest, uuid: UUID) -> HttpResponse:
    return render(request, "search/inspection/inspection.html", page_of(request, uuid))


def page_of(request: HttpRequest, uuid: UUID) -> dict[str, Any]:
    found = inspection_get(uuid)
    if found.part.deleted_at is not None:
        raise ServiceError("part_unknown", status=404)
    others = others_of(found, *found.photos.all())
    photos = showing.photos_shown(found, others)
    return {
        **decision_of(request, found),
        "photos": photos,
        "first": next((p for p in photos if p.place == found.worst), photos[0] if photos else None),
        "reasons": reasons_told(found.reasons, others),
        "sentence": verdict_sentence(found.verdict),
        "rivals": showing.rivals_shown(found, others),
        "stages": showing.stages_shown(found),
        "mm": showing.millimetre(found.part),
        "heat_url": showing.address(found.heat),
    }


def decision_of(request: HttpRequest, found: Inspection) -> dict[str, Any]:
    """What the buttons need: the inspection, and where "next" leads."""
    listed = request.GET.get("in", "") or request.POST.get("in", "")
    filters = filters_of_list(listed)
    following = inspection_next(found, filters) if filters else None
    new = f"{reverse('inspection_start')}?part={found.part.uuid}"
    return {
        "inspection": found,
        "listed": listed,
        "next_url": f"{reverse('inspection', args=[following.uuid])}" if following else new,
        "next_in_list": following,
        "list_over": filters is not None and following is None,
    }


@require_GET
@says_why
def progress(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """How far an inspection is, asked while it is at work; the last answer says so."""
    found = inspection_get(uuid)
    context = {"inspection": found, "stages": showing.stages_shown(found)}
    response = render(request, "search/inspection/_progress.html", context)
    if found.finished:
        response["HX-Trigger"] = "inspection-done"
    return response


@require_POST
@says_why
@needs_login
@vary_on_headers("HX-Request")
def decide(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Good, bad or open again, and the note."""
    found = inspection_get(uuid)
    services.inspection_decide(
        found,
        decision=said_of(request.POST.get("decision", "")),
        note=request.POST.get("note"),
        by=request.user,
    )
    context = decision_of(request, inspection_get(uuid))
    if request.htmx:
        return render(request, "search/inspection/_decision.html", context)
    return redirect(_back(uuid, context["listed"]))


@require_POST
@says_why
@needs_login
def again(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found = inspection_get(uuid)
    if not found.finished:
        raise ServiceError("inspection_running", status=409)
    services.inspection_again(found)
    return redirect(_back(uuid, request.POST.get("in", "")))


@require_POST
@says_why
@needs_login
def as_part(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The same photos against another part: the one that they seem to show."""
    other = _part_chosen(request.POST.get("part", ""))
    if other is None:
        raise ServiceError("part_unknown", status=404)
    found = services.inspection_as(inspection_get(uuid), other, by=request.user)
    return redirect("inspection", uuid=found.uuid)


def _back(uuid: UUID, listed: str) -> str:
    address = reverse("inspection", args=[uuid])
    return f"{address}?{urlencode({'in': listed})}" if listed else address


# What there was ---------------------------------------------------------------------------------


@require_GET
@says_why
def history(request: HttpRequest) -> HttpResponse:
    form = HistoryForm(request.GET)
    filters: InspectionFilters = form.filters()
    page = inspections_page(filters, page=form.page_number())
    trend = pass_trend(filters, by=form.known().get("by") or "day")
    context = {
        "form": form,
        "filters": filters,
        "narrowed": form.narrowed,
        "part": Part.objects.present().filter(uuid=filters.part).first() if filters.part else None,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "trend": trend,
        "chart": trend.chart() if trend.counted else None,
    }
    return render(request, "search/inspection/history.html", context)


# Paper ------------------------------------------------------------------------------------------


@require_GET
def sheet(request: HttpRequest) -> HttpResponse:
    """How the sheet of markers is used, and its files."""
    return render(request, "search/inspection/sheet.html", {"papers": papers.PAPERS})


@require_GET
def sheet_file(request: HttpRequest, paper: str, kind: str) -> HttpResponse:
    """The sheet to print: SVG, or PNG of 300 dots an inch."""
    data, content_type = papers.sheet_drawn(paper, kind)
    response = HttpResponse(data, content_type=content_type)
    shown = "inline" if "show" in request.GET else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="stlcatalog-sheet-{paper}.{kind}"'
    return response


@require_GET
@says_why
def label(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """A label to print: the part, and the code that opens its inspection on a phone."""
    return render(request, "search/inspection/label.html", {"part": part_get(uuid)})

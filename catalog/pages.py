"""The catalogue's pages: read the request, call one service or selector, fill a template.

Knows nothing of searching: the page of a part asks for similar parts by address.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog import selectors, services
from catalog.context import site
from catalog.doors import way_in
from catalog.errors import ServiceError
from catalog.forms import PartFilterForm, PartForm, UnitForm, UploadForm
from catalog.models import Part, PipelineStep, Suggestion

Page = Callable[..., HttpResponse]
WORKING = (Part.Status.QUEUED, Part.Status.PROCESSING)


def says_why(page: Page) -> Page:
    """A `ServiceError` becomes its sentence, as a page or, for htmx, as a note in the page."""

    @wraps(page)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return page(request, *args, **kwargs)
        except ServiceError as error:
            return refusal_page(request, str(error), error.status)

    return wrapped


def refusal_page(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    template = "_note.html" if request.htmx else "error.html"
    context = {"sentence": sentence, "status": status}
    return render(request, template, context, status=status)


def needs_login(page: Page) -> Page:
    """Who has not logged in is shown the way in, and comes back to where the button was.

    A session may end while a page is open; the address of a button answers to no visit.
    """

    @wraps(page)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return page(request, *args, **kwargs)
        return way_in(request)

    return wrapped


class Login(LoginView):
    """Django's own, which calls the request's host `site` and would hide ours from the template."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | site(self.request)


# Reading ----------------------------------------------------------------------------------------


@require_GET
@says_why
def part_list(request: HttpRequest) -> HttpResponse:
    form = PartFilterForm(request.GET)
    filters = form.filters()
    page = selectors.parts_page(filters, page=form.page_number())
    context = {
        "form": form,
        "filters": filters,
        "narrowed": bool(filters.q or filters.category or filters.status),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
    }
    return render(request, "catalog/part_list.html", context)


@require_GET
@says_why
def part_detail(request: HttpRequest, uuid: str) -> HttpResponse:
    part = selectors.part_get(uuid)
    context = {
        **progress(part),
        "views": part.views.all(),
        "units": Part.Unit.choices,
    }
    return render(request, "catalog/part_detail.html", context)


@require_GET
@says_why
def part_progress(request: HttpRequest, uuid: str) -> HttpResponse:
    """The steps of a part, asked every second while it is worked on.

    The answer that says the work has ended also tells the page to fetch what was made.
    """
    part = selectors.part_get(uuid)
    template = "catalog/_upload_steps.html" if "brief" in request.GET else "catalog/_progress.html"
    response = render(request, template, progress(part))
    if part.status not in WORKING:
        response["HX-Trigger"] = "part-done"
    return response


def progress(part: Part) -> dict[str, Any]:
    return {
        "part": part,
        "steps": selectors.part_steps(part),
        "suggestions": [s for s in part.suggestions.all() if s.accepted is None],
        "working": part.status in WORKING,
    }


# Writing ----------------------------------------------------------------------------------------


@needs_login
@says_why
@require_http_methods(["GET", "POST"])
def part_edit(request: HttpRequest, uuid: str) -> HttpResponse:
    part = selectors.part_get(uuid)
    form = PartForm(request.POST) if request.method == "POST" else PartForm.of(part)
    if request.method == "POST" and form.is_valid():
        services.part_update(part=part, **form.changes(part))
        messages.success(request, _("Saved."))
        return redirect(part)
    status = 400 if form.errors else 200
    return render(request, "catalog/part_edit.html", {"part": part, "form": form}, status=status)


@needs_login
@says_why
@require_POST
def part_unit(request: HttpRequest, uuid: str) -> HttpResponse:
    part = selectors.part_get(uuid)
    form = UnitForm(request.POST)
    if not form.is_valid():
        return refusal_page(request, _("This unit is not known."), 400)
    services.part_update(part=part, unit=form.cleaned_data["unit"])
    return redirect(part)


@needs_login
@says_why
@require_http_methods(["GET", "POST"])
def part_delete(request: HttpRequest, uuid: str) -> HttpResponse:
    part = selectors.part_get(uuid)
    if request.method == "GET":
        return render(request, "catalog/part_delete.html", {"part": part})
    services.part_delete(part=part)
    text = _("“%(part)s” is in the trash.") % {"part": part}
    link = '{} <a href="{}">{}</a>'
    messages.success(request, format_html(link, text, reverse("trash"), _("See the trash")))
    return redirect("part_list")


@needs_login
@says_why
@require_POST
def part_restore(request: HttpRequest, uuid: str) -> HttpResponse:
    part = selectors.part_get(uuid, trash=True)
    services.part_restore(part=part)
    messages.success(request, _("“%(part)s” is back in the catalogue.") % {"part": part})
    return redirect(part)


@needs_login
@says_why
@require_POST
def part_retry(request: HttpRequest, uuid: str) -> HttpResponse:
    part = selectors.part_get(uuid)
    step = request.POST.get("step")
    known = PipelineStep.Step(step) if step in PipelineStep.Step.values else None
    services.part_retry(part=part, step=known)
    return redirect(part)


@needs_login
@says_why
@require_POST
def suggestion_answer(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    suggestion = get_object_or_404(Suggestion.objects.select_related("part", "category"), pk=pk)
    if answer == "accept":
        services.suggestion_accept(suggestion=suggestion)
    else:
        services.suggestion_reject(suggestion=suggestion)
    if "brief" in request.GET:  # a row of the upload page
        context = progress(selectors.part_get(suggestion.part.uuid))
        return render(request, "catalog/_upload_steps.html", context)
    return redirect(suggestion.part)


@needs_login
@says_why
@require_GET
def trash(request: HttpRequest) -> HttpResponse:
    number = request.GET.get("page", "1")
    page = selectors.parts_trash_page(int(number) if number.isdecimal() else 1)
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return render(request, "catalog/trash.html", {"page": page, "pages": pages})


@needs_login
@require_http_methods(["GET", "POST"])
def part_upload(request: HttpRequest) -> HttpResponse:
    """The upload form. Its script sends each file alone; without one the form brings them all."""
    if request.method == "GET":
        return render(request, "catalog/upload.html", {"form": UploadForm()})
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "catalog/upload.html", {"form": form}, status=400)
    outcomes = [upload_one(request, file, form) for file in form.cleaned_data["files"]]
    status = 200 if any(outcome["part"] for outcome in outcomes) else 400
    return render(
        request, "catalog/upload.html", {"form": UploadForm(), "outcomes": outcomes}, status=status
    )


def upload_one(request: HttpRequest, file: Any, form: UploadForm) -> dict[str, Any]:
    """One bad file does not cost the others: its sentence stands in its row."""
    outcome = {"name": file.name, "size": file.size, "part": None, "created": False, "error": ""}
    try:
        part, created = services.part_upload(
            file=file,
            category=form.cleaned_data["category"],
            tags=form.cleaned_data["tags"],
            owner=request.user,
        )
    except ServiceError as error:
        return {**outcome, "error": str(error)}
    return {**outcome, "part": part, "created": created}

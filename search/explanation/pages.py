"""The page and the panel that say why a part was found.

The question travels with each request, as the search form sends it: the browser keeps the picture,
or, without the page's script, the cut-out that the answer showed. Nothing of it is stored.
"""

import base64
import binascii
from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.pages import says_why
from catalog.selectors import part_get
from search import engines
from search.explanation.facts import features, sentences
from search.explanation.services import Explained, explain_run, surface_run
from search.forms import KINDS, SearchForm, SimilarForm
from search.query import Query
from search.selectors import view_images

CUTOUT = "data:image/png;base64,"
# One colour a pair, told apart on light parts and dark ones.
COLOURS = (
    "#e6194b", "#3cb44b", "#0082c8", "#f58231", "#911eb4", "#008080",
    "#d2a000", "#f032e6", "#5a7d00", "#aa6e28", "#0033cc", "#800000",
)  # fmt: skip
WIDTH, GAP = 100, 8  # of a picture, and between the two, in the drawing's own units


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@says_why
def part_why(request: HttpRequest, uuid: str) -> HttpResponse:
    """Why the part was found: a page, or for the page's script the panel's inside."""
    part = part_get(uuid)
    context: dict[str, Any] = {"part": part}
    status = 200
    try:
        query, like = question(request)
        explained = explain_run(query, part, like=like)
        context |= shown(explained)
    except ServiceError as error:
        context["fault"], status = str(error), error.status
    template = "search/_why.html" if request.htmx else "search/why.html"
    return render(request, template, context, status=status)


@require_http_methods(["GET", "POST"])
def part_why_surface(request: HttpRequest, uuid: str) -> HttpResponse:
    """The heat on the whole part, for the viewer; a refusal is its sentence, as text."""
    try:
        query, like = question(request)
        packed = surface_run(query, part_get(uuid), like=like)
    except ServiceError as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain")
    response = HttpResponse(packed, content_type="application/octet-stream")
    response["Cache-Control"] = "private, no-store"
    return response


def question(request: HttpRequest) -> tuple[Query, Part | None]:
    """The query of the form, or the part to compare with. Raises `ServiceError`."""
    asked = request.POST if request.method == "POST" else request.GET
    if like := asked.get("like"):
        known = SimilarForm(asked).asked()
        return Query(kind="mesh", **known | {"engine": _looking(known["engine"])}), part_like(like)
    tab = asked.get("tab", "")
    tab = tab if tab in KINDS else "text"
    form = SearchForm(asked, files_of(request, tab), tab=tab)
    if not form.is_valid():
        raise ServiceError("why_question", why=" ".join(form.sentences()))
    query = form.query()
    return replace(query, engine=_looking(query.engine)), None


def _looking(engine: str) -> str:
    """The engine, if it looks: what only words or shapes found is shown by the first that does."""
    looks = engine in engines.in_use() and not engines.is_shape(engine)
    return engine if looks else ""


def part_like(uuid: str) -> Part:
    from django.core.exceptions import ValidationError

    try:
        return part_get(uuid)
    except (ValidationError, ValueError) as error:
        raise ServiceError("part_unknown", status=404) from error


def files_of(request: HttpRequest, tab: str) -> MultiValueDict[str, Any]:
    """The files of the form; in place of a picture the browser no longer has, what was cut out."""
    cutout = request.POST.get("cutout", "")
    if "image" in request.FILES or tab not in ("picture", "both") or not cutout:
        return request.FILES
    try:
        if not cutout.startswith(CUTOUT):
            raise ValueError("not a PNG as a data URI")
        data = base64.b64decode(cutout.removeprefix(CUTOUT), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ServiceError("not_a_picture") from error
    return MultiValueDict({"image": [SimpleUploadedFile("cutout.png", data, "image/png")]})


def shown(explained: Explained) -> dict[str, Any]:
    """What the panel shows."""
    part, found = explained.part, explained.found
    view = view_images({part.pk: found["view"]}).get(part.pk)
    return {
        "explained": explained,
        "found": found,
        "sentences": sentences(explained),
        "features": features(explained),
        "view_url": view.image.url if view else "",
        "lines": lines(found["pairs"]),
        "like": explained.like,
        "words": explained.query.text if found["target"] in ("words", "both") else "",
    }


def lines(pairs: list[list[float]]) -> list[dict[str, Any]]:
    """The pairs as the drawing has them: two pictures beside each other, 208 by 100."""
    return [
        {
            "n": n,
            "colour": COLOURS[(n - 1) % len(COLOURS)],
            "x": f"{x * WIDTH:.2f}",
            "y": f"{y * WIDTH:.2f}",
            "u": f"{u * WIDTH + WIDTH + GAP:.2f}",
            "v": f"{v * WIDTH:.2f}",
        }
        for n, (x, y, u, v, _similarity) in enumerate(pairs, 1)
    ]

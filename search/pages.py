"""The search page, and the parts similar to a part."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from catalog.errors import ServiceError
from catalog.pages import says_why
from catalog.selectors import (
    PartFilters,
    categories_largest,
    counts_recent,
    part_get,
    parts_page,
)
from search.engines import engines_for
from search.evaluation.logs import search_log, search_reorder
from search.evaluation.pages import judging_of
from search.forms import KINDS, SearchForm, SimilarForm
from search.neighbours import parts_similar
from search.services import search_run

RECENT = 12
SAMPLES = 6
SIMILAR = 6
# Said in both languages whatever the page's is: words of either find the same shapes.
EXAMPLES = ("a ring with a round diamond", "六角螺栓", "gear with a hole", "有把手的杯子")


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """The form, and under it the answer.

    Words come by GET, so that the address holds the question; files by POST. A request of the
    page's script gets the answer alone.
    """
    asked = request.POST if request.method == "POST" else request.GET
    tab = asked.get("tab", "")
    tab = tab if tab in KINDS else "text" if asked.get("q") else "picture"
    submitted = request.method == "POST" or (tab == "text" and bool(asked.get("q", "").strip()))
    form = SearchForm(asked, request.FILES, tab=tab)
    context, status = answer(form, request) if submitted else ({}, 200)
    context |= {"form": form, "tab": tab, "kind": KINDS[tab], "submitted": submitted}
    # Words are asked by address, which holds the marks too; a file has to be sent again.
    context["plain"] = tab == "text"
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "search/_results.html", context, status=status)
    if not submitted:
        context |= beginning()
    context["engines"] = [
        (name, choices) for name, kind in KINDS.items() if len(choices := engines_for(kind)) > 1
    ]
    context["examples"] = EXAMPLES
    ticked = settings.SEARCH.search.verify_page
    context["verify_ticked"] = "verify" in asked if submitted else ticked
    context["alpha"] = asked.get("alpha") or settings.SEARCH.search.hybrid_alpha
    return render(request, "search/search.html", context, status=status)


def answer(form: SearchForm, request: HttpRequest) -> tuple[dict[str, Any], int]:
    """The answer to a submitted form, or the sentences that say why there is none."""
    if not form.is_valid():
        return {"faults": form.sentences()}, 400
    try:
        query = form.query()
        # The page's script shows the first answer at once, and asks again to have it verified.
        later = request.htmx and not query.more and form.cleaned_data["verify"] != "now"
        after = bool(query.verify and later)
        found = search_run(replace(query, verify=False) if after else query)
    except ServiceError as error:
        return {"faults": [str(error)]}, error.status
    again = request.POST.get("verified_of", "")
    if again:
        logged = search_reorder(again, query=query, answer=found)
    else:
        logged = search_log(query=query, answer=found, door="page", user=request.user)
    back = request.get_full_path() if request.method != "POST" else ""
    return {
        "answer": found,
        "verify_after": (logged.key if logged else "-") if after and found.results else "",
        # Samples are asked for only where nothing was found.
        "samples": SimpleLazyObject(samples),
        "toggled": expand_toggled(form),
        "judging": judging_of(logged, request.user, back),
    }, 200


def expand_toggled(form: SearchForm) -> str:
    """The address of the same words with the other wordings switched off, or on again."""
    asked = form.data.copy()
    if form.cleaned_data["expand"] == "no":
        del asked["expand"]
    else:
        asked["expand"] = "no"
    return f"?{asked.urlencode()}" if form.tab == "text" else ""


def beginning() -> dict[str, Any]:
    """What the page shows before anything is asked."""
    recent = list(parts_page(PartFilters(status="ready"), page=1, per_page=RECENT))
    return {"recent": recent, "counts": counts_recent(), "samples": samples(recent)}


def samples(recent: list[Any] = ()) -> list[str]:
    """Words that will find something here: the largest categories, and a part number."""
    words = [category.label for category in categories_largest(SAMPLES)]
    numbers = [part.number for part in recent if part.number]
    return words + numbers[:1]


@require_GET
@says_why
def part_similar(request: HttpRequest, uuid: str) -> HttpResponse:
    """A page of its own; for the page of the part, only the cards."""
    part = part_get(uuid)
    form, most = SimilarForm(request.GET), settings.SEARCH.search.max_k
    found = parts_similar(part, k=min(SIMILAR, most) if request.htmx else most, **form.asked())
    choices = engines_for("mesh")
    context = {"part": part, "answer": found, "engines": choices if len(choices) > 1 else []}
    template = "search/_similar_few.html" if request.htmx else "search/similar.html"
    return render(request, template, context | {"kind": "mesh", "plain": True})

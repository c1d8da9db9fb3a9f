"""The page of pairs that look like one part twice, and what is said of them."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.pages import needs_login, says_why
from search.duplicates import services as duplicates
from search.duplicates.services import PairFilters
from search.models import DuplicatePair

State, Relation = DuplicatePair.State, DuplicatePair.Relation


@require_GET
@says_why
def duplicate_list(request: HttpRequest) -> HttpResponse:
    """Pairs, the likest first. An unknown filter counts as none: old links must not break."""
    asked = request.GET
    state = asked.get("state", State.OPEN)
    filters = PairFilters(
        state=state if state in State.values else State.OPEN,
        relation=asked.get("relation", "") if asked.get("relation") in Relation.values else "",
        part=_uuid(asked.get("part", "")),
    )
    number = asked.get("page", "1")
    page = duplicates.pairs_page(filters, page=int(number[:9]) if number.isdecimal() else 1)
    context = {
        "filters": filters,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "states": State.choices,
        "relations": Relation.choices,
        "part": Part.objects.present().filter(uuid=filters.part).first() if filters.part else None,
    }
    return render(request, "search/duplicates.html", context)


@needs_login
@says_why
@require_POST
def duplicate_decide(request: HttpRequest, pk: str) -> HttpResponse:
    """What a button of a pair says. The page's script gets the pair's card alone."""
    said = request.POST.get("state", "")
    if said not in State.values:
        raise ServiceError("field_unknown", fields="state")
    pair = duplicates.pair_decide(
        pair=duplicates.pair_get(int(pk)),
        state=said,
        trash=_uuid(request.POST.get("trash", "")),
        user=request.user,  # type: ignore[arg-type]
    )
    context: dict[str, Any] = {"pair": pair, "trashed": request.POST.get("trash", "")}
    if request.htmx:
        return render(request, "search/_pair_decided.html", context)
    messages.success(request, _("Saved."))
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("duplicates")
    return redirect(back)


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""

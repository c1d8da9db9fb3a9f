"""What staff say of hits on the search page: thumbs, and hits that were opened."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from catalog.errors import ServiceError
from catalog.pages import says_why
from catalog.selectors import part_get
from search.evaluation import judging
from search.models import SearchLog

# The page's script says so, and gets the thumbs alone.
IN_PLACE = "judge"


class HitForm(forms.Form):
    search = forms.CharField(max_length=24)
    part = forms.UUIDField()
    thumb = forms.CharField(max_length=10, required=False)
    back = forms.CharField(max_length=2000, required=False)


def judging_of(logged: SearchLog | None, user: Any, back: str) -> dict[str, Any] | None:
    """What the page needs for its thumbs; None where nobody may judge."""
    if logged is None or not user.is_staff:
        return None
    thumbs = judging.thumbs_given(logged.digest, user)
    return {"search": logged.key, "thumbs": thumbs, "back": back}


@require_POST
@says_why
def judge(request: HttpRequest) -> HttpResponse:
    """Without the script: back to results that have an address, else a page that says it."""
    asked = _asked(request)
    thumb = judging.thumb_give(
        search=asked["search"], part=asked["part"], thumb=asked["thumb"], by=request.user
    )
    part = part_get(asked["part"])
    back = asked["back"]
    context = {"search": asked["search"], "part": part, "thumb": thumb, "back": back}
    if request.headers.get("X-Requested-With") == IN_PLACE:
        return render(request, "search/_hit_judge.html", context)
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return HttpResponseRedirect(back)
    return render(request, "search/judged.html", context)


@require_POST
@says_why
def click(request: HttpRequest) -> HttpResponse:
    """A hit was opened."""
    asked = _asked(request)
    judging.click_note(search=asked["search"], part=asked["part"], by=request.user)
    return HttpResponse(status=204)


def _asked(request: HttpRequest) -> dict[str, Any]:
    if not request.user.is_staff:
        raise ServiceError("staff_only", status=403)
    form = HitForm(request.POST)
    if not form.is_valid():
        raise ServiceError("not_a_hit")
    return form.cleaned_data

"""What templates say of inspections."""

from typing import Any

from django import template
from django.core.files.storage import default_storage
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog.models import Part
from search.inspection.history import PartHistory, part_history
from search.inspection.models import Verdict
from search.inspection.paper import code_svg
from search.models import Inspection

register = template.Library()

# Each verdict's colour and sign, which never stand without its word.
LOOKS = {"pass": ("good", "check"), "review": ("warn", "eye"), "fail": ("bad", "close")}


@register.simple_tag
def part_inspections(part: Part) -> PartHistory:
    """The last inspections of a part's pieces, for its page."""
    return part_history(part)


@register.simple_tag
def qr_code(request: HttpRequest, part: Part) -> SafeString:
    """A code that opens the part's inspection on a phone."""
    address = f"{reverse('inspection_start')}?part={part.uuid}"
    return code_svg(request.build_absolute_uri(address))


@register.filter
def verdict_colour(verdict: str) -> str:
    return LOOKS.get(verdict, ("", ""))[0]


@register.filter
def verdict_icon(verdict: str) -> str:
    return LOOKS.get(verdict, ("", "clock"))[1]


@register.filter
def verdict_word(verdict: str) -> str:
    return str(Verdict(verdict).label) if verdict in Verdict.values else ""


@register.filter
def small_picture(inspection: Inspection) -> str:
    """The address of the photo that says most: the worst one, or the first."""
    photos = {photo.place: photo for photo in inspection.photos.all()}
    photo: Any = photos.get(inspection.worst or 0) or next(iter(photos.values()), None)
    return default_storage.url(photo.shown or photo.file.name) if photo else ""


@register.filter
def share(value: float | None) -> str:
    """A similarity or threshold with two digits; a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"

"""What templates need beyond Django's own: icons, lengths, similarities.

Formats values; reads nothing of the catalogue.
"""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from search.engine.mesh.types import Y_UP

register = template.Library()

# What `took_ms` counts, in the order of the work.
STAGES = {
    "prepare": lambda: _("cut out"),
    "encode": lambda: _("encode"),
    "search": lambda: _("search"),
    "fuse": lambda: _("fuse"),
    "hydrate": lambda: _("look up"),
    "verify": lambda: _("outlines"),
    "total": lambda: _("in all"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol of static/icons.svg, decoration only: say the same in words beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )


@register.simple_tag
def share_bar(several: list[Any]) -> SafeString:
    """What a score is made of as a bar of pieces, decoration only: the same stands in words.

    Drawn in SVG, whose widths are attributes: the pages' policy forbids styles in the markup.
    """
    pieces, start = [], 0.0
    for said in several:
        width = 100 * said.share
        pieces.append((said.place, f"{start:.2f}", f"{width:.2f}"))
        start += width
    drawn = format_html_join(
        "", '<rect class="share-{}" x="{}" y="0" width="{}" height="6"></rect>', pieces
    )
    return format_html(
        '<svg class="share-bar" viewBox="0 0 100 6" preserveAspectRatio="none" '
        'aria-hidden="true">{}</svg>',
        drawn,
    )


@register.filter
def significant(value: float | None) -> str:
    """Three digits that count, as people write them: 1,234 · 12.3 · 0.52; empty for None.

    What is less than the digits show is not nothing: < 0.0001.
    """
    if value is None:
        return ""
    size = abs(value)
    if 0 < size < 0.00005:
        return "< 0.0001"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 4
    # Both languages of the house write 1,234.5.
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


@register.filter
def box(extents: tuple[float, float, float] | None) -> str:
    """Three extents in mm as `24 × 24 × 6.2 mm`."""
    return " × ".join(map(significant, extents)) + " mm" if extents else ""


@register.filter
def volume(mm3: float | None) -> str:
    """A volume, in cm³ from 100 cm³ up and in m³ from 100,000 cm³ up."""
    if mm3 is None:
        return ""
    if mm3 >= 1e8:
        return f"{significant(mm3 / 1e9)} m³"
    return f"{significant(mm3 / 1000)} cm³" if mm3 >= 100_000 else f"{significant(mm3)} mm³"


@register.filter
def area(mm2: float | None) -> str:
    """A surface, in cm² from 100 cm² up and in m² from 10,000 cm² up."""
    if mm2 is None:
        return ""
    if mm2 >= 1e6:
        return f"{significant(mm2 / 1e6)} m²"
    return f"{significant(mm2 / 100)} cm²" if mm2 >= 10_000 else f"{significant(mm2)} mm²"


FORMATS = {"stl-binary": "STL", "stl-ascii": gettext_lazy("STL, as text"), "gltf": "glTF"}


@register.filter
def format_name(mesh_format: str) -> str:
    return str(FORMATS.get(mesh_format, mesh_format.upper()))


@register.filter
def up_axis(mesh_format: str) -> str:
    """The axis on which files of this format stand by custom."""
    return "y" if mesh_format in Y_UP else "z"


@register.filter
def percent(share: float | None) -> int:
    """A share 0..1 as whole percent; what lies outside is clipped."""
    return round(100 * min(max(share or 0.0, 0.0), 1.0))


@register.filter
def stages(took_ms: dict[str, float]) -> list[tuple[str, float]]:
    """Name and milliseconds of each stage there was, in order; unknown ones before the total."""
    known = {name: place for place, name in enumerate(STAGES)}
    unknown = len(known) - 1.5
    ordered = sorted(took_ms.items(), key=lambda pair: known.get(pair[0], unknown))
    return [(STAGES[name]() if name in STAGES else name, ms) for name, ms in ordered if ms >= 0.05]


@register.filter
def milliseconds(ms: float | None) -> str:
    if ms is None:
        return ""
    if ms >= 1000:
        return f"{significant(ms / 1000)} s"
    return f"{ms:.0f} ms" if ms >= 0.5 else "< 1 ms"


@register.simple_tag
def steps_done(steps: list[Any]) -> int:
    return sum(step.state == "done" for step in steps)

"""What is printed for inspections: the sheet of markers, and the code on a part's label."""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

DOTS_A_MM = 300 / 25.4


@dataclass(frozen=True)
class Paper:
    key: str  # as the engine names it
    name: str
    size: str


PAPERS = (Paper("a4", "A4", "210 × 297 mm"), Paper("letter", "Letter", "8.5 × 11 in"))


def sheet_drawn(paper: str, kind: str) -> tuple[bytes, str]:
    """The sheet as a file of `kind` (svg or png), and its content type."""
    from search.engine.qc.scale import sheet_picture, sheet_svg

    if kind == "svg":
        caption = _("actual size")
        return sheet_svg(paper, caption=caption).encode(), "image/svg+xml"  # type: ignore[arg-type]
    import cv2

    picture = sheet_picture(paper, dots_a_mm=DOTS_A_MM)  # type: ignore[arg-type]
    return cv2.imencode(".png", picture)[1].tobytes(), "image/png"


def code_svg(text: str) -> SafeString:
    """A QR code as SVG for a page, black on white whatever the page's colours: cameras ask for it.

    Of middling error correction: a label in a workshop gets scratched.
    """
    import segno

    made = segno.make(text, error="m", micro=False)
    drawn = made.svg_inline(border=3, omitsize=True, svgclass="code", lineclass="", dark="#000",
                            light="#fff")  # fmt: skip
    return mark_safe(drawn)  # noqa: S308  segno's own markup: the text is in it as squares only

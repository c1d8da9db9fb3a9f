"""One inspection on one page, as a PDF in the reader's language.

Latin is set in Helvetica, which every reader of PDFs has; all else in a font that is embedded, ours
(`fonts/`) or the one that `STLCATALOG_PDF_FONT` names.
"""

import io
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from search.inspection.selectors import others_of
from search.inspection.wording import Others, other_name, reason_sentences, verdict_sentence
from search.models import Inspection, InspectionPhoto

FONT = Path(__file__).parent / "fonts" / "DroidSansFallback-Big5.ttf"
WIDTH, HEIGHT = A4
EDGE = 16 * mm
INK, QUIET, RULE = HexColor("#1b2126"), HexColor("#5c6770"), HexColor("#d5dade")
COLOURS = {
    "pass": HexColor("#1f7a45"), "review": HexColor("#9a6500"), "fail": HexColor("#b3261e"),
}  # fmt: skip
PICTURE_PIXELS = 1000
REASONS_MOST, NOTE_LINES = 7, 4


def report_pdf(inspection: Inspection, *, address: str) -> bytes:
    """The page's bytes; `address` is where the inspection is found, printed at its foot."""
    out = io.BytesIO()
    page = _Page(out)
    page.canvas.setTitle(f"{_('Inspection')} {inspection.part}")
    page.canvas.setAuthor("STL Catalog")
    y = _head(page, inspection)
    y = _verdict(page, inspection, y)
    others = others_of(inspection)
    y = _reasons(page, reason_sentences(inspection.reasons, others), y)
    y = _facts(page, inspection, others, y)
    _pictures(page, list(inspection.photos.all()), y - 4 * mm, down_to=EDGE + 14 * mm)
    _foot(page, inspection, address)
    page.canvas.save()
    return out.getvalue()


# --- type ---------------------------------------------------------------------------------------


@cache
def _wide_font() -> str:
    """The font of what Helvetica does not know."""
    file = Path(settings.PDF_FONT) if settings.PDF_FONT else FONT
    pdfmetrics.registerFont(TTFont("STLCatalogWide", file))
    return "STLCatalogWide"


def runs(text: str) -> list[tuple[bool, str]]:
    """The text in pieces: (whether it needs the wide font, its characters)."""
    found: list[tuple[bool, str]] = []
    for char in text:
        wide = not _is_latin(char)
        if found and found[-1][0] == wide:
            found[-1] = wide, found[-1][1] + char
        else:
            found.append((wide, char))
    return found


def _is_latin(char: str) -> bool:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


class _Page:
    """A canvas with the house's type on it; places are from the lower left, in points."""

    def __init__(self, out: io.BytesIO) -> None:
        self.canvas = Canvas(out, pagesize=A4, pageCompression=1)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        return sum(
            pdfmetrics.stringWidth(part, self._font(wide, bold), size) for wide, part in runs(text)
        )

    def text(
        self, x: float, y: float, text: str, size: float = 9, *, bold: bool = False,
        colour: Color = INK, most: float | None = None,
    ) -> float:  # fmt: skip
        """Write one line, cut to `most` points; where it ends."""
        text = _plain(text)
        if most is not None and self.width(text, size, bold=bold) > most:
            while text and self.width(text + "…", size, bold=bold) > most:
                text = text[:-1]
            text += "…"
        self.canvas.setFillColor(colour)
        for wide, part in runs(text):
            font = self._font(wide, bold)
            self.canvas.setFont(font, size)
            self.canvas.drawString(x, y, part)
            x += pdfmetrics.stringWidth(part, font, size)
        return x

    def lines(self, text: str, size: float, width: float) -> list[str]:
        """The text broken to a width: at spaces, and anywhere in Chinese."""
        found, line = [], ""
        for word in _words(_plain(text)):
            if line and self.width(line + word.rstrip(), size) > width:
                found.append(line.rstrip())
                line = word.lstrip()
            else:
                line += word
        return [*found, line.rstrip()] if line.strip() else found

    def rule(self, y: float) -> None:
        self.canvas.setStrokeColor(RULE)
        self.canvas.setLineWidth(0.6)
        self.canvas.line(EDGE, y, WIDTH - EDGE, y)

    def picture(
        self, name: str | None, x: float, top: float, width: float, height: float
    ) -> float | None:
        """A stored picture at the top of a box, its ratio kept; its height, None without one."""
        data = _jpeg(name)
        if data is None:
            return None
        image = ImageReader(io.BytesIO(data))
        columns, rows = image.getSize()
        scale = min(width / columns, height / rows)
        left = x + (width - columns * scale) / 2
        self.canvas.drawImage(image, left, top - rows * scale, columns * scale, rows * scale)
        return float(rows * scale)

    def _font(self, wide: bool, bold: bool) -> str:
        return _wide_font() if wide else ("Helvetica-Bold" if bold else "Helvetica")


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def _words(text: str) -> list[str]:
    """Pieces a line may break after: words with their space, single wide characters."""
    found = [""]
    for char in text:
        found[-1] += char
        if char == " " or unicodedata.east_asian_width(char) in "WF":
            found.append("")
    return found


def _jpeg(name: str | None) -> bytes | None:
    if not name:
        return None
    try:
        with default_storage.open(name, "rb") as file, Image.open(file) as image:
            picture = Image.new("RGB", image.size, "white")
            shown = image.convert("RGBA")
            picture.paste(shown, mask=shown.getchannel("A"))
            picture.thumbnail((PICTURE_PIXELS, PICTURE_PIXELS))
    except OSError:
        return None
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88)
    return out.getvalue()


# --- the page's parts, each from a height down, giving the height below it -----------------------


def _head(page: _Page, inspection: Inspection) -> float:
    part, y = inspection.part, HEIGHT - EDGE - 6
    page.text(EDGE, y, "STL Catalog", 9, bold=True, colour=QUIET)
    when = timezone.localtime(inspection.finished_at or inspection.created_at)
    stamp = when.strftime("%Y-%m-%d %H:%M %Z")
    page.text(WIDTH - EDGE - page.width(stamp, 9), y, stamp, 9, colour=QUIET)
    y -= 12 * mm
    size = 24 * mm
    shown = part.thumbnail and page.picture(part.thumbnail.name, EDGE, y + 6 * mm, size, size)
    x = EDGE + (size + 6 * mm if shown else 0)
    page.text(x, y, _("Inspection report"), 17, bold=True, most=WIDTH - EDGE - x)
    page.text(x, y - 7 * mm, str(part), 11, bold=True, most=WIDTH - EDGE - x)
    line = _("Piece: %(piece)s") % {"piece": inspection.piece} if inspection.piece else ""
    sizes = [part.size_x, part.size_y, part.size_z]
    if all(value is not None for value in sizes):
        told = " × ".join(f"{value:.4g}" for value in sizes) + " mm"
        line = f"{line}   {told}" if line else told
    page.text(x, y - 12.5 * mm, line, 9, colour=QUIET, most=WIDTH - EDGE - x)
    return y - size + 2 * mm


def _verdict(page: _Page, inspection: Inspection, y: float) -> float:
    verdict = inspection.verdict or "review"
    height = 17 * mm
    canvas, colour = page.canvas, COLOURS[verdict]
    canvas.setFillColor(colour)
    canvas.roundRect(EDGE, y - height, WIDTH - 2 * EDGE, height, 2.5 * mm, stroke=0, fill=1)
    white = HexColor("#ffffff")
    label = str(inspection.get_verdict_display() or _("review"))
    label = label[:1].upper() + label[1:]
    page.text(EDGE + 6 * mm, y - 8 * mm, label, 17, bold=True, colour=white)
    page.text(
        EDGE + 6 * mm, y - 13.5 * mm, verdict_sentence(verdict), 9, colour=white,
        most=WIDTH / 2 - EDGE,
    )  # fmt: skip
    shown = "–" if inspection.similarity is None else f"{inspection.similarity:.3f}"
    told = f"{_('Similarity')}  {shown}"
    page.text(
        WIDTH - EDGE - 6 * mm - page.width(told, 13, bold=True), y - 8 * mm, told, 13, bold=True,
        colour=white,
    )  # fmt: skip
    if inspection.threshold is not None:
        limit = _("threshold %(threshold)s") % {"threshold": f"{inspection.threshold:.3f}"}
        page.text(
            WIDTH - EDGE - 6 * mm - page.width(limit, 9), y - 13.5 * mm, limit, 9, colour=white
        )
    return y - height - 6 * mm


def _reasons(page: _Page, told: Sequence[str], y: float) -> float:
    for sentence in told[:REASONS_MOST] or [_("Nothing speaks against the piece or its photos.")]:
        for at, line in enumerate(page.lines(sentence, 9.5, WIDTH - 2 * EDGE - 5 * mm)):
            page.text(EDGE, y, "•" if at == 0 else "", 9.5)
            page.text(EDGE + 4 * mm, y, line, 9.5)
            y -= 4.8 * mm
    return y - 1 * mm


def _facts(page: _Page, inspection: Inspection, others: Others, y: float) -> float:
    photos = list(inspection.photos.all())
    deviations = [photo.max_dev_mm for photo in photos if photo.max_dev_mm is not None]
    scale = _("measured by the marker sheet") if inspection.scaled else _("assumed from the file")
    rows: list[tuple[str, str]] = [
        (_("Chance of a good piece"), _share(inspection.p_good)),
        (_("Surface seen"), _share(inspection.coverage)),
        (_("Greatest deviation"), f"{max(deviations):.2f} mm" if deviations else "–"),
        (_("Scale"), scale),
        (_("Decision"), _decision(inspection)),
        (_("Calibration"), inspection.calibration or "–"),
    ]
    if inspection.rivals:
        rows.insert(3, (_("Nearest other part"), other_name(inspection.rivals[0], others)))
    page.rule(y + 2.5 * mm)
    y -= 2.5 * mm
    half = (WIDTH - 2 * EDGE) / 2
    for at, (name, value) in enumerate(rows):
        x = EDGE + (at % 2) * half
        line = y - (at // 2) * 5 * mm
        page.text(x, line, name, 8.5, colour=QUIET, most=0.42 * half)
        page.text(x + 0.44 * half, line, value, 8.5, most=0.54 * half)
    y -= (len(rows) + 1) // 2 * 5 * mm
    if inspection.note:
        lines = page.lines(f"{_('Note')}: {inspection.note}", 8.5, WIDTH - 2 * EDGE)
        for line in lines[:NOTE_LINES]:
            page.text(EDGE, y, line, 8.5)
            y -= 4.4 * mm
    page.rule(y + 2.5 * mm)
    return y


def _pictures(page: _Page, photos: Sequence[InspectionPhoto], y: float, *, down_to: float) -> None:
    """Up to four photos with the differences drawn over them, as large as the page lets them."""
    if not photos:
        return
    columns = 1 if len(photos) == 1 else 2
    count = (len(photos) + columns - 1) // columns
    gap, caption = 5 * mm, 5 * mm
    width = (WIDTH - 2 * EDGE - (columns - 1) * gap) / columns
    height = (y - down_to - (count - 1) * gap) / count - caption
    for at, photo in enumerate(photos):
        x = EDGE + (at % columns) * (width + gap)
        top = y - (at // columns) * (height + caption + gap)
        name = photo.overlay or photo.shown or photo.file.name
        drawn = page.picture(name, x, top, width, height) or 0.0
        told = [_("Photo %(number)s") % {"number": photo.place + 1}]
        if photo.verdict:
            told.append(str(photo.get_verdict_display()))
        if photo.similarity is not None:
            told.append(f"{photo.similarity:.3f}")
        if photo.max_dev_mm is not None:
            told.append(f"{photo.max_dev_mm:.2f} mm")
        page.text(x, top - drawn - 3.6 * mm, "  ·  ".join(told), 8, colour=QUIET, most=width)


def _foot(page: _Page, inspection: Inspection, address: str) -> None:
    page.rule(EDGE + 7 * mm)
    key = _("Green: the part's outline. Red: missing. Blue: too much. Yellow: the worst place.")
    page.text(EDGE, EDGE + 2.6 * mm, key, 7.5, colour=QUIET, most=WIDTH - 2 * EDGE)
    page.text(EDGE, EDGE - 1.2 * mm, address, 7.5, colour=QUIET, most=WIDTH - 2 * EDGE)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _decision(inspection: Inspection) -> str:
    if not inspection.decision:
        return str(_("not decided"))
    told: list[Any] = [inspection.get_decision_display()]
    if inspection.decided_by:
        told.append(inspection.decided_by)
    if inspection.decided_at:
        told.append(timezone.localtime(inspection.decided_at).strftime("%Y-%m-%d %H:%M"))
    return ", ".join(map(str, told))

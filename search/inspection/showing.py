"""What the page of an inspection shows: numbers with their units, and the sentences beside them."""

import json
import math
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from catalog.models import Part
from catalog.templatetags.house import percent, significant
from search.inspection.wording import STAGES, Others, reasons_told, rivals_told
from search.models import Inspection, InspectionPhoto

# By how much (the engine's margin) another part must fit better or worse to be called so.
EVEN = 0.02


@dataclass(frozen=True)
class Row:
    """A measure in a table; `limit` is what is allowed, where anything is."""

    name: str
    value: str
    limit: str = ""
    over: bool = False


@dataclass(frozen=True)
class Ring:
    """A place in the photo, in its pixels."""

    x: float
    y: float
    radius: float
    kind: str
    text: str


@dataclass(frozen=True)
class PhotoShown:
    """A photo as its tab shows it; addresses are None where there is no such picture."""

    place: int
    photo: InspectionPhoto
    photo_url: str
    overlay_url: str | None
    part_url: str | None
    mask_url: str | None
    reasons: list[dict[str, Any]]
    rings: list[Ring]
    rows: list[Row]
    pose: str
    """JSON for the script that lays the part over the photo; "null" where no pose was found"""

    @property
    def corrected(self) -> bool:
        given = self.photo.pose_given, self.photo.box_given
        return bool(self.photo.mask_given) or given != (None, None)


def photos_shown(inspection: Inspection, others: Others) -> list[PhotoShown]:
    return [photo_shown(inspection, photo, others) for photo in inspection.photos.all()]


def photo_shown(inspection: Inspection, photo: InspectionPhoto, others: Others) -> PhotoShown:
    return PhotoShown(
        place=photo.place,
        photo=photo,
        photo_url=address(photo.shown) or address(photo.file.name) or "",
        overlay_url=address(photo.overlay),
        part_url=address(photo.drawn),
        mask_url=address(photo.mask),
        reasons=reasons_told(photo.reasons, others),
        rings=rings_of(photo, diagonal_mm(inspection.part)),
        rows=measure_rows(inspection, photo),
        pose=json.dumps(photo.pose),
    )


def address(name: str) -> str | None:
    """Where the browser gets a file of the storage."""
    return default_storage.url(name) if name else None


def diagonal_mm(part: Part) -> float:
    return math.sqrt(sum(side**2 for side in part.bbox_mm)) if part.bbox_mm else 0.0


def millimetre(part: Part) -> float:
    """Millimetres in one unit of the preview mesh."""
    return Part.UNIT_MM[Part.Unit(part.unit)]


def rings_of(photo: InspectionPhoto, diagonal: float) -> list[Ring]:
    """Where piece and part differ; the first is the worst."""
    kinds = {
        "missing": _("Something is missing here"),
        "extra": _("There is something too much here"),
        "surface": _("The surface looks otherwise here"),
    }
    longest = max(photo.width, photo.height, 1)
    rings = []
    for blob in photo.blobs[:4]:
        left, top, right, bottom = blob["box"]
        radius = max(0.6 * max(right - left, bottom - top), 0.02 * longest)
        x, y = blob["place"]
        text = kinds.get(blob["kind"], "")
        if diagonal:
            size = significant(blob["thickness"] * diagonal)
            text = _("%(what)s: %(size)s mm") % {"what": text, "size": size}
        rings.append(
            Ring(
                round(x, 1), round(y, 1), round(min(radius, 0.12 * longest), 1), blob["kind"], text
            )
        )
    return rings


def measure_rows(inspection: Inspection, photo: InspectionPhoto) -> list[Row]:
    """Lengths in mm, which are the part's own: the photo is scaled to it by the pose."""
    measures, diagonal = photo.measures, diagonal_mm(inspection.part)
    if not measures:
        return []
    limits = inspection.limits
    allowed = max(limits.get("tolerance", 0.0) * diagonal, limits.get("tolerance_mm", 0.0))

    def length(name: str) -> str:
        return f"{significant(measures[name] * diagonal)} mm"

    widest = measures["thickness"] * diagonal
    rows = [
        Row(_("Widest deviation"), length("thickness"),
            f"{significant(allowed)} mm" if allowed else "", widest > allowed > 0),
        Row(_("Outlines apart, on average"), length("mean")),
        Row(_("Outlines apart, at most, along 95 percent"), length("p95")),
        Row(_("Largest deviating area"), f"{significant(measures['blob'] * diagonal**2)} mm²"),
        Row(_("Outlines overlap"), f"{measures['iou'] * 100:.1f}%"),
        Row(_("Inner edges not found"), f"{percent(measures['unsupported'])}%"),
    ]  # fmt: skip
    if photo.size_factor is not None:
        off = limits.get("size", 0.0)
        rows.append(
            Row(_("Size beside the part's"), f"{photo.size_factor * 100:.1f}%",
                f"±{off * 100:g}%" if off else "", abs(photo.size_factor - 1) > off > 0)
        )  # fmt: skip
    return [row for row in rows if "nan" not in row.value]


@dataclass(frozen=True)
class RivalShown:
    """Another part that the piece might be; `part` is None when it is gone from the catalogue."""

    name: str
    margin: float
    part: Part | None = None

    @property
    def says(self) -> str:
        if self.margin > EVEN:
            return _("fits better")
        return _("fits less well") if self.margin < -EVEN else _("fits about as well")

    @property
    def better(self) -> bool:
        return self.margin > EVEN


def rivals_shown(inspection: Inspection, others: Others) -> list[RivalShown]:
    return [
        RivalShown(rival["name"], rival["margin"], others.get(rival["part"]))
        for rival in rivals_told(inspection.rivals, others)
    ]


@dataclass(frozen=True)
class StageShown:
    name: str
    state: str  # done, running or waiting


def stages_shown(inspection: Inspection) -> list[list[StageShown]]:
    """How far the work is: for each photo, each stage."""
    order = list(STAGES)
    at = order.index(inspection.stage) if inspection.stage in order else -1
    shown = []
    for photo in inspection.photos.all():
        states = []
        for number, stage in enumerate(order):
            here = (photo.place, number) if at >= 0 else (0, 0)
            now = (inspection.stage_photo, at) if at >= 0 else (0, -1)
            state = "done" if here < now else "running" if here == now else "waiting"
            states.append(StageShown(str(STAGES[stage]), state))
        shown.append(states)
    return shown

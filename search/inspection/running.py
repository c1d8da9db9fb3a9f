"""One inspection from its photos to its verdict, by the worker that holds it.

Knows nothing of claims and queues: `services.py` says when, and keeps what comes out.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from PIL import Image

from catalog.errors import ServiceError
from catalog.files import bytes_keep
from catalog.models import Part
from search.inspection.limits import Asked, calibration_of, learnt_of, p_good_at
from search.inspection.preparing import part_prepared
from search.inspection.rounding import json_floats
from search.models import Inspection, InspectionPhoto
from search.neighbours import parts_similar

if TYPE_CHECKING:
    from search.engine.qc.inspect import PhotoInspection, PreparedPart
    from search.engine.qc.judge import Calibration
    from search.engine.qc.segmenter import Segmenter
    from search.engine.qc.types import InspectionPhoto as Photo
    from search.engine.qc.types import Pose

Progress = Callable[[int, str], None]
"""called with a photo's place and the name of a stage as it begins"""

# Of a piece that looks nothing like the part: as unlike as there is.
HOPELESS = {"no_fit"}
QUALITY = 85  # of the pictures kept, WebP


@dataclass
class Looked:
    """A photo, and what was found in it: `seen`, or the code of why nothing could be."""

    row: InspectionPhoto
    photo: "Photo | None" = None
    seen: "PhotoInspection | None" = None
    code: str = ""
    params: Mapping[str, Any] | None = None


def inspection_look(
    inspection: Inspection, asked: Asked, *, progress: Progress
) -> tuple[dict[str, Any], list[InspectionPhoto]]:
    """The fields of the inspection, and its photos' rows with theirs; pictures are kept already.

    Raises `ServiceError` when the part itself cannot be compared with anything.
    """
    part = part_prepared(inspection.part)
    learnt = learnt_of(inspection.part)
    calibration = calibration_of(learnt)
    others = rivals_prepared(inspection.part)
    rivals = {key: prepared for key, (_, prepared) in others.items()}
    looks = [
        photo_look(row, part, rivals, calibration, asked, progress=progress)
        for row in inspection.photos.all()
    ]
    names = {key: str(other) for key, (other, _) in others.items()}
    for look in looks:
        photo_fill(
            look,
            part,
            names,
            shipped=replace(calibration, shift=0.0),
            folder=folder_of(inspection),
            revision=inspection.revision,
        )
    fields = verdict_of(looks, calibration, asked, names)
    fields["heat"] = heat_keep(inspection, part, looks)
    fields |= {
        "calibration": calibration.version, "odds_version": calibration.version,
        "shift": calibration.shift, "limits": asked.to_json(),
        "learnt": learnt.to_json() if learnt.n_good or learnt.n_bad else None,
    }  # fmt: skip
    return fields, [look.row for look in looks]


def rivals_prepared(part: Part) -> "dict[str, tuple[Part, PreparedPart]]":
    """The nearest other parts of the catalogue, those aside that look the same in any photo."""
    most = settings.SEARCH.inspection.rivals
    found: dict[str, tuple[Part, PreparedPart]] = {}
    if not most:
        return found
    try:
        hits = parts_similar(part, k=min(2 * most, settings.SEARCH.search.max_k)).results
    except ServiceError:  # no engine can say what is near: there is the part itself still
        return found
    for hit in hits:
        if len(found) == most or hit.relation in {"same", "scaled"}:
            continue
        try:
            found[str(hit.part.uuid)] = hit.part, part_prepared(hit.part)
        except ServiceError:
            continue
    return found


def photo_look(
    row: InspectionPhoto,
    part: "PreparedPart",
    rivals: "Mapping[str, PreparedPart]",
    calibration: "Calibration",
    asked: Asked,
    *,
    progress: Progress,
) -> Looked:
    """Inspect one photo. What is wrong with it is said, not raised."""
    from search.engine.errors import EngineError
    from search.engine.qc.inspect import photo_inspect
    from search.engine.qc.scale import scale_find

    look = Looked(row)
    try:
        look.photo = photo_read(row)
        sheet = scale_find(look.photo.rgb)
        look.seen = photo_inspect(
            look.photo,
            part,
            rivals=rivals,
            calibration=calibration,
            limits=asked.limits(calibration),
            mask=mask_read(row),
            box=box_read(row.box_given),
            pose=pose_read(row.pose_given, mm=Part.UNIT_MM[Part.Unit(row.inspection.part.unit)]),
            sheet=sheet,
            segmenter=segmenter_chosen(),
            stage=lambda stage: progress(row.place, stage),
        )
    except EngineError as error:
        look.code, look.params = error.code, error.params
    return look


def segmenter_chosen() -> "Segmenter | None":
    """The network that the configuration names to find pieces with, loaded once; None: our own.

    Raises `ServiceError` (503) where its file is no such network.
    """
    name = settings.SEARCH.inspection.segmenter
    if name is None:
        return None
    from search.engine.errors import EngineError

    try:
        return _segmenter_load(settings.WEIGHTS / name)
    except EngineError as error:
        raise ServiceError(error.code, status=503, name=name) from error


@cache
def _segmenter_load(path: Path) -> "Segmenter":
    from search.engine.qc.segmenter import OnnxSegmenter

    return OnnxSegmenter(path)


def photo_read(row: InspectionPhoto) -> "Photo":
    """The photo as it is inspected. Raises `PictureError`, and `ServiceError` from the storage."""
    from search import engines
    from search.engine.qc.inspect import inspection_photo_read
    from search.engine.qc.read import LONGEST_SIDE

    limits = replace(engines.photo_limits(), longest_side=LONGEST_SIDE)
    try:
        with row.file.open("rb") as file:
            return inspection_photo_read(file.read(), limits=limits)
    except OSError as error:
        raise ServiceError("storage_away", status=503) from error


def mask_read(row: InspectionPhoto) -> "np.ndarray | None":
    """(h, w) as a person corrected it. Raises `ServiceError` from the storage."""
    if not row.mask_given:
        return None
    try:
        with row.mask_given.open("rb") as file, Image.open(file) as image:
            return np.asarray(image.convert("L"))
    except OSError as error:
        raise ServiceError("storage_away", status=503) from error


def box_read(held: Mapping[str, int] | None) -> tuple[int, int, int, int] | None:
    if not held:
        return None
    left, top = held["x"], held["y"]
    return left, top, left + held["width"], top + held["height"]


def pose_read(held: Mapping[str, Any] | None, *, mm: float) -> "Pose | None":
    """The pose as a person corrected it, of a part whose unit is `mm` now."""
    from search.engine.qc.types import Pose

    if not held:
        return None
    grown = mm / held.get("mm", mm)
    translation = np.array(held["translation"], float) * grown
    return Pose(np.array(held["rotation"], float), translation, float(held["focal"]))


# --- what is kept -------------------------------------------------------------------------------


def folder_of(inspection: Inspection) -> str:
    return f"inspections/{inspection.uuid.hex[:2]}/{inspection.uuid.hex}"


def photo_fill(
    look: Looked,
    part: "PreparedPart",
    names: Mapping[str, str],
    *,
    shipped: "Calibration",
    folder: str,
    revision: int,
) -> None:
    """Write what was found into the photo's row (not saved), and keep its pictures."""
    row, seen = look.row, look.seen
    for field in ("verdict", "similarity", "p_good", "odds", "pose", "max_dev_mm", "coverage",
                  "size_factor", "overlay", "drawn", "mask", "ambiguous", "measures", "blobs",
                  "took_ms"):  # fmt: skip
        setattr(row, field, InspectionPhoto._meta.get_field(field).get_default())
    stem = f"{folder}/{revision}-{row.place}"
    if look.photo is not None:
        row.height, row.width = look.photo.rgb.shape[:2]
        row.shown = picture_keep(f"{folder}/{row.place}-shown.webp", look.photo.rgb)
    if seen is None or look.photo is None:
        row.verdict = "review"
        row.reasons = [{"code": look.code, "params": json_floats(dict(look.params or {}))}]
        if look.code in HOPELESS:
            row.similarity = row.p_good = 0.0
        return
    from search.engine.qc.overlay import overlay_draw, part_picture

    row.verdict, row.similarity, row.p_good = seen.verdict, seen.similarity, seen.p_good
    row.odds = shipped.odds(seen.measures)
    row.reasons = reasons_json(seen.reasons, names)
    pose = seen.pose
    row.pose = json_floats(
        {"rotation": pose.rotation, "translation": pose.translation, "focal": float(pose.focal)}
    )
    row.ambiguous, row.coverage = bool(seen.ambiguous), float(seen.coverage)
    row.measures, row.blobs = (
        json_floats(asdict(seen.measures)),
        json_floats([asdict(blob) for blob in seen.blobs]),
    )
    row.max_dev_mm = json_floats(float(seen.max_dev_mm))
    row.size_factor = None if seen.size is None else float(seen.size)
    row.took_ms = json_floats(seen.took_ms)
    rgb = look.photo.rgb
    row.overlay = picture_keep(f"{stem}-overlay.webp", overlay_draw(rgb, seen))
    row.drawn = picture_keep(f"{stem}-part.webp", part_picture(part, pose, rgb.shape))
    row.mask = picture_keep(f"{stem}-mask.png", seen.mask)


def reasons_json(reasons: Any, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Reasons as a row keeps them; other parts by their names too."""
    kept = []
    for reason in reasons:
        params = dict(reason.params)
        if "part" in params:
            params["name"] = names.get(str(params["part"]), "")
        kept.append({"code": reason.code, "params": json_floats(params)})
    return kept


def picture_keep(name: str, pixels: "np.ndarray") -> str:
    """Keep (h, w), (h, w, 3) or (h, w, 4) uint8; a run that is done again writes the same name."""
    file = io.BytesIO()
    if name.endswith(".png"):
        Image.fromarray(pixels).save(file, "PNG")
    else:
        Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=2)
    return bytes_keep(name, file.getvalue())


def heat_keep(inspection: Inspection, part: "PreparedPart", looks: list[Looked]) -> str:
    """How much each place of the preview deviates in any of the photos, for the viewer; no photo
    shows what is 0, and 1 to 255 run from as it should be to far off. None judged: no file."""
    from search.engine.errors import EngineError
    from search.engine.explain.surface import (
        centred,
        lattice_points,
        lattice_sizes,
        surface_pack,
    )
    from search.engine.mesh.preview import preview_read
    from search.engine.qc.overlay import deviation_at

    judged = [look.seen for look in looks if look.seen is not None]
    if not judged or not inspection.part.preview:
        return ""
    try:
        with inspection.part.preview.open("rb") as file:
            triangles = preview_read(file.read())
    except (FileNotFoundError, EngineError):  # it is being made anew
        return ""
    sizes = lattice_sizes(centred(triangles))
    points, owner = lattice_points(triangles, sizes)
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])[owner]
    mm = Part.UNIT_MM[Part.Unit(inspection.part.unit)]
    heat = np.zeros(len(points), np.uint8)
    for seen in judged:
        values, shown = deviation_at(points * np.float32(mm), normals, part, seen)
        level = np.where(shown > 0, 1 + np.round(254 * values), 0).astype(np.uint8)
        heat = np.maximum(heat, level)
    name = f"{folder_of(inspection)}/{inspection.revision}.heat"
    return bytes_keep(name, surface_pack(sizes, heat))


def verdict_of(
    looks: list[Looked], calibration: "Calibration", asked: Asked, names: Mapping[str, str]
) -> dict[str, Any]:
    """The inspection's own fields, of all its photos together."""
    from search.engine.qc.inspect import inspection_fuse

    judged = [(look.row.place, look.seen) for look in looks if look.seen is not None]
    unjudged = [look for look in looks if look.seen is None]
    told = [reason for look in unjudged for reason in look.row.reasons]
    fields: dict[str, Any] = {
        "verdict": "review", "similarity": None, "p_good": None, "odds": None, "coverage": None,
        "worst": None, "rivals": [], "reasons": told, "threshold": asked.threshold,
        "scaled": any(seen.size is not None for _, seen in judged),
    }  # fmt: skip
    if any(look.code in HOPELESS for look in unjudged):
        fields |= {"similarity": 0.0, "p_good": 0.0}
    if not judged:
        return fields
    photos = [seen for _, seen in judged]
    limit = p_good_at(calibration, asked.threshold)
    fused = inspection_fuse(photos, calibration=replace(calibration, pass_at=limit))
    similarity = calibration.similarity(fused.p_good)
    best: dict[str, float] = {}
    for seen in photos:
        for rival in seen.rivals:
            best[rival.key] = max(best.get(rival.key, -1.0), float(rival.margin))
    verdict = fused.verdict
    # One photo that shows another thing, or nothing, is not outvoted by one that looks right.
    if verdict == "pass" and (unjudged or similarity < asked.threshold):
        verdict = "review"
    hopeless = fields["similarity"] is not None
    return fields | {
        "verdict": verdict,
        "similarity": 0.0 if hopeless else similarity,
        "p_good": 0.0 if hopeless else fused.p_good,
        "odds": None if hopeless else odds_plain(photos, calibration),
        "coverage": fused.coverage,
        "worst": judged[fused.worst][0],
        "reasons": [*told, *reasons_json(fused.reasons, names)],
        "rivals": [
            {"part": key, "name": names.get(key, ""), "margin": round(margin, 4)}
            for key, margin in sorted(best.items(), key=lambda pair: -pair[1])
        ],
    }


def odds_plain(photos: "list[PhotoInspection]", calibration: "Calibration") -> float:
    """Log odds of all photos together by the calibration as it is shipped."""
    shipped = replace(calibration, shift=0.0)
    return shipped.fused_odds(np.array([shipped.odds(photo.measures) for photo in photos]))

"""From what was measured to pass, review or fail, with reasons; and several photos made one.

A deviation that can be shown fails a piece; doubt calls for another look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import InspectionError
from search.engine.qc.judge import EVEN, Calibration, calibration_shipped, pass_limit, probability
from search.engine.qc.types import (
    Blob,
    Measures,
    Pose,
    QcLimits,
    Reason,
    Rival,
    VerdictName,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from search.engine.qc.fit import Window
    from search.engine.qc.measures import Comparison
    from search.engine.qc.part import PreparedPart
    from search.engine.render.types import Bytes, Floats

MOST_PHOTOS = 4
# Below this overlap the pose is in doubt.
DOUBTFUL_FIT = 0.86
# Less contrast than this, in the colours' own spreads, is no outline to judge by.
LEAST_CONTRAST = 1.2
# A rival this much better makes the piece another part; this near, the parts cannot be told apart.
RIVAL_WINS, RIVAL_NEAR = 0.02, 0.0
# A deviation so many tolerances wide, which the photo's colours speak for, never passes.
# One so many wide fails, unless the piece is likelier good than bad.
VETO, GRAVE = 2.0, 4.0
DEVIATIONS = {
    "other_part", "size_deviation", "local_deviation", "surface_deviation", "edges_missing",
    "unlike",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PhotoInspection:
    """One photo against one part.

    verdict, p_good 0..1, similarity 0..1 (monotone in p_good; 0.9 at the limit of passing),
    reasons, the worst first. mask (h, w) uint8 of the photo, 255 on the piece; pose; `ambiguous`:
    another pose is about as good. measures; blobs, the worst first; coverage 0..1, the share of
    the part's surface the photo shows; `seen` (k,) bool, which of the part's sample points.
    rivals, the best first. odds: log odds that the piece is good. For pictures of it: `window`,
    the square about the piece at SIDE pixels, `drawn` (s, s) the part's mask there, `surface`
    (s, s) float32 how far the light is off, in its own spreads. size beside the part's, where a
    sheet tells it. took_ms by stage.
    """

    verdict: VerdictName
    p_good: float
    similarity: float
    reasons: tuple[Reason, ...]
    mask: Bytes
    pose: Pose
    ambiguous: bool
    measures: Measures
    max_dev_mm: float
    blobs: tuple[Blob, ...]
    coverage: float
    seen: NDArray[np.bool_]
    rivals: tuple[Rival, ...]
    odds: float
    window: Window
    drawn: Bytes
    surface: Floats
    size: float | None
    took_ms: dict[str, float]


@dataclass(frozen=True, eq=False)
class Verdict:
    """One to four photos of one piece: verdict, p_good, similarity and reasons as of one photo;
    coverage of all together; `worst` is the photo that speaks most against the piece."""

    verdict: VerdictName
    p_good: float
    similarity: float
    reasons: tuple[Reason, ...]
    coverage: float
    worst: int


def verdict_of(
    p_good: float,
    compared: Comparison,
    ambiguous: bool,
    rivals: tuple[Rival, ...],
    doubts: list[Reason],
    calibration: Calibration,
    tolerance: float,
    part: PreparedPart,
    limits: QcLimits,
) -> tuple[VerdictName, tuple[Reason, ...]]:
    """A deviation that can be shown fails a piece; doubt calls for another look."""
    measures = compared.measures
    against = _deviations(compared, tolerance, part)
    if rivals and rivals[0].margin > RIVAL_WINS:
        best = rivals[0]
        other = Reason("other_part", {"part": best.key, "margin": round(best.margin, 3)})
        return "fail", (other, *against, *doubts)
    if measures.iou < DOUBTFUL_FIT:
        doubts = [Reason("pose_doubtful", {"overlap": round(measures.iou, 2)}), *doubts]
    if measures.contrast < LEAST_CONTRAST:
        doubts = [*doubts, Reason("low_contrast")]
    if ambiguous:
        doubts = [*doubts, Reason("pose_ambiguous")]
    if rivals and rivals[0].margin > RIVAL_NEAR:
        doubts = [*doubts, Reason("rival_near", {"part": rivals[0].key})]
    grave = [reason for reason in doubts if reason.code != "pose_ambiguous"]
    pass_at = calibration.pass_at if limits.pass_at is None else limits.pass_at
    fail_under = calibration.fail_under if limits.fail_under is None else limits.fail_under
    gross = measures.weighed > GRAVE * tolerance and p_good < EVEN
    if (p_good < fail_under or gross) and against and not grave:
        return "fail", (*against, *doubts)
    plain = measures.weighed > VETO * tolerance
    enough = p_good >= pass_limit(pass_at, calibration.pass_at)
    if enough and not grave and not plain:
        return "pass", tuple(doubts)
    if p_good < pass_at and not against:
        against = [Reason("unlike", {"p_good": round(p_good, 3)})]
    if p_good >= pass_at and not enough:
        doubts = [*doubts, Reason("unsure", {"p_good": round(p_good, 3)})]
    return "review", (*(against if p_good < pass_at or plain else []), *doubts)


def verdict_sized(
    size: float, limits: QcLimits, name: VerdictName, why: tuple[Reason, ...]
) -> tuple[VerdictName, tuple[Reason, ...]]:
    """The verdict with the size taken into account; it fails only a piece whose pose is sure."""
    if abs(size - 1) <= limits.size:
        return name, why
    reason = Reason("size_deviation", {"factor": round(size, 3), "limit": limits.size})
    return ("review" if name == "review" else "fail"), (reason, *why)


def _deviations(compared: Comparison, tolerance: float, part: PreparedPart) -> list[Reason]:
    """What can be shown: outlines apart, the surface unlike, edges too many or too few."""
    found = []
    for blob in compared.blobs:
        if blob.thickness > tolerance:
            params: dict[str, float | str] = {
                "kind": blob.kind,
                "value_mm": round(blob.thickness * part.diagonal_mm, 2),
                "limit_mm": round(tolerance * part.diagonal_mm, 2),
            }
            found.append(Reason("local_deviation", params))
            break
    measures = compared.measures
    if measures.surface > tolerance**2 and measures.strength > 4:
        found.append(Reason("surface_deviation", {"strength": round(measures.strength, 1)}))
    if measures.unsupported > 0.5:
        found.append(Reason("edges_missing", {"share": round(measures.unsupported, 2)}))
    return found


def inspection_fuse(
    photos: Sequence[PhotoInspection], *, calibration: Calibration | None = None
) -> Verdict:
    """One verdict of one to MOST_PHOTOS photos of one piece. Raises InspectionError photos_count.

    A defect shows from some sides only, and photos of one piece err alike: the log odds are mixed
    of their mean and their lowest, and grow with the root of how many there are.
    """
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise InspectionError(
            "photos_count",
            f"An inspection takes 1 to {MOST_PHOTOS} photos, not {len(photos)}.",
            found=len(photos),
            limit=MOST_PHOTOS,
        )
    calibration = calibration or calibration_shipped()
    odds = np.array([photo.odds for photo in photos])
    p_good = probability(calibration.fused_odds(odds))
    names = [photo.verdict for photo in photos]
    worst = int(odds.argmin())
    reasons = _reasons_joined(photos)
    telling = [photo for photo in photos if photo.verdict == "fail"]
    limit = pass_limit(calibration.pass_at, calibration_shipped().pass_at)
    if telling and (p_good < calibration.fail_under or any(_is_other(p) for p in telling)):
        name: VerdictName = "fail"
    elif p_good >= limit and "pass" in names and not _spoken_against(photos):
        name = "pass"
    else:
        name = "review"
    if name != "review":
        # What one photo alone could not tell, all of them have told.
        reasons = tuple(reason for reason in reasons if reason.code != "unsure")
    coverage = float(np.mean(np.any([photo.seen for photo in photos], axis=0)))
    return Verdict(name, p_good, calibration.similarity(p_good), reasons, coverage, worst)


def _spoken_against(photos: Sequence[PhotoInspection]) -> bool:
    """Whether any of them shows a deviation: no number of other sides makes up for it."""
    return any(
        photo.verdict != "pass" and DEVIATIONS & {reason.code for reason in photo.reasons}
        for photo in photos
    )


def _is_other(photo: PhotoInspection) -> bool:
    return any(reason.code == "other_part" for reason in photo.reasons)


def _reasons_joined(photos: Sequence[PhotoInspection]) -> tuple[Reason, ...]:
    """Each code once, as the photo that speaks most against the piece says it."""
    joined: dict[str, Reason] = {}
    for photo in sorted(photos, key=lambda photo: photo.odds):
        for reason in photo.reasons:
            joined.setdefault(reason.code, reason)
    return tuple(joined.values())

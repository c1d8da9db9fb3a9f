"""How well an inspection tells good pieces from bad ones, on simulated photos.

Pieces and photos are those of `bench.qc_photos`: by another renderer than the one the inspection
compares with, every scene new. All that is chosen or fitted is so on the calibrating families;
the reporting ones are looked at only here. Beside it the first plan of the product: one cosine
between the photo and 25 views (of gradients, HOG), and a limit.

    python -m bench.qc                # the table
    python -m bench.qc --calibrate    # fits search/engine/qc/calibration.json
    python -m bench.qc --half calibrate --parts 6    # the table on what may be looked at

Needs the extra `bench` (embreex). Photos are taken once, at one to two seconds each.
"""

import argparse
import hashlib
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from bench.qc_first_plan import hog_cosine, hog_views
from bench.qc_photos import FAMILIES_USED, VERSION, WORK, Shot, part_make, shots_of, sibling_make
from bench.running import table
from search.engine.errors import EngineError
from search.engine.qc.inspect import (
    PhotoInspection,
    PreparedPart,
    QcLimits,
    inspection_photo_read,
    part_prepare,
    photo_inspect,
)
from search.engine.qc.judge import (
    EVEN,
    FAILED,
    FEATURES,
    REVIEWED,
    SHIPPED,
    Calibration,
    calibration_fit,
    calibration_shipped,
    measures_features,
)
from search.engine.render.pose import pose_render
from search.engine.render.types import Camera

VISIBLE = 0.01  # of a piece's pixels must look otherwise for a defect to count as visible
ON_IT = 0.04  # of the diagonal: the worst point is this near to the change of the outline
PLACES = {"broken", "grown", "plugged"}
SAMPLES = 1500
# Of the regression's ridge: chosen on the calibrating half, each part by the others.
PENALTY = 3.0
PATIENT = QcLimits(seconds=1e6)  # a busy machine must not turn photos into refusals


@dataclass(frozen=True)
class Row:
    """One photo inspected: what is true, and what was found."""

    shot: Shot
    refused: str
    seen: PhotoInspection | None
    mask_iou: float
    adds: float
    margin: float
    """how much better the sibling fits than the part"""
    on_it: float | None
    """of the diagonal, from the worst point to the change; None where the outline shows none"""
    cosine: float
    seconds: float


def rows_of(key: str, half: str, every: int) -> list[Row]:
    triangles = part_make(key, half)
    part, views = part_prepare(triangles), hog_views(triangles)
    sibling = {"sibling": part_prepare(sibling_make(key, half))}
    return [row_make(*taken, part, sibling, views) for taken in shots_of(key, half)[::every]]


def row_make(
    shot: Shot,
    jpeg: bytes,
    truth: NDArray[np.bool_],
    part: PreparedPart,
    sibling: dict[str, PreparedPart],
    views: NDArray[np.float64],
) -> Row:
    photo = inspection_photo_read(jpeg)
    started = time.process_time()
    compared = sibling if shot.kind in {"good", "sibling"} else {}
    cosine = hog_cosine(photo.rgb, truth, views)
    try:
        seen = photo_inspect(
            photo, part, rivals=compared, limits=PATIENT, calibration=calibration_in_use()
        )
    except EngineError as error:
        spent = time.process_time() - started
        return Row(shot, error.code, None, 0.0, 1.0, 0.0, None, cosine, spent)
    spent = time.process_time() - started - seen.took_ms.get("competition", 0.0) / 1000
    found = seen.mask > 0
    overlap = float((found & truth).sum() / max((found | truth).sum(), 1))
    margin = seen.rivals[0].margin if seen.rivals else 0.0
    gap = on_change(shot, seen, truth, part) if shot.kind in PLACES else None
    adds = pose_error(shot, seen, part)
    return Row(shot, "", seen, overlap, adds, margin, gap, cosine, spent)


def pose_error(shot: Shot, seen: PhotoInspection, part: PreparedPart) -> float:
    """ADD-S of the turn alone, in diagonals (Hinterstoisser et al. 2012, for symmetric parts)."""
    points = part.points.astype(float)
    there = points @ np.array(shot.rotation).T
    return float(cKDTree(there).query(points @ seen.pose.rotation.T)[0].mean())


def on_change(
    shot: Shot, seen: PhotoInspection, truth: NDArray[np.bool_], part: PreparedPart
) -> float | None:
    """From the worst point found to where the true outlines differ, in diagonals; None where they
    differ by less than 0.8% of the piece."""
    height, width = truth.shape
    rotation, translation = np.array(shot.rotation), np.array(shot.translation)
    moved = (translation + rotation @ part.middle) / part.diagonal_mm
    camera = Camera(rotation, moved, shot.focal, (width / 2, height / 2), width, height)
    drawn = pose_render(part.surface, camera).mask > 0
    change = cv2.morphologyEx((drawn ^ truth).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
    if change.sum() < 0.008 * truth.sum():
        return None
    if not seen.blobs:
        return 1.0
    x, y = seen.blobs[0].place
    away = cv2.distanceTransform(1 - change, cv2.DIST_L2, 5)
    at = away[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))]
    return float(at * moved[2] / shot.focal)


# --- figures ------------------------------------------------------------------------------------


def auroc(bad: NDArray[np.floating], good: NDArray[np.floating]) -> float:
    """The chance that a bad one scores above a good one."""
    if not len(bad) or not len(good):
        return float("nan")
    ranks = rankdata(np.concatenate([bad, good]))
    return float((ranks[: len(bad)].sum() - len(bad) * (len(bad) + 1) / 2) / len(bad) / len(good))


def tpr_at(bad: NDArray[np.floating], good: NDArray[np.floating], *, fpr: float = 0.05) -> float:
    return float((bad > np.quantile(good, 1 - fpr)).mean()) if len(bad) and len(good) else np.nan


def interval(parts: NDArray[np.str_], figure: "Figure", rng: np.random.Generator) -> str:
    """95% by drawing whole parts anew: photos of one part are no independent witnesses."""
    names = np.unique(parts)
    places = {name: np.flatnonzero(parts == name) for name in names}
    drawn = []
    for _ in range(SAMPLES):
        chosen = np.concatenate([places[n] for n in rng.choice(names, len(names))])
        drawn.append(figure(chosen))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return f"{low:.3f} to {high:.3f}"


class Figure:
    """A number computed of some of the rows."""

    def __init__(self, compute) -> None:  # type: ignore[no-untyped-def]
        self.compute = compute

    def __call__(self, which: NDArray[np.intp]) -> float:
        return float(self.compute(which))


def rows_all(half: str, count: int, *, every: int, workers: int) -> list[Row]:
    keys = FAMILIES_USED[half][:count]
    if workers < 2:
        return [row for key in keys for row in rows_of(key, half, every)]
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(rows_of, keys, [half] * len(keys), [every] * len(keys))
        return [row for rows in found for row in rows]


def calibration_in_use() -> Calibration:
    return calibration_shipped() if SHIPPED.exists() else neutral()


def neutral() -> Calibration:
    """What stands in while there is no calibration yet: says nothing."""
    none = tuple(0.0 for _ in FEATURES)
    ones = tuple(1.0 for _ in FEATURES)
    return Calibration("none", 0, 0, FEATURES, none, ones, none, 0.0, 0.5, 0.1)


def usable(rows: list[Row]) -> list[Row]:
    """Good pieces and visible defects: what cannot be seen teaches nothing."""
    return [r for r in rows if r.seen and (r.shot.kind == "good" or r.shot.changed >= VISIBLE)]


def fitted(rows: list[Row]) -> Calibration:
    features = np.stack([measures_features(r.seen.measures) for r in rows if r.seen])
    good = [r.shot.kind == "good" for r in rows]
    parts = len({r.shot.part for r in rows})
    version = f"{WORK.name}-{VERSION}-{parts}-parts"
    made = calibration_fit(features, good, version=version, penalty=PENALTY)
    # What was decided under another calibration is judged anew: it must not be called the same.
    told = hashlib.sha256(repr((made.offset, made.weights)).encode()).hexdigest()[:8]
    return replace(made, version=f"{version}-{told}")


def odds_held_out(rows: list[Row]) -> dict[int, float]:
    """Log odds by the rows' ids: each part's by a calibration on the others."""
    odds = {}
    for key in {r.shot.part for r in rows}:
        made = fitted(usable([r for r in rows if r.shot.part != key]))
        for r in rows:
            if r.shot.part == key and r.seen:
                odds[id(r)] = made.odds(r.seen.measures)
    return odds


def calibrate(rows: list[Row]) -> Calibration:
    """Weights by all parts; limits and the mixing of several photos by what each part gets from
    the others' weights, for on its own parts a calibration is too good."""
    made, odds = fitted(usable(rows)), odds_held_out(rows)
    good = np.array([odds[id(r)] for r in usable(rows) if r.shot.kind == "good"])
    chances = 0.5 * (1 + np.tanh(good / 2))
    made = replace(
        made,
        pass_at=round(float(np.quantile(chances, REVIEWED)), 6),
        fail_under=round(min(float(np.quantile(chances, FAILED)), EVEN), 6),
    )
    return replace(made, fused=fused_chosen(photo_groups(rows, odds, 2), made))


def figures_print(
    rows: list[Row], calibration: Calibration, odds: dict[int, float], *, verdicts: bool = True
) -> None:
    """The table, with 95% intervals over parts; `odds` by the rows' ids."""
    parts = np.array([r.shot.part for r in rows])
    kinds = np.array([r.shot.kind for r in rows])
    changed = np.array([r.shot.changed for r in rows])
    good = kinds == "good"
    visible = ~good & (changed >= VISIBLE)
    # A photo refused is not passed: as bad as it gets.
    badness = np.array([-odds[id(r)] if r.seen else 50.0 for r in rows])
    cosine = -np.array([r.cosine for r in rows])
    overlap, adds = np.array([r.mask_iou for r in rows]), np.array([r.adds for r in rows])
    margin = np.array([r.margin for r in rows])
    sibling = kinds == "sibling"
    gaps = np.array([np.nan if r.on_it is None else r.on_it for r in rows])
    seconds = np.array([r.seconds for r in rows])
    limit = np.log(calibration.pass_at / (1 - calibration.pass_at))
    passed = -badness >= limit
    failed = np.array([r.seen is not None and r.seen.verdict == "fail" for r in rows])
    said_pass = np.array([r.seen is not None and r.seen.verdict == "pass" for r in rows])
    rng = np.random.default_rng(0)

    def of(chosen, compute):  # type: ignore[no-untyped-def]
        return lambda w: compute(w[chosen[w]])

    def pair(values, bad, how):  # type: ignore[no-untyped-def]
        return lambda w: how(values[w[bad[w]]], values[w[good[w]]])

    shown = [
        ("mask IoU, median", ".97", ".985", lambda w: np.median(overlap[w])),
        ("mask IoU, p5", ".93", ".96", lambda w: np.quantile(overlap[w], 0.05)),
        ("pose, ADD-S < 2%", ".95", ".98", of(good, lambda w: (adds[w] < 0.02).mean())),
        ("AUROC, visible", ".83", ".92", pair(badness, visible, auroc)),
        ("TPR at 5% FPR, visible", ".45", ".70", pair(badness, visible, tpr_at)),
        ("AUROC, all defects", "", "", pair(badness, ~good, auroc)),
        ("first plan's cosine, AUROC, visible", "", "", pair(cosine, visible, auroc)),
        ("its TPR at 5% FPR", "", "", pair(cosine, visible, tpr_at)),
        ("sibling, AUROC", ".95", ".98", pair(margin, sibling, auroc)),
        ("worst point on the defect", ".80", ".90",
         of(~np.isnan(gaps), lambda w: (gaps[w] < ON_IT).mean())),
        ("good, not passed by p_good", "8%", "5%", of(good, lambda w: (~passed[w]).mean())),
        ("good, called fail", "", "", of(good, lambda w: failed[w].mean())),
        ("visible, called fail", "", "", of(visible, lambda w: failed[w].mean())),
        ("visible, called pass", "", "", of(visible, lambda w: said_pass[w].mean())),
        ("seconds of CPU a photo, median", "1.5", "0.8",
         of(~(good | sibling), lambda w: np.median(seconds[w]))),
    ]  # fmt: skip
    if not verdicts:
        shown = [line for line in shown if "called" not in line[0]]
    every = np.arange(len(rows))
    lines: list[list[object]] = []
    for name, least, goal, compute in shown:
        figure = Figure(compute)
        lines.append([name, f"{figure(every):.3f}", interval(parts, figure, rng), least, goal])
    lines += fused_lines(rows, odds, calibration)
    print(table(["measure", "found", "95% (parts drawn anew)", "at least", "goal"], lines))
    print()
    kinds_lines: list[list[object]] = []
    for kind in sorted(set(kinds) - {"good"}):
        which = visible & (kinds == kind)
        if which.any():
            kinds_lines.append([
                kind, int(which.sum()), f"{auroc(badness[which], badness[good]):.3f}",
                f"{tpr_at(badness[which], badness[good]):.2f}",
            ])  # fmt: skip
    for low, high in ((0, 0.01), (0.01, 0.05), (0.05, 0.15), (0.15, 2)):
        which = ~good & (changed >= low) & (changed < high)
        if which.any():
            kinds_lines.append([
                f"changed {low:g} to {high:g}", int(which.sum()),
                f"{auroc(badness[which], badness[good]):.3f}",
                f"{tpr_at(badness[which], badness[good]):.2f}",
            ])  # fmt: skip
    print(table(["defect", "photos", "AUROC", "TPR at 5% FPR"], kinds_lines))
    refused = [r.refused for r in rows if r.refused]
    print(f"\n{len(rows)} photos of {len(set(parts))} parts, {good.sum()} of good pieces;")
    print(f"refused: {refused or 'none'}; calibration {calibration.version}")


Groups = list[tuple[NDArray[np.float64], bool]]
"""The log odds of some photos of one piece, and whether it is bad"""


def photo_groups(rows: list[Row], odds: dict[int, float], count: int) -> Groups:
    """Of `count` photos each; of bad pieces those of which one shows it."""
    found: Groups = []
    for piece in sorted({(r.shot.part, r.shot.piece) for r in rows}):
        mine = [r for r in rows if (r.shot.part, r.shot.piece) == piece and r.seen]
        for first in range(0, len(mine) - count + 1, count):
            group = mine[first : first + count]
            kind = group[0].shot.kind
            if kind == "good" or max(r.shot.changed for r in group) >= VISIBLE:
                found.append((np.array([odds[id(r)] for r in group]), kind != "good"))
    return found


def fused_area(groups: Groups, calibration: Calibration) -> float:
    """AUROC of the photos of one piece together."""
    truth = np.array([bad for _, bad in groups], bool)
    values = np.array([-calibration.fused_odds(odds) for odds, _ in groups])
    return auroc(values[truth], values[~truth])


def fused_chosen(groups: Groups, made: Calibration) -> tuple[float, float]:
    """The weights of the mean and of the lowest: their ratio orders best, their size is the
    likeliest of what is true (classes weighed alike)."""
    if not groups or len({bad for _, bad in groups}) < 2:
        return made.fused
    shares = [(1 - share, share) for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    ratio = max(shares, key=lambda way: fused_area(groups, replace(made, fused=way)))
    truth = np.array([bad for _, bad in groups], bool)
    mixed = np.array([replace(made, fused=ratio).fused_odds(odds) for odds, _ in groups])

    def loss(size: float) -> float:
        each = np.logaddexp(0, np.where(truth, 1, -1) * size * mixed)
        return float(each[truth].mean() + each[~truth].mean())

    size = min(np.arange(0.4, 2.41, 0.1), key=loss)
    return round(float(size * ratio[0]), 2), round(float(size * ratio[1]), 2)


def fused_lines(
    rows: list[Row], odds: dict[int, float], calibration: Calibration
) -> list[list[object]]:
    """Two and four photos of one piece."""
    lines: list[list[object]] = []
    for count, least, goal in ((2, "", ""), (4, ".87", ".95")):
        groups = photo_groups(rows, odds, count)
        area = fused_area(groups, calibration)
        if not np.isnan(area):
            told = f"{len(groups)} groups"
            lines.append([f"AUROC, {count} photos", f"{area:.3f}", told, least, goal])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=list(FAMILIES_USED), default="report")
    parser.add_argument("--parts", type=int, default=20)
    parser.add_argument("--every", type=int, default=1, help="only every so many-th photo")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--calibrate", action="store_true")
    given = parser.parse_args()
    half = "calibrate" if given.calibrate else given.half
    rows = rows_all(half, given.parts, every=given.every, workers=given.workers)
    if given.calibrate:
        made = calibrate(rows)
        SHIPPED.write_text(json.dumps(made.to_json(), indent=1) + "\n")
        print("each part by the others' calibration:")
        figures_print(rows, made, odds_held_out(rows), verdicts=False)
        return
    shipped = calibration_in_use()
    odds = {id(r): shipped.odds(r.seen.measures) for r in rows if r.seen}
    figures_print(rows, shipped, odds)


if __name__ == "__main__":
    main()

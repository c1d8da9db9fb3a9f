"""Pieces, good and bad, and photos of them by another renderer than the product's.

Parts of `catalog.families`, jewelry and industrial; the calibrating and the reporting families
are disjoint, and so are all seeds. The scenes are an inspector's: a ground that is not striped and
contrasts, the piece large in the picture, seen from 35 degrees up or more. Kept in
bench/work/qc/. Used by `bench.qc`.

    python -m bench.qc_photos calibrate 24    # takes the photos of these many parts beforehand
    python -m bench.qc_photos report 24
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.photo_simulator import Setting, SimulatedPhoto, photo_simulate
from catalog.families.registry import FAMILIES
from catalog.families.solids import triangles_of
from catalog.families.types import family_sample
from search.engine.errors import InspectionError
from search.engine.qc.simulate.defects import KINDS, defect_make
from search.engine.render.pose import pose_render
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera, Maps

WORK = Path(__file__).parent / "work" / "qc"
VERSION = 1  # of what is kept; another one is made anew

INSPECTION = Setting(
    grounds=(("paper", 0.4), ("felt", 0.3), ("leather", 0.15), ("wood", 0.15)),
    elevations=(35.0, 88.0),
    fill=(0.62, 0.9),
    rays=9,
    coarse=True,
)
LEAST_CONTRAST = 22.0  # Lab levels between the part and the ground beside it
CHANGED_DEPTH, CHANGED_COSINE = 0.01, 0.85  # of the diagonal; between normals

FAMILIES_USED = {
    "calibrate": (
        "l_bracket", "signet_ring", "spur_gear", "star_pendant", "weld_neck_flange", "lever_handle",
        "solitaire_ring", "pipe_tee", "jaw_coupling", "cross_pendant", "hex_bolt", "wing_nut",
        "motif_ring", "u_channel", "propeller", "cufflink", "pillow_block", "mounting_plate",
        "lobster_clasp", "crane_hook", "shaft_collar", "flower_pendant", "heat_sink", "e_clip",
    ),
    "report": (
        "gusset", "crown_ring", "sprocket", "heart_pendant", "square_flange", "coat_hook",
        "halo_ring", "pipe_wye", "universal_joint", "moon_pendant", "eye_bolt", "castle_nut",
        "chevron_ring", "omega_bracket", "impeller", "locket", "flange_bearing", "cover_lid",
        "pendant_bail", "c_clamp", "disc_cam", "brooch", "enclosure", "retaining_ring",
    ),
}  # fmt: skip
SEEDS = {"calibrate": 41_000, "report": 97_000}
# Photos of each good piece, the sibling, and each piece with a defect; how many kinds of defect.
PHOTOS = {"calibrate": ((6, 6), 2, 2), "report": ((4, 4), 4, 4)}
KINDS_EACH = {"calibrate": 6, "report": 4}


@dataclass(frozen=True)
class Shot:
    """A photo of a piece and what is true of it; file names are those of the folder."""

    part: str
    piece: int
    kind: str
    """good, sibling, or one of the defects"""
    photo: int
    rotation: list[list[float]]
    translation: list[float]
    focal: float
    changed: float
    """the share of the piece's pixels that look otherwise than the part's would"""
    outline_changed: float
    material: str
    ground: str


@dataclass(frozen=True)
class Piece:
    kind: str
    triangles: NDArray[np.float32]


def part_make(key: str, half: str) -> NDArray[np.float32]:
    """(n, 3, 3) mm."""
    return family_sample(FAMILIES[key], SEEDS[half]).triangles


def sibling_make(key: str, half: str) -> NDArray[np.float32]:
    """The part with one or two of its numbers drawn anew, so that it is another part."""
    family = FAMILIES[key]
    sample = family_sample(family, SEEDS[half])
    rng = np.random.default_rng([SEEDS[half], len(key), 7])
    names = list(family.parameters)
    for _ in range(60):
        parameters = dict(sample.parameters)
        for name in rng.choice(names, size=min(len(names), int(rng.integers(1, 3))), replace=False):
            parameters[str(name)] = family.parameters[str(name)].draw(rng, "all")
        try:
            triangles = triangles_of(family.make(sample.look, **parameters))
        except Exception:  # some parameters do not go together
            continue
        if len(triangles) and _unlike(sample.triangles, triangles):
            return np.asarray(triangles, np.float32)
    raise RuntimeError(f"{key} has no sibling")


def _unlike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two parts of one frame look different from somewhere, and not all too different."""
    changes = []
    scale = np.ptp(one, axis=(0, 1))
    distance = 3.2 * float(np.linalg.norm(scale))
    for towards in np.vstack([np.eye(3), np.ones((1, 3)) / np.sqrt(3)]):
        views = []
        for part in (one, other):
            surface = surface_make(part)
            side = np.cross(towards, [0.3, 0.5, 0.81])
            side /= np.linalg.norm(side)
            rotation = np.stack([side, np.cross(towards, side), towards])
            at = np.array([0, 0, distance]) - rotation @ surface.centre
            views.append(pose_render(surface, Camera(rotation, at, 300.0, (64, 64), 128, 128)))
        changes.append(changed_shares(*views, diagonal=float(np.linalg.norm(scale)))[0])
    return bool(max(changes) > 0.03 and np.median(changes) < 0.6)


def pieces_make(key: str, half: str) -> Iterator[tuple[Piece, int]]:
    """The good ones, then a sibling, then some kinds of defect; each with its number of photos."""
    triangles = part_make(key, half)
    good, sibling, bad = PHOTOS[half]
    for photos in good:
        yield Piece("good", triangles), photos
    yield Piece("sibling", sibling_make(key, half)), sibling
    rng = np.random.default_rng([SEEDS[half], len(key), sum(map(ord, key))])
    first = FAMILIES_USED[half].index(key)
    for place in range(KINDS_EACH[half]):
        kind = KINDS[(first + place) % len(KINDS)]
        try:
            made = defect_make(triangles, kind, rng)
        except InspectionError:
            made = defect_make(triangles, "broken", rng)
        yield Piece(made.kind, made.triangles), bad


def changed_shares(one: Maps, other: Maps, *, diagonal: float) -> tuple[float, float]:
    """Of the pixels either covers: those that differ in outline, depth or slant; in outline."""
    a, b = one.mask > 0, other.mask > 0
    outline = a ^ b
    both = a & b
    depth = np.zeros_like(both)
    depth[both] = np.abs(one.depth[both] - other.depth[both]) > CHANGED_DEPTH * diagonal
    slant = both & ((one.normals * other.normals).sum(-1) < CHANGED_COSINE)
    total = max(int((a | b).sum()), 1)
    return float((outline | depth | slant).sum() / total), float(outline.sum() / total)


def shots_of(key: str, half: str) -> list[tuple[Shot, bytes, NDArray[np.bool_]]]:
    """The photos of a part's pieces, taken or read: what is true, JPEG, and the true mask."""
    folder = WORK / f"{half}-{VERSION}" / key
    listing = folder / "shots.json"
    if not listing.exists():
        folder.mkdir(parents=True, exist_ok=True)
        taken = list(_shots_take(key, half, folder))
        listing.write_text(json.dumps([asdict(shot) for shot in taken]))
    found = []
    for shot in (Shot(**row) for row in json.loads(listing.read_text())):
        stem = f"{shot.piece}-{shot.photo}"
        mask = cv2.imread(str(folder / f"{stem}.png"), cv2.IMREAD_GRAYSCALE)
        found.append((shot, (folder / f"{stem}.jpg").read_bytes(), mask > 0))
    return found


def _shots_take(key: str, half: str, folder: Path) -> Iterator[Shot]:
    nominal = part_make(key, half)
    nominal_surface, diagonal = (
        surface_make(nominal),
        float(np.linalg.norm(np.ptp(nominal, (0, 1)))),
    )
    for number, (piece, photos) in enumerate(pieces_make(key, half)):
        surface = surface_make(piece.triangles)
        for photo in range(photos):
            seed = SEEDS[half] * 1000 + sum(map(ord, key)) * 7919 + number * 64 + photo * 4
            taken = photo_contrasting(piece.triangles, seed)
            height, width = taken.mask.shape
            true = taken.camera
            camera = Camera(
                true.rotation, true.translation, true.focal, (width / 2, height / 2), width, height
            )
            changes = changed_shares(
                pose_render(nominal_surface, camera),
                pose_render(surface, camera),
                diagonal=diagonal,
            )
            stem = f"{number}-{photo}"
            (folder / f"{stem}.jpg").write_bytes(taken.jpeg)
            cv2.imwrite(str(folder / f"{stem}.png"), taken.mask.astype(np.uint8) * 255)
            yield Shot(
                key, number, piece.kind, photo, true.rotation.tolist(), true.translation.tolist(),
                true.focal, *changes, taken.material, taken.ground,
            )  # fmt: skip


def photo_contrasting(triangles: NDArray[np.float32], seed: int) -> SimulatedPhoto:
    """The first of four scenes in which the part stands out, or the one where it does most: an
    inspector changes the ground."""
    scenes = []
    for again in range(4):
        scenes.append(photo_simulate(triangles, seed=seed + again, setting=INSPECTION))
        if _contrast(scenes[-1]) >= LEAST_CONTRAST:
            break
    return max(scenes, key=_contrast)


def _contrast(taken: SimulatedPhoto) -> float:
    picture = cv2.imdecode(np.frombuffer(taken.jpeg, np.uint8), cv2.IMREAD_COLOR)
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    ring = cv2.dilate(taken.mask.astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    if taken.mask.sum() < 20:
        return 0.0
    part, ground = np.median(lab[taken.mask], 0), np.median(lab[ring & ~taken.mask], 0)
    return float(np.linalg.norm(part - ground))


def main() -> None:
    half, count = sys.argv[1], int(sys.argv[2])
    for key in FAMILIES_USED[half][:count]:
        shots = shots_of(key, half)
        print(key, len(shots), flush=True)


if __name__ == "__main__":
    main()

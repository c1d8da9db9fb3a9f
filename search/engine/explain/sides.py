"""The two pictures of an explanation: what is shown, where the part is, what the encoder saw."""

from dataclasses import dataclass

import cv2
import numpy as np

from search.engine.explain.types import Bytes, Flags, Floats
from search.engine.photo.prepare import MARGIN, SIDE, photo_variants
from search.engine.photo.types import Photo

SHOWN = 448  # pixels of a photo's picture on the page


@dataclass(frozen=True)
class Side:
    """`picture` (s, s, 3) as the encoder saw it, its part in `mask` (s, s); it was turned by
    `turn` quarters against the clock from how it is shown."""

    picture: Bytes
    mask: Flags
    turn: int = 0

    def upright(self, heat: Floats) -> Floats:
        """A map (s, s) over `picture`, as it is shown."""
        return np.ascontiguousarray(np.rot90(heat, -self.turn))

    def place_upright(self, x: float, y: float) -> tuple[float, float]:
        """A place of `picture`, in fractions of its sides, as it is shown."""
        for _ in range(self.turn):
            x, y = 1 - y, x
        return x, y


def photo_side(photo: Photo, turn: int, *, size: int = SIDE) -> Side:
    """The cut-out as the encoder saw it in its best quarter turn."""
    picture = np.ascontiguousarray(photo_variants(photo, size)[turn])
    upright = _laid(photo, size)[1] > 127
    return Side(picture, np.ascontiguousarray(np.rot90(upright, turn)), turn)


def photo_shown(photo: Photo, *, size: int = SHOWN) -> Bytes:
    """(size, size, 4) RGBA: the part alone, where `photo.picture` has it, as sharp as it came."""
    colour, cover = _laid(photo, size)
    return np.dstack([colour, cover])


def _laid(photo: Photo, size: int) -> tuple[Bytes, Bytes]:
    """Colour (size, size, 3) and cover (size, size), laid as `photo_prepare` lays a cut-out."""
    left, top, right, bottom = photo.box.pixels(*photo.mask.shape)
    part = np.s_[top:bottom, left:right]
    cut = np.dstack([photo.original[part], photo.mask[part]])
    scale = round(SIDE * (1 - 2 * MARGIN)) * (size / SIDE) / max(cut.shape[:2])
    to = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(cut, to, interpolation=how), np.uint8)
    laid = np.zeros((size, size, 4), np.uint8)
    y, x = (size - to[1]) // 2, (size - to[0]) // 2
    laid[y : y + to[1], x : x + to[0]] = small
    return laid[..., :3], laid[..., 3]


@dataclass(frozen=True)
class Outline:
    """What a silhouette says: its box's height over width, the share of the box it fills, and the
    holes one can look through."""

    aspect: float
    fill: float
    holes: int


HOLE = 0.003  # of the silhouette's area: smaller ones are noise of the cut


def outline_measure(mask: Flags) -> Outline:
    """Of a part (s, s) that is somewhere in it; Raises ValueError for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise ValueError("the mask is empty")
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ground = np.pad(~box, 1, constant_values=True).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    outside = labels[0, 0]
    areas = [stats[label, cv2.CC_STAT_AREA] for label in range(1, count) if label != outside]
    holes = sum(area >= HOLE * box.sum() for area in areas)
    return Outline(box.shape[0] / box.shape[1], float(box.mean()), int(holes))


def outlines_overlap(first: Flags, second: Flags) -> float:
    """Intersection over union of two silhouettes that fill their pictures alike."""
    return float((first & second).sum() / max((first | second).sum(), 1))


@dataclass(frozen=True)
class Warmth:
    """Where heat lies: the share that the warmest quarter of the part carries, and the middle of
    that quarter in fractions of the part's box (0 is left or top)."""

    share: float
    x: float
    y: float


def warmth_measure(heat: Floats, mask: Flags) -> Warmth:
    """Of heat (s, s) 0..1 on the part (s, s)."""
    inside = heat[mask]
    edge = np.quantile(inside, 0.75)
    warm = mask & (heat >= edge)
    share = float(heat[warm].sum() / max(float(inside.sum()), 1e-9))
    rows, columns = np.nonzero(mask)
    ys, xs = np.nonzero(warm)
    width, height = max(np.ptp(columns), 1), max(np.ptp(rows), 1)
    return Warmth(
        share, float((xs.mean() - columns.min()) / width), float((ys.mean() - rows.min()) / height)
    )

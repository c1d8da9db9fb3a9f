"""Heat from what a similarity loses when places are blurred away: few masks, drawn at random.

Random masks as in RISE (Petsiuk, Das and Saenko, 2018), which needs thousands of them. Here what a
mask costs is taken as the sum of what the cells it takes away are worth (as kernel SHAP does,
Lundberg and Lee, 2017), and that worth as a Gaussian process over the part: smooth, about a mean of
an even share and maps known before, the exact cells, each with a weight that is estimated too
(Rasmussen and Williams, "Gaussian processes for machine learning", 2006, chapter 2). The masks come
in pairs: what the one takes away, its twin leaves.

An estimate, unlike the exact cells: of what changes a similarity, not of what makes it up. It needs
nothing of an encoder but its embeddings; with the cells it needs fewer of them.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from search.engine.explain.gone import flags_soften, part_widen, picture_blur, pictures_mix
from search.engine.explain.spread import heat_masked, heat_spread
from search.engine.explain.types import Bytes, Doubles, Flags, Floats

COUNT = 128  # masks
BATCH = 8
CELLS = 28  # along a side: where worth is estimated
KNOTS = 7  # along a side, of the random fields whose highest places go
FINE = 2  # a mask's own cells, along a side of a cell
LEAST, MOST = 0.2, 0.8  # of the part and its border that a mask takes away
# The process: how far cells go together, of the side; how much a cell's worth varies, of an even
# share; how much the weights of the known maps do; how much of a measured loss is no sum of cells,
# of the whole loss. Chosen on the choosing half of the pairs (`python -m bench.explain --choose`):
# less known, and another seed's masks say something else; more, and the masks say nothing new.
NEAR, VARIES, KNOWN, NOISE = 0.06, 3.0, 2.0, 0.4
WHOLE_LEAST = 0.05  # of a cosine: below it the whole loss is no scale

Similarity = Callable[[Bytes], Floats]  # (n, s, s, 3) -> (n,)


def masks_heat(
    picture: Bytes,
    mask: Flags,
    similarity: Similarity,
    *,
    known: Sequence[Floats] = (),
    count: int = COUNT,
    seed: int = 0,
    batch: int = BATCH,
) -> Floats:
    """Heat (s, s) 0..1 on the part `mask` (s, s) of `picture` (s, s, 3).

    `known` are maps (g, h) of any scale that say something of where the heat is. `count` (even) + 2
    pictures are asked for their similarity, `batch` at a time. The same for the same
    input and `seed`.
    """
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    wide = part_widen(mask)
    shares = masks_draw(wide, count=count, seed=seed)
    gone = picture_blur(picture)
    whole, nothing = similarity(np.stack([picture, gone])).tolist()
    lost = whole - masks_ask(picture, gone, shares, similarity, batch=batch)
    worth = worth_fit(shares, lost, whole - nothing, wide, known=known)
    return heat_masked(heat_spread(worth, size=picture.shape[0]), mask)


def masks_draw(wide: Flags, *, count: int = COUNT, seed: int = 0) -> Floats:
    """How far each mask takes away each place of the part and its border (s, s): `count` (even)
    masks (count, FINE * CELLS, FINE * CELLS) 0..1, twins beside each other."""
    rng = np.random.default_rng(seed)
    size = FINE * CELLS
    on = _shrunk(wide, size) > 0.5
    if not on.any():
        on = _shrunk(wide, size) > 0
    fields = heat_spread(rng.random((count // 2, KNOTS, KNOTS), np.float32), size=size)
    # One share from each of as many steps, in any order.
    steps = (rng.permutation(count // 2) + rng.random(count // 2)) / (count // 2)
    taken = LEAST + (MOST - LEAST) * steps
    found = []
    for field, share in zip(fields, taken, strict=True):
        high = field >= np.quantile(field[on], 1 - share)
        found += [flags_soften(on & high), flags_soften(on & ~high)]
    return np.stack(found)


def masks_ask(
    picture: Bytes, gone: Bytes, shares: Floats, similarity: Similarity, *, batch: int = BATCH
) -> Floats:
    """(n,): the similarity of `picture` with each of `shares` (n, t, t) blurred away."""
    side = picture.shape[0]
    found = []
    for start in range(0, len(shares), batch):
        of = shares[start : start + batch]
        wide = [cv2.resize(one, (side, side), interpolation=cv2.INTER_LINEAR) for one in of]
        found.append(similarity(np.stack([pictures_mix(picture, gone, one) for one in wide])))
    return np.concatenate(found)


def worth_fit(
    shares: Floats, lost: Floats, whole: float, wide: Flags, *, known: Sequence[Floats] = ()
) -> Floats:
    """What each cell of the part and its border (s, s) is worth: (CELLS, CELLS), 0 elsewhere.

    Of masks (n, t, t) and what each of them cost (n,); `whole` is what all of it costs.
    """
    on = (_shrunk(wide, CELLS) > 0.02).ravel()
    cells = int(on.sum())
    small = [cv2.resize(one, (CELLS, CELLS), interpolation=cv2.INTER_AREA) for one in shares]
    taken = np.stack(small).reshape(len(shares), -1)[:, on].astype(np.float64)
    scale = max(abs(whole), WHOLE_LEAST)
    places = np.argwhere(on.reshape(CELLS, CELLS)) / CELLS
    apart = ((places[:, None] - places[None]) ** 2).sum(axis=-1)
    along = KNOWN * scale * _maps_on(known, on)
    smooth = np.exp(-apart / (2 * NEAR**2))
    together = (VARIES * scale / cells) ** 2 * smooth + along.T @ along
    # The mean of what is not measured, given what is.
    measured = together @ taken.T
    among = taken @ measured + (NOISE * scale) ** 2 * np.eye(len(taken))
    worth = np.zeros(CELLS * CELLS, np.float32)
    worth[on] = measured @ np.linalg.solve(among, lost.astype(np.float64))
    return worth.reshape(CELLS, CELLS)


def _maps_on(known: Sequence[Floats], on: Flags) -> Doubles:
    """(m + 1, cells): an even share, and what each map says beside it; of size about 1 in all."""
    cells = int(on.sum())
    found = [np.full(cells, 1 / cells)]
    for one in known:
        whole = cv2.resize(one, (CELLS, CELLS), interpolation=cv2.INTER_CUBIC)
        kept = whole.ravel()[on].astype(np.float64)
        kept /= max(float(np.abs(kept).sum()), 1e-9)
        found.append(kept - kept.mean())
    return np.stack(found)


def _shrunk(flags: Flags, size: int) -> Floats:
    """(s, s) -> (size, size): the share of each cell that is flagged."""
    whole = flags.astype(np.float32)
    return np.asarray(cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA))

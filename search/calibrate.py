"""What an engine's similarities are worth in this catalogue, measured on the catalogue itself.

Weights from elsewhere come without a calibration for renderings of parts. Here every part is asked
for twice, once while it is in the gallery and once as if it were not: how often the first hit was
right, at each similarity, is the strength. Pictures are asked with one of the part's own views,
which is easier than a photo: the strength of a photo's hit is, if anything, too low.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders, engines
from search.encode import text_encode

if TYPE_CHECKING:
    from search.engine.calibration import Logistic
    from search.engine.encoders.space import Space

PARTS = 600  # of the newest; their views against each other are 50 million cosines at most
TEXTS = 200
NEEDED = 20  # questions of a kind, below which a curve would be made of chance
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shelf:
    """Parts and their rows in one space: vectors (n, d), owner (n,) the place of a row's part."""

    parts: list[Part]
    vectors: NDArray[np.float32]
    owner: NDArray[np.int64]

    def best(self, queries: NDArray[np.float32]) -> Floats:
        """(q, d) -> (q, parts): each part's most similar row."""
        similar = queries @ self.vectors.T
        starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        return np.maximum.reduceat(similar, starts, axis=1).astype(np.float64)


def engine_calibrate(name: str) -> "dict[str, Logistic]":
    """Measure, and keep the curves beside the space's other findings; by kind of query.

    Raises `ServiceError`: calibration_needless, calibration_few.
    """
    from search.engine.calibration import logistic_fit
    from search.engine.encoders.network import calibration_write
    from search.lifecycle.fetching import network

    if settings.SEARCH.engines[name].encoder not in encoders.LARGE:
        raise ServiceError("calibration_needless", status=409, engine=name)
    encoder = network(name)
    firsts = {"image": list(_by_view(shelf_read(encoder.space)))}
    # A mesh is asked with all its views: nearer to a view of the same part than to a photo.
    firsts["mesh"] = firsts["image"]
    if words := encoders.words_space(name):
        firsts["text"] = list(_by_name(name, shelf_read(words)))
    fitted = {
        kind: logistic_fit([similar for similar, _ in of], [right for _, right in of])
        for kind, of in firsts.items()
        if len(of) >= NEEDED
    }
    if not fitted:
        found = max(map(len, firsts.values()))
        raise ServiceError("calibration_few", status=409, found=found, needed=NEEDED)
    calibration_write(encoder.folder, fitted)
    encoders.encoders_forget()
    return fitted


def shelf_read(space: "Space") -> Shelf:
    """The newest ready parts that have rows in the space."""
    parts, rows = [], []
    for part in Part.objects.present().filter(status=Part.Status.READY).order_by("-pk")[:PARTS]:
        vectors = embeddings.embeddings_read(part.pk, space.key)
        if vectors is not None:
            parts.append(part)
            rows.append(vectors)
    owner = np.repeat(np.arange(len(rows)), [len(of) for of in rows])
    return Shelf(parts, np.concatenate(rows) if rows else np.zeros((0, space.d), np.float32), owner)


def _by_view(shelf: Shelf) -> Iterator[tuple[float, bool]]:
    """First hits of parts asked for by one view, which is itself put aside."""
    for place in range(len(shelf.parts)):
        own = np.flatnonzero(shelf.owner == place)
        if len(own) < 2:
            continue
        asked = own[place % len(own)]
        similar = shelf.best(shelf.vectors[asked : asked + 1])[0]
        others = np.setdiff1d(own, [asked])
        similar[place] = float((shelf.vectors[others] @ shelf.vectors[asked]).max())
        yield from _firsts(similar, np.arange(len(similar)) == place)


def _by_name(engine: str, shelf: Shelf) -> Iterator[tuple[float, bool]]:
    """First hits of parts' names; right is any part of that name."""
    names = np.array([part.name.casefold() for part in shelf.parts])
    for name in list(dict.fromkeys(names.tolist()))[:TEXTS]:
        with engines.engine_errors():
            similar = shelf.best(text_encode(name, [engine])[engine])[0]
        yield from _firsts(similar, names == name)


def _firsts(similar: Floats, right: NDArray[np.bool_]) -> Iterator[tuple[float, bool]]:
    """The first hit among all, and the first one when what is right is not there."""
    first = int(np.argmax(similar))
    yield float(similar[first]), bool(right[first])
    if not right.all():
        yield float(similar[~right].max()), False

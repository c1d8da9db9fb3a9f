"""The first hits of a picture search, laid over the picture and put in order by how they fit.

Bounded: so many hits at most, so much time, and few at once, so that plain searches go on beside
it. Whatever it cannot do leaves the answer as the search gave it, and says why.
"""

import base64
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from catalog.errors import ServiceError
from search import encoders
from search.inspection.preparing import part_sketch
from search.query import Query

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.encode import Encoded
    from search.engine.photo.types import Photo
    from search.engine.qc.verify import Appearance, Verified
    from search.services import Hit

log = logging.getLogger(__name__)

OUTLINE_SIDE, OUTLINE_QUALITY = 280, 70  # pixels, and JPEG's measure
# Of a process: one is verified, and one may wait for its turn. Each holds a thread of the server.
PLACES = 2

_places = threading.BoundedSemaphore(PLACES)
_turn = threading.Lock()


def is_wanted(query: Query) -> bool:
    """Whether the query's hits are to be verified. Raises `ServiceError` when it has no picture."""
    if query.verify and not query.image:
        raise ServiceError("verify_no_picture")
    wanted = settings.SEARCH.search.verify if query.verify is None else query.verify
    return wanted and bool(query.image)


def hits_most(k: int) -> int:
    """How many hits are retrieved to be verified, where k are asked for."""
    return max(k, settings.SEARCH.search.verify_candidates)


def hits_verify(
    hits: "Sequence[Hit]", encoded: "Encoded", *, k: int, engine: str, moved: bool = False
) -> "tuple[list[Hit], str]":
    """The hits in the order of their fit, the first k with a picture of it; or as they were, and
    the code of why.

    Those that could not be laid over the photo keep their places. `engine` is the one that their
    similarities are of; `moved`: marks say more than the photo does.
    """
    hits = list(hits)
    photo = encoded.photo and encoded.photo.seen
    if moved:
        return hits, "verify_marked"
    if photo is None or not photo.cut:
        return hits, "verify_no_piece"
    with _place() as free:
        if not free:
            return hits, "verify_busy"
        until = time.monotonic() + settings.SEARCH.search.verify_seconds
        mask = _mask(photo)
        found = _verified(hits, photo, mask, _appearance(encoded, engine, hits), until)
        if not found:
            return hits, "verify_not_prepared" if hits else ""
        return _in_their_places(hits, found, photo, mask, k=k), ""


@contextmanager
def _place() -> Iterator[bool]:
    """Whether it may begin, after a wait of as long as one takes at most."""
    if not _places.acquire(blocking=False):
        yield False
        return
    try:
        if not _turn.acquire(timeout=settings.SEARCH.search.verify_seconds):
            yield False
            return
        try:
            yield True
        finally:
            _turn.release()
    finally:
        _places.release()


def _mask(photo: "Photo") -> "NDArray[np.uint8]":
    """The piece's, finer than a search needs it; as it is where the file itself cuts it out."""
    from search.engine.qc.close_look import mask_closer

    return photo.mask if photo.around is None else mask_closer(photo.original, photo.mask)


def _verified(
    hits: "list[Hit]",
    photo: "Photo",
    mask: "NDArray[np.uint8]",
    appearance: "Appearance | None",
    until: float,
) -> "list[Verified]":
    from search.engine.qc.verify import Candidate, candidates_verify

    candidates = [
        Candidate(str(place), hit.score, lambda part=hit.part: part_sketch(part))
        for place, hit in enumerate(hits[: settings.SEARCH.search.verify_candidates])
    ]
    return candidates_verify(
        photo.original,
        mask,
        candidates,
        appearance=appearance,
        seconds=max(0.0, until - time.monotonic()),
    )


def _appearance(encoded: "Encoded", engine: str, hits: "list[Hit]") -> "Appearance | None":
    """Compares pictures with the photo by the engine that found the hits; None without one."""
    from search.engine.errors import EncoderError
    from search.engine.qc.verify import SPREAD_OF, Appearance

    if engine not in encoded.vectors:
        return None
    try:
        encoder = encoders.encoder(engine, query=True)
    except ServiceError:
        return None
    asked = encoded.vectors[engine][0]  # upright, as the pictures are drawn

    def compare(pictures: "NDArray[np.uint8]") -> "NDArray[np.float32]":
        try:
            found: NDArray[np.float32] = encoder.pictures_embed(pictures) @ asked
        except (ServiceError, EncoderError) as error:
            # A worker that does not answer, weights that are gone: the outlines alone decide.
            log.warning("candidates were not compared by %s: %s", engine, error)
            return np.zeros(len(pictures), np.float32)
        return found

    known = [hit.similarity for hit in hits[:SPREAD_OF] if hit.similarity is not None]
    return Appearance(encoder.picture_size, compare, float(np.std(known)) if known else 0.0)


def _in_their_places(
    hits: "list[Hit]",
    found: "list[Verified]",
    photo: "Photo",
    mask: "NDArray[np.uint8]",
    *,
    k: int,
) -> "list[Hit]":
    """The verified in their order, in the places that they held among all; the first k drawn."""
    from search.engine.qc.verify import outlines_draw

    places = sorted(int(one.key) for one in found)
    shown = [one for place, one in zip(places, found, strict=True) if place < k]
    drawn = outlines_draw(photo.original, mask, shown, size=OUTLINE_SIDE)
    outlines = [_data_uri(picture) for picture in drawn]
    ordered = list(hits)
    for n, (place, one) in enumerate(zip(places, found, strict=True)):
        outline = outlines[n] if n < len(outlines) else ""
        ordered[place] = replace(hits[int(one.key)], fit=one.fit, outline=outline)
    return [replace(hit, rank=rank) for rank, hit in enumerate(ordered, 1)]


def _data_uri(picture: "NDArray[np.uint8]") -> str:
    import cv2

    how = [cv2.IMWRITE_JPEG_QUALITY, OUTLINE_QUALITY]
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), how)
    return "data:image/jpeg;base64," + base64.b64encode(bytes(jpeg)).decode("ascii")

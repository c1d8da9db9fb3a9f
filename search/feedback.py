"""More like this, less like this: hits that people chose, and the query moved by them.

In each engine's space by itself (`engine/feedback.py`); what parts are called is left as asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders
from search.encode import Encoded

if TYPE_CHECKING:
    from search.engine.encoders.space import Space

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Marks:
    """Parts that what is looked for is more, or less, like.

    `ignored` are ids that were marked and are not, or no longer, parts that can be found.
    """

    more: tuple[Part, ...] = ()
    less: tuple[Part, ...] = ()
    ignored: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.more or self.less)

    @property
    def more_ids(self) -> list[int]:
        return [part.pk for part in self.more]

    @property
    def less_ids(self) -> list[int]:
        return [part.pk for part in self.less]


NO_MARKS = Marks()


def marks_read(more: Sequence[str | UUID], less: Sequence[str | UUID]) -> Marks:
    """The marked parts, in the order they were marked. Raises `ServiceError` for what is too much.

    An id that names nothing here is ignored, and said: a question that was kept as an address
    outlives parts.
    """
    if not (more or less):
        return NO_MARKS
    wanted, unwanted = (list(dict.fromkeys(map(str, ids))) for ids in (more, less))
    most = settings.SEARCH.feedback.most
    for ids in (wanted, unwanted):
        if len(ids) > most:
            raise ServiceError("marks_too_many", found=len(ids), most=most)
    if both := set(wanted) & set(unwanted):
        raise ServiceError("marks_both", part=min(both))
    known = {id_ for id_ in (*wanted, *unwanted) if _is_uuid(id_)}
    rows = Part.objects.present().filter(uuid__in=known)
    parts = {str(part.uuid): part for part in rows if part.status == Part.Status.READY}
    return Marks(
        more=tuple(parts[id_] for id_ in wanted if id_ in parts),
        less=tuple(parts[id_] for id_ in unwanted if id_ in parts),
        ignored=tuple(id_ for id_ in (*wanted, *unwanted) if id_ not in parts),
    )


def encoded_move(encoded: Encoded, marks: Marks) -> Encoded:
    """The query's vectors moved by the marks in each space, by the vectors that are kept."""
    if not marks:
        return encoded
    return replace(
        encoded,
        vectors={
            n: vectors_move(of, encoders.space(n), marks) for n, of in encoded.vectors.items()
        },
        words={
            n: vectors_move(of, space, marks)
            for n, of in encoded.words.items()
            if (space := encoders.words_space(n))
        },
    )


def vectors_move(vectors: Floats, space: "Space", marks: Marks) -> Floats:
    """The rows (q, d) of a query in this space, moved by what is kept of the marked parts."""
    from search.engine.feedback import query_move

    if not marks:
        return vectors
    kept = embeddings.embeddings_of([*marks.more_ids, *marks.less_ids], space.key)
    more, less = (
        [kept[pk] for pk in ids if pk in kept] for ids in (marks.more_ids, marks.less_ids)
    )
    feedback = settings.SEARCH.feedback
    return query_move(
        vectors, more, less, alpha=feedback.alpha, beta=feedback.beta, gamma=feedback.gamma
    )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

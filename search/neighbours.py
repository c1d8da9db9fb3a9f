"""Parts like a part, for its page and for machines.

Works from the vectors that are kept; no file is read.
"""

from collections.abc import Sequence
from uuid import UUID

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders, engines
from search.candidates import Stopwatch, candidates_find
from search.encode import Encoded
from search.feedback import marks_read
from search.lifecycle import selection
from search.lifecycle.selection import selection_pinned
from search.query import Query, k_checked
from search.services import Answer, hits_make, hits_marked

# A part is asked about as its file would be: all its views count, shape and looks together.
AS_MESH = Query(kind="mesh")


def part_encoded(part: Part, names: Sequence[str]) -> tuple[Encoded, dict[str, ServiceError]]:
    """The part's kept vectors as a query of these engines, and which cannot say their space.

    Engines it has no vectors for are left out.
    """
    vectors = {}
    failed: dict[str, ServiceError] = {}
    for name in names:
        with engines.engine_fault(name, failed):
            selection.engines_check([name])
            rows = embeddings.embeddings_read(part.pk, encoders.space(name).key)
            if rows is not None:
                vectors[name] = rows
    return Encoded(vectors, invariants=part.invariants), failed


@selection_pinned()
def parts_similar(
    part: Part,
    *,
    k: int | None = None,
    engine: str = "",
    more: Sequence[str | UUID] = (),
    less: Sequence[str | UUID] = (),
) -> Answer:
    """The parts most like this one, itself left out; by all engines together if none is named.

    Raises `ServiceError` for what cannot be asked. A part without vectors is like none.
    """
    k = k_checked(k)
    engine, names = engines.engines_chosen(AS_MESH.kind, engine)
    marks = marks_read(more, less)
    watch = Stopwatch()
    with watch.stage("total"):
        with watch.stage("encode"):
            encoded, failed = part_encoded(part, names)
        if failed and len(failed) == len(names):
            raise failed[names[0]]
        hits = []
        if encoded.vectors:
            found, parts = candidates_find(
                AS_MESH, list(encoded.vectors), encoded,
                k=k, watch=watch, marks=marks, exclude=[part.pk],
            )  # fmt: skip
            with watch.stage("hydrate"):
                hits = hits_marked(hits_make(parts, found, part.invariants), marks)
    weak = bool(hits) and all(hit.weak for hit in hits)
    return Answer(
        results=hits,
        took_ms=watch.read(),
        engine=engine,
        weak=weak,
        engines_failed={name: str(error) for name, error in failed.items()},
        marks=marks,
    )

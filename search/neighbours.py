"""Parts like a part, for its page.

Works from the vectors that are kept; no file is read.
"""

from catalog.models import Part
from search import embeddings, encoders, engines
from search.candidates import Stopwatch, candidates_find
from search.encode import Encoded
from search.query import Query
from search.services import Hit, hits_make

# A part is asked about as its file would be: all its views count, shape and looks together.
AS_MESH = Query(kind="mesh")


def part_encoded(part: Part) -> Encoded:
    """The part's kept vectors as a query; engines it has none for are left out."""
    vectors = {}
    for name in engines.in_use():
        rows = embeddings.embeddings_read(part.pk, encoders.space(name).key)
        if rows is not None:
            vectors[name] = rows
    return Encoded(vectors, invariants=part.invariants)


def parts_similar(part: Part, *, k: int = 12) -> list[Hit]:
    """The parts most like this one, by all engines together, itself left out."""
    encoded = part_encoded(part)
    if not encoded.vectors:
        return []
    names = list(encoded.vectors)
    found, parts = candidates_find(AS_MESH, names, encoded, k=k + 1, watch=Stopwatch())
    return hits_make([hit for hit in parts if hit.pk != part.pk][:k], found, part.invariants)

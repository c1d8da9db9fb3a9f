"""Turn the part into vectors, one set for each space of the engines."""

from search import embeddings, engines
from workers.steps import render
from workers.work import Work


def recipe() -> str:
    """The spaces, and the views they are made from."""
    keys = "+".join(space.key for space in engines.spaces())
    return f"{keys} {render.recipe()}"[:120]


def run(work: Work) -> None:
    from search.encode import part_vectors

    for space, vectors in part_vectors(work.mesh, views=work.views).items():
        embeddings.embeddings_write(part_id=work.part.pk, space=space, vectors=vectors)

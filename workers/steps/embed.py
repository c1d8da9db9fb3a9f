"""Turn the part into vectors, one set for each engine's space."""

from django.conf import settings

from search import embeddings, engines
from workers.steps import render
from workers.work import Work


def recipe() -> str:
    """The spaces, and the views they are made from."""
    keys = "+".join(space.key for space in engines.spaces().values())
    return f"{keys} {render.recipe()}"[:120]


def run(work: Work) -> None:
    from search.encode import mesh_vectors

    names = list(settings.SEARCH.engines)
    for name, vectors in mesh_vectors(work.mesh, names, pictures=work.pictures).items():
        embeddings.embeddings_write(
            part_id=work.part.pk, space=engines.space(name), vectors=vectors
        )

"""Large engines' weights: brought here, tried once, measured. Slow work, for commands and workers.

Whoever asks is told what there is now; nothing here changes which engines are in use.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.errors import ServiceError
from search import encoders

if TYPE_CHECKING:
    from search.engine.encoders.network import NetworkEncoder
    from search.engine.encoders.running import Timed

# Families whose parts are drawn to measure by: round and flat, whole and pierced.
PROBES = 8


@dataclass(frozen=True)
class Fetched:
    """An engine's weights as they are here, loaded once to be sure of them."""

    place: Path
    megabytes: float
    sha: str
    space: str
    d: int
    picture_size: int
    way: str


def engine_fetch(name: str, *, given: Path | None = None) -> Fetched:
    """Bring the engine's weights, or those `given`, into the data folder, once they were loaded.

    Raises `EncoderError`, `OSError` or `ServiceError` with what is wrong; what was there before
    then stays.
    """
    from search.engine.encoders.fetch import openclip_fetch, resnet_fetch, staged

    engine = settings.SEARCH.engines[name]
    if engine.encoder not in encoders.LARGE:
        raise ServiceError("fetch_needless", engine=name)
    if engine.checkpoint:
        return _tried(network(name))  # it is where it is
    with staged(encoders.weights_folder(name)) as folder:
        if engine.encoder == "openclip":
            openclip_fetch(encoders.source(name, folder), given=given)
        else:
            resnet_fetch(engine.pretrained, folder, given=given)
        found = _tried(cast("NetworkEncoder", encoders.encoder_tried(name, folder)))
    encoders.encoders_forget()
    return replace(found, place=encoders.weights_folder(name) / found.place.relative_to(folder))


def _tried(encoder: "NetworkEncoder") -> Fetched:
    size = encoder.picture_size
    cast("Any", encoder).pictures_embed(np.full((1, size, size, 3), 255, np.uint8))
    if hasattr(encoder, "texts_embed"):
        encoder.texts_embed(["a"])
    way = encoder.way()
    encoder.unload()
    file = encoder.weights
    return Fetched(
        place=file.path,
        megabytes=file.path.stat().st_size / 1e6,
        sha=file.sha,
        space=encoder.space.key,
        d=encoder.space.d,
        picture_size=size,
        way=way,
    )


def engine_measure(name: str) -> "list[Timed]":
    """Export the engine's network and time every way to run it here, on views of parts."""
    encoder = network(name)
    found = encoder.measure(probe_views(encoder.picture_size))
    encoders.encoders_forget()
    return found


def network(name: str) -> "NetworkEncoder":
    """The encoder of an engine that is a large network."""
    if settings.SEARCH.engines[name].encoder not in encoders.LARGE:
        raise ServiceError("fetch_needless", engine=name)
    return cast("NetworkEncoder", encoders.encoder(name))


def probe_views(size: int) -> NDArray[np.uint8]:
    """(PROBES, size, size, 3): views of parts made by code, always the same."""
    from catalog.families.registry import FAMILIES
    from catalog.families.types import family_sample
    from search.encode import mesh_pictures
    from search.engine.mesh.normalise import mesh_normalise

    keys = sorted(FAMILIES)[:: max(1, len(FAMILIES) // PROBES)][:PROBES]
    views = []
    for place, key in enumerate(keys):
        triangles = family_sample(FAMILIES[key], 0).triangles
        mesh = mesh_normalise(triangles, format="stl-binary")
        views.append(mesh_pictures(mesh, size=size)[place % settings.SEARCH.render.viewpoints])
    return np.stack(views)

"""An STL that was re-modelled, against the whole of STL search: `python -m bench.quality_mesh`.

Each furniture model is turned at random, rescaled, thinned to 40 % of its triangles and made rough,
then looked for among all of them as `/api/search/mesh` does: shape and rendered views, their
similarities fused with the shipped weights. Each engine alone stands beside.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from bench.furniture import furniture_dev
from bench.quality_shape import geometry_groups, part_triangles, perturb
from bench.running import django_ready, table
from search.engine.fusion import scores_fuse
from search.engine.mesh.normalise import mesh_normalise

Vectors = dict[str, NDArray[np.float32]]


def vectors(triangles: NDArray[np.floating]) -> Vectors:
    from search.encode import mesh_vectors
    from search.lifecycle import selection

    mesh = mesh_normalise(np.asarray(triangles, np.float64), format="stl-binary")
    return mesh_vectors(mesh, selection.configured().names)


def ranking(
    query: NDArray[np.float32], gallery: NDArray[np.float32], *, width: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Parts by the mean over the query's views of the best of the part's views."""
    similar = np.einsum("qd,nvd->nqv", query, gallery, optimize=True).max(2).mean(1)
    order = np.argsort(-similar, kind="stable")[:width]
    return order, similar[order]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--noise", type=float, default=0.002, help="of the diagonal")
    options = parser.parse_args()
    django_ready()
    from django.conf import settings

    from search.engines import FUSION
    from search.lifecycle import selection

    parts = [part_triangles(model) for model in furniture_dev(limit=options.limit)]
    groups = geometry_groups(parts)
    names = selection.configured().names
    gallery = [vectors(part) for part in tqdm(parts, desc="gallery")]
    stacked = {name: np.stack([found[name] for found in gallery]) for name in names}
    search = settings.SEARCH.search
    weights = {name: search.mesh_weights.get(name, 1.0) for name in names}
    ranks: dict[str, list[int]] = {name: [] for name in [*names, FUSION]}
    for n, part in enumerate(tqdm(parts, desc="queries")):
        turned = Rotation.random(random_state=n).apply(part.reshape(-1, 3)).reshape(-1, 3, 3)
        rough = perturb(turned * (0.3 + n % 7), keep=0.4, noise=options.noise, seed=n)
        query = vectors(rough)
        found = {
            name: ranking(query[name], stacked[name], width=search.candidate_k) for name in names
        }
        fused = scores_fuse(found, weights)
        found[FUSION] = fused.part_ids, fused.scores
        for name, (order, _similarities) in found.items():
            own = np.flatnonzero(groups[order] == groups[n])
            ranks[name].append(int(own[0]) + 1 if len(own) else 10**6)
    rows = [
        [name, *(f"{np.mean(np.array(of) <= k):.3f}" for k in (1, 5, 10))]
        for name, of in ranks.items()
    ]
    print(
        f"{len(parts)} parts; turned, rescaled, 40 % of the triangles, noise "
        f"{options.noise:.1%} of the diagonal\n"
    )
    print(table(["engine", "R@1", "R@5", "R@10"], rows))


if __name__ == "__main__":
    main()

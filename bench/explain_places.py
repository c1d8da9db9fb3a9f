"""Places that match between two renders of a part, against its depth (bench.explain)."""

import numpy as np

from bench.explain_pairs import MOST_TRIANGLES, SIDE, Floats, families_of, models_of
from bench.quality_icons import part_triangles
from bench.running import table
from catalog.families.types import family_sample
from search.engine.encoders.mini import MiniEncoder
from search.engine.explain.exact import ExactExplainer
from search.engine.explain.fine import fine_read
from search.engine.explain.pairs import pairs_find
from search.engine.render.types import Camera
from search.engine.render.views import views_render


def places_print(half: str, encoder: MiniEncoder, *, count: int) -> None:
    """PCK@0.1 of the part's longer side, two renders 5 to 30 degrees apart, truth from depth."""
    rng = np.random.default_rng(3)
    explainer = ExactExplainer(encoder)
    right: list[bool] = []
    still: list[bool] = []
    numbers = []
    for triangles in _parts(half, count, rng):
        side, across = rng.normal(size=(2, 3))
        side /= np.linalg.norm(side)
        across -= across @ side * side
        across /= np.linalg.norm(across)
        angle = np.radians(rng.uniform(5, 30))
        second = side * np.cos(angle) + across * np.sin(angle)
        views = views_render(triangles, viewpoints=[side, second])
        patches = fine_read(views.rgb, explainer.patches)
        pairs = pairs_find(patches[0], patches[1], views.mask[0] > 127, views.mask[1] > 127)
        numbers.append(len(pairs))
        for pair in pairs:
            truth = _seen_again(pair.x, pair.y, views.cameras, views.depth)
            if truth is not None:
                right.append(bool(np.hypot(truth[0] - pair.u, truth[1] - pair.v) <= 0.1 * 0.92))
                still.append(bool(np.hypot(truth[0] - pair.x, truth[1] - pair.y) <= 0.1 * 0.92))
    rows: list[list[object]] = [
        ["pairs", f"{np.mean(right):.3f}", len(right), f"{np.mean(numbers):.1f}"],
        ["the same place of the picture", f"{np.mean(still):.3f}", len(still), ""],
    ]
    print(table(["matched by", "PCK@0.1", "pairs judged", "pairs a picture"], rows))


def _parts(half: str, count: int, rng: np.random.Generator) -> list[Floats]:
    models = models_of(half)
    found = []
    for index in rng.permutation(len(models)):
        triangles = part_triangles(models[index])
        if len(triangles) <= MOST_TRIANGLES:
            found.append(triangles)
        if len(found) == count // 2:
            break
    families = families_of(half)
    for index in rng.permutation(len(families))[: count - len(found)]:
        sample = family_sample(families[index], 9).triangles
        found.append(np.ascontiguousarray(sample, np.float32))
    return found


def _seen_again(
    x: float, y: float, cameras: tuple[Camera, ...], depth: Floats
) -> tuple[float, float] | None:
    """Where the second camera sees what the first sees at (x, y); None where it does not."""
    one, two = cameras
    column, row = min(int(x * SIDE), SIDE - 1), min(int(y * SIDE), SIDE - 1)
    far = float(depth[0, row, column])
    if not np.isfinite(far):
        return None
    ray = np.array([
        (x * SIDE - one.principal[0]) / one.focal, (y * SIDE - one.principal[1]) / one.focal, 1.0,
    ])  # fmt: skip
    place = (ray * far - one.translation) @ one.rotation
    a, b, z = two.rotation @ place + two.translation
    u, v = a / z * two.focal + two.principal[0], b / z * two.focal + two.principal[1]
    if not (0 <= u < SIDE and 0 <= v < SIDE) or z > depth[1, int(v), int(u)] + 0.05:
        return None
    return float(u / SIDE), float(v / SIDE)

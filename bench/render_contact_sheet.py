"""Contact sheets of real parts, to look at: our thumbnail and view, beside f3d's where installed.

    python -m bench.render_contact_sheet [--count 12] [--out bench/work/sheet.png]

One row a part: thumbnail, the first view as encoders see it, f3d. The parts are families of the
demo catalogue and furniture of the development list, a fixed choice.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search.engine.render.hero import viewpoint_hero
from search.engine.render.surface import surface_make
from search.engine.render.thumbnail import thumbnail_render
from search.engine.render.views import views_render

FAMILIES = ("halo_ring", "gem_pendant", "spur_gear", "hex_bolt", "ball_bearing", "pillow_block")
Y_TO_Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)
SIDE = 384


def parts(count: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Names and (n, 3, 3) triangles, z up: half of them families, half furniture."""
    from bench.furniture import furniture_dev
    from catalog.families.registry import FAMILIES as KNOWN
    from catalog.families.types import family_sample
    from search.engine.mesh.load import mesh_load

    for key in FAMILIES[: count // 2]:
        yield key, family_sample(KNOWN[key], 3).triangles
    models = furniture_dev()
    for model in models[:: max(1, len(models) // max(1, count - count // 2))][: count - count // 2]:
        mesh = mesh_load(model.extract(Path("bench/work/furniture")))
        yield model.name, np.ascontiguousarray(mesh.triangles @ Y_TO_Z_UP.T)


def on_white(picture: NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(picture).convert("RGBA")
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    ground.alpha_composite(image)
    return ground.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def f3d_picture(triangles: NDArray[np.float32], viewpoint: NDArray[np.float64]) -> Image.Image:
    """The same part by f3d with its occlusion on; a grey field when f3d is not installed."""
    try:
        import f3d
    except ImportError:
        return Image.new("RGB", (SIDE, SIDE), (230, 230, 230))
    engine: Any = f3d.Engine.create_egl()
    engine.options.update(
        {
            "render.background.color": [1.0, 1.0, 1.0],
            "render.effect.antialiasing.mode": "fxaa",
            "render.effect.ambient_occlusion": True,
        }
    )
    loaded = f3d.Mesh()
    loaded.points = triangles.reshape(-1).tolist()
    loaded.face_sides = [3] * len(triangles)
    loaded.face_indices = list(range(3 * len(triangles)))
    engine.scene.add(loaded)
    window = engine.window
    window.size = SIDE, SIDE
    camera = window.camera
    low, high = triangles.reshape(-1, 3).min(axis=0), triangles.reshape(-1, 3).max(axis=0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    camera.position = tuple(float(c) for c in centre + viewpoint * radius * 4.2)
    camera.focal_point = tuple(float(c) for c in centre)
    camera.view_up = (0.0, 0.0, 1.0)
    camera.view_angle = 25.0
    image = window.render_to_image()
    pixels = np.frombuffer(bytes(image.content), np.uint8).reshape(SIDE, SIDE, -1)[::-1, :, :3]
    return Image.fromarray(np.ascontiguousarray(pixels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("bench/work/sheet.png"))
    options = parser.parse_args()
    rows = []
    for name, triangles in parts(options.count):
        print(f"{name}: {len(triangles):,} triangles")
        viewpoint = viewpoint_hero(surface_make(triangles))
        view = views_render(triangles, viewpoints=[viewpoint], size=224).rgb[0]
        thumbnail = thumbnail_render(triangles, viewpoint=viewpoint)
        rows.append((on_white(thumbnail), on_white(view), f3d_picture(triangles, viewpoint)))
    columns = 2
    sheet = Image.new("RGB", (3 * columns * SIDE, -(-len(rows) // columns) * SIDE), "white")
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            sheet.paste(image, ((i % columns * 3 + j) * SIDE, i // columns * SIDE))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(options.out)
    print(options.out)


if __name__ == "__main__":
    main()

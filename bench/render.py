"""Our rasteriser beside VTK and f3d, in the same run: CPU milliseconds a view, by mesh and size.

    python -m bench.render [--triangles 1000 20000 120000 1000000] [--sizes 224 512]

Prints a Markdown table and whether the bars hold. A peer that is not installed or dies is named,
not skipped in silence (`pip install vtk f3d`; on Debian also `apt install libegl1 libgl1
libosmesa6`). Each engine runs in a process of its own, on one thread, and is timed by
`process_time`: the median of twelve views after a warm-up. Ours draws RGB with 2x2 samples and
edge lines, mask, depth, normals and face ids, and its figure includes welding and smoothing, a
twelfth a view; theirs is RGB only (VTK 8x MSAA, f3d FXAA), the mesh already loaded.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from statistics import median
from time import process_time

import numpy as np
from numpy.typing import NDArray

from search.engine.render.viewpoints import viewpoint_rotation, viewpoints_fibonacci

ENGINES = ("ours", "vtk", "f3d")
TRIANGLES = (1_000, 20_000, 120_000, 1_000_000)
SIZES = (224, 512)
VIEWPOINTS = viewpoints_fibonacci(12)
TIMES_FASTER = {"vtk": 2.5, "f3d": 5.0}
VIEWS_MS, THUMBNAIL_MS = 80.0, 100.0
ANGLE, DISTANCE = 25.0, 4.72
PEER_SECONDS = 900

Views = Callable[[int], list[float]]


def knot(triangles: int) -> NDArray[np.float32]:
    """(n, 3, 3), n about `triangles`: a bumpy ring in the unit sphere."""
    around = max(4, round(np.sqrt(triangles)))
    across = max(3, round(triangles / 2 / around))
    u = np.linspace(0, 2 * np.pi, around + 1)[:, None]
    v = np.linspace(0, 2 * np.pi, across + 1)[None, :]
    tube = 0.28 * (1 + 0.15 * np.sin(9 * u) * np.cos(4 * v))
    ring = 0.62 + tube * np.cos(v)
    grid = np.stack([ring * np.cos(u), ring * np.sin(u), tube * np.sin(v)], axis=-1)
    grid[-1], grid[:, -1] = grid[0], grid[:, 0]
    grid /= np.linalg.norm(grid, axis=-1).max()
    a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
    quads = np.stack([np.stack([a, b, c], axis=-2), np.stack([a, c, d], axis=-2)])
    return quads.reshape(-1, 3, 3).astype(np.float32)


def timed(view: Callable[[int], object]) -> list[float]:
    """CPU ms of each of the twelve views, after one to warm up."""
    view(0)
    times = []
    for i in range(len(VIEWPOINTS)):
        start = process_time()
        view(i)
        times.append((process_time() - start) * 1e3)
    return times


def ours(mesh: NDArray[np.float32]) -> Views:
    from search.engine.render.views import views_render

    def run(size: int) -> list[float]:
        return [
            t / 12 for t in timed(lambda _: views_render(mesh, viewpoints=VIEWPOINTS, size=size))
        ]

    return run


def vtk(mesh: NDArray[np.float32]) -> Views:
    import vtkmodules.vtkRenderingOpenGL2
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints, vtkUnsignedCharArray
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkRenderingCore import (
        vtkActor,
        vtkPolyDataMapper,
        vtkRenderer,
        vtkRenderWindow,
    )

    assert vtkmodules.vtkRenderingOpenGL2
    points, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    coordinates = np.ascontiguousarray(mesh.reshape(-1, 3))
    points.SetData(numpy_to_vtk(coordinates, deep=True))
    ids = np.arange(len(coordinates), dtype=np.int64).reshape(-1, 3)
    threes = np.column_stack([np.full(len(ids), 3), ids]).ravel()
    cells.SetCells(len(ids), numpy_to_vtkIdTypeArray(threes, deep=True))
    data.SetPoints(points)
    data.SetPolys(cells)
    mapper, actor, renderer = vtkPolyDataMapper(), vtkActor(), vtkRenderer()
    mapper.SetInputData(data)
    actor.SetMapper(mapper)
    renderer.AddActor(actor)
    renderer.SetBackground(1, 1, 1)
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(8)
    window.AddRenderer(renderer)

    def run(size: int) -> list[float]:
        window.SetSize(size, size)

        def view(i: int) -> None:
            camera = renderer.GetActiveCamera()
            camera.SetPosition(*(VIEWPOINTS[i] * DISTANCE))
            camera.SetFocalPoint(0, 0, 0)
            camera.SetViewUp(*-viewpoint_rotation(VIEWPOINTS[i])[1])
            camera.SetViewAngle(ANGLE)
            renderer.ResetCameraClippingRange()
            window.Render()
            pixels = vtkUnsignedCharArray()
            window.GetPixelData(0, 0, size - 1, size - 1, 0, pixels, 0)
            assert pixels.GetNumberOfValues() == size * size * 3

        return timed(view)

    return run


def f3d(mesh: NDArray[np.float32]) -> Views:
    import f3d as library

    engine = library.Engine.create_egl()
    engine.options.update(
        {
            "render.background.color": [1.0, 1.0, 1.0],
            "render.effect.antialiasing.mode": "fxaa",
        }
    )
    loaded = library.Mesh()
    loaded.points = mesh.reshape(-1).tolist()
    loaded.face_sides = [3] * len(mesh)
    loaded.face_indices = list(range(3 * len(mesh)))
    engine.scene.add(loaded)

    def run(size: int) -> list[float]:
        window = engine.window
        window.size = size, size

        def view(i: int) -> None:
            camera = window.camera
            camera.position = tuple(VIEWPOINTS[i] * DISTANCE)
            camera.focal_point = (0.0, 0.0, 0.0)
            camera.view_up = tuple(-viewpoint_rotation(VIEWPOINTS[i])[1])
            camera.view_angle = ANGLE
            assert len(window.render_to_image().content) >= size * size * 3

        return timed(view)

    return run


def engine_run(engine: str, triangles: int, sizes: list[int]) -> None:
    """In the child: one JSON line, median ms a view by size."""
    prepare = {"ours": ours, "vtk": vtk, "f3d": f3d}[engine]
    views = prepare(knot(triangles))
    print(json.dumps({size: median(views(size)) for size in sizes}))


def engine_ask(engine: str, triangles: int, sizes: list[int]) -> dict[int, float] | str:
    """Median ms a view by size, from a child; or why there is none."""
    command = [sys.executable, "-m", "bench.render", "--engine", engine]
    command += ["--triangles", str(triangles), "--sizes", *map(str, sizes)]
    alone = {"LP_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "VTK_SMP_MAX_THREADS": "1"}
    try:
        child = subprocess.run(
            command, env=os.environ | alone, capture_output=True, text=True, timeout=PEER_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {PEER_SECONDS} s"
    for line in child.stdout.splitlines():
        if line.startswith("{"):
            return {int(size): ms for size, ms in json.loads(line).items()}
    last = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
    return f"{last[:120]} (exit code {child.returncode})"


def budgets_measure() -> Iterator[tuple[str, float, float | None]]:
    """What our own doors cost for 20,000 triangles: name, median ms, its bar."""
    from search.engine.render.frame import camera_fit
    from search.engine.render.pose import pose_render
    from search.engine.render.surface import surface_make
    from search.engine.render.thumbnail import thumbnail_render
    from search.engine.render.views import views_render

    mesh = knot(20_000)
    surface = surface_make(mesh)
    doors: list[tuple[str, Callable[[int], object], float | None]] = [
        ("12 views, 224 px", lambda _: views_render(mesh, viewpoints=VIEWPOINTS), VIEWS_MS),
        ("thumbnail, 512 px", lambda _: thumbnail_render(mesh), THUMBNAIL_MS),
    ]
    for size in (112, 208):
        camera = camera_fit(surface, VIEWPOINTS[3], size=size, margin=0.04)
        doors.append((f"pose, {size} px", lambda _, c=camera: pose_render(surface, c), None))
    for name, door, bar in doors:
        yield name, median(timed(door)), bar


def report(triangles: list[int], sizes: list[int]) -> bool:
    """Print the tables; whether every bar held that could be measured."""
    held = True
    print("CPU ms a view (ours: all maps; peers: RGB)\n")
    print("| triangles | px | ours | VTK | f3d | VTK / ours | f3d / ours |\n" + "|-" * 7 + "|")
    missing: dict[str, str] = {}
    for count in triangles:
        answers = {engine: engine_ask(engine, count, sizes) for engine in ENGINES}
        missing |= {e: answer for e, answer in answers.items() if isinstance(answer, str)}
        figures = {e: answer for e, answer in answers.items() if not isinstance(answer, str)}
        for size in sizes:
            ms = {e: answer[size] for e, answer in figures.items()}
            ratio = {e: ms[e] / ms["ours"] for e in ("vtk", "f3d") if e in ms and "ours" in ms}
            cells = [f"{ms[e]:.1f}" if e in ms else "missing" for e in ENGINES]
            cells += [f"{ratio[e]:.1f}" if e in ratio else "-" for e in ("vtk", "f3d")]
            print(f"| {count:,} | {size} | {' | '.join(cells)} |", flush=True)
            if size == 512:
                held &= all(ratio[e] >= TIMES_FASTER[e] for e in ratio)
    for engine, reason in missing.items():
        print(f"\n{engine} gave no figure: {reason}")
    print("\n| 20,000 triangles | ms | bar |\n|-|-|-|")
    for name, took, bar in budgets_measure():
        print(f"| {name} | {took:.1f} | {'-' if bar is None else f'{bar:.0f}'} |", flush=True)
        held &= bar is None or took <= bar
    bars = ", ".join(f"{times} times {engine} at 512 px" for engine, times in TIMES_FASTER.items())
    print(f"\nBars ({bars}, and the table above): {'held' if held else 'NOT held'}.")
    return held and not missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triangles", type=int, nargs="+", default=list(TRIANGLES))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        engine_run(options.engine, options.triangles[0], options.sizes)
    else:
        sys.exit(0 if report(options.triangles, options.sizes) else 1)


if __name__ == "__main__":
    main()

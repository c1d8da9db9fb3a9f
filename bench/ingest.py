"""How fast uploads become findable: `python -m bench.ingest`.

Real furniture files (OBJ) are written as binary STL, imported, and taken through the whole
pipeline by a real worker with two processes on the file-system broker.
"""

import argparse
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import running
from bench.furniture import furniture_dev


def files_write(folder: Path, most: int) -> int:
    """The collection's models as STL files; how many could be written."""
    from search.engine.errors import MeshError
    from search.engine.mesh.load import mesh_load
    from tests.factories.meshes import stl_binary

    written = 0
    for model in furniture_dev():
        if written == most:
            break
        try:
            with TemporaryDirectory() as unpacked:
                mesh = mesh_load(model.extract(Path(unpacked)))
        except MeshError as error:
            print(f"{model.id}: {error}")
            continue
        (folder / f"part-{written:04}.stl").write_bytes(
            stl_binary((mesh.triangles * mesh.scale).astype("float32"))
        )
        written += 1
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=240)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with running.data_folder(), TemporaryDirectory() as folder:
        n = files_write(Path(folder), options.files)
        from django.core.management import call_command

        from catalog.models import Part, PipelineStep
        from catalog.selectors import catalogue_counts

        with running.worker(options.workers) as worker:
            # One part first: the worker's libraries are loaded and its code compiled.
            warm = next(Path(folder).glob("*.stl"))
            call_command("import_parts", str(warm), "--wait")
            start = time.perf_counter()
            call_command("import_parts", folder, "--jobs", "2", verbosity=0)
            uploaded = time.perf_counter() - start
            while catalogue_counts().working:
                time.sleep(0.05)
            took = time.perf_counter() - start
            peaks = [running.peak_mb(pid) for pid in running.children(worker.pid)]
        counts = catalogue_counts()
        rows = []
        for step in PipelineStep.Step:
            times = list(
                PipelineStep.objects.filter(step=step, state="done").values_list("ms", flat=True)
            )
            rows.append([step, f"{median(times):.0f}", max(times)])
        triangles = sorted(Part.objects.values_list("triangles", flat=True).exclude(triangles=None))
        print(running.table(["step", "median ms", "most ms"], rows))
        print(
            f"\n{n} files, median {triangles[len(triangles) // 2]} and at most {triangles[-1]} "
            f"triangles; {counts.ready} ready, {counts.failed} failed.\n"
            f"Upload of all: {uploaded:.1f} s. Upload to findable: {took:.1f} s, "
            f"{(n - 1) / took:.1f} parts a second with {options.workers} worker processes.\n"
            f"Peak memory of a worker process: {max(peaks):.0f} MB."
        )


if __name__ == "__main__":
    main()

"""How fast ViT-B/32 looks on this CPU, by every way to run it: `python -m bench.encoders`.

The network has its full size and random weights, saved and read as trained ones are: speed is
theirs, and the cosines to fp32 are a random network's. (A trained one has larger outliers, which
cost 8 bits more than they cost bfloat16; `manage.py engine_fetch NAME --measure` measures the
weights themselves.) One thread each; the ways take turns, so that whatever else the machine does
touches all of them; medians over the turns. CPU seconds leave out the time others took.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.running import django_ready, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.engine.encoders.openclip import OpenClipEncoder
    from search.engine.encoders.running import Running

TEXT = "a bracket with four holes"


def encoder_made(folder: Path, model_name: str, seed: int = 0) -> OpenClipEncoder:
    """open_clip's network of that name with random weights, in a file of its own."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    from search.engine.encoders.openclip import OpenClipEncoder
    from search.engine.encoders.openclip_files import Source
    from search.engine.encoders.running import Wanted

    torch.manual_seed(seed)
    made = open_clip.create_model(model_name, load_weights=False)
    state = {key: value.contiguous().clone() for key, value in made.state_dict().items()}
    save_file(state, folder / "weights.safetensors")
    source = Source(
        "bench", folder / "fetched", folder / "notes",
        model_name=model_name, checkpoint=folder / "weights.safetensors",
    )  # fmt: skip
    return OpenClipEncoder(source, folder=folder / "spaces", wanted=Wanted("cpu"))


def runnings(encoder: OpenClipEncoder, pictures: NDArray[np.uint8]) -> dict[str, Running]:
    """Every way loaded, the exact one first."""
    from search.engine.encoders.exported import exported_running, exported_ways
    from search.engine.encoders.running import Way

    bench = encoder._bench("cpu", pictures)
    bench.export(tries=1)
    found: dict[str, Running] = {
        str(way): bench.running(way) for way in (Way("torch", "fp32"), Way("torch", "bf16"))
    }
    for way in exported_ways(encoder.folder):
        found[str(way)] = exported_running(encoder.folder, way)
    return found


def timed(call: Any) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(
    ways: dict[str, Running], pictures: NDArray[np.uint8], tokens: NDArray[np.int64], turns: int
) -> list[list[object]]:
    from search.engine.encoders.running import cosine_least

    exact = ways["torch fp32"]
    seen, read = exact.pictures(pictures, threads=1), exact.texts(tokens, threads=1)
    looks: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    texts: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    cosines = {
        name: (
            cosine_least(way.pictures(pictures, threads=1), seen),
            cosine_least(way.texts(tokens, threads=1), read),
        )
        for name, way in ways.items()
    }
    for _ in range(turns):
        for name, way in ways.items():
            looks[name].append(timed(lambda way=way: way.pictures(pictures, threads=1)))
            texts[name].append(timed(lambda way=way: way.texts(tokens[:1], threads=1)))
    rows: list[list[object]] = []
    base = statistics.median(cpu for _wall, cpu in looks["torch fp32"])
    for name in ways:
        wall, cpu = (statistics.median(of) for of in zip(*looks[name], strict=True))
        word = statistics.median(of for _wall, of in texts[name])
        rows.append([
            name, f"{len(pictures) / wall:.1f}", f"{len(pictures) / cpu:.1f}",
            f"{base / cpu:.2f}", f"{1000 * word:.0f}", f"{cosines[name][0]:.5f}",
            f"{cosines[name][1]:.5f}",
        ])  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ViT-B-32", help="a name of open_clip's")
    parser.add_argument("--pictures", type=int, default=8, help="views of parts, at most 8")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    django_ready()
    from search.lifecycle.fetching import probe_views

    with tempfile.TemporaryDirectory(prefix="stlcatalog-bench-") as folder:
        encoder = encoder_made(Path(folder), options.model)
        pictures = probe_views(encoder.picture_size)[: options.pictures]
        ways = runnings(encoder, pictures)
        rows = measure(ways, pictures, encoder._tokens(), options.turns)
    print(f"{options.model}, random weights, one thread, batches of {len(pictures)}\n")
    headers = [
        "way", "pictures/s", "pictures/CPU s", "times torch fp32", "one text, CPU ms",
        "least cosine, pictures", "texts",
    ]  # fmt: skip
    print(table(headers, rows))


if __name__ == "__main__":
    main()

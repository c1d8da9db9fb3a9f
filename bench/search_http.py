"""Search over HTTP at 1k, 10k and 100k parts: `python -m bench.search_http`.

Parts, words and vectors are synthetic (twelve correlated views a part, clustered as families
are); the server is gunicorn with two workers, asked by one client and by two at once. No two
queries are the same, so nothing comes from the cache. Also the cost of one new part at each size.
"""

import argparse
import io
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from bench import running

# fmt: off
WORDS = (
    "ring", "band", "solitaire", "halo", "gear", "spur", "helical", "bolt", "hex", "nut", "washer",
    "bearing", "flange", "bracket", "knob", "vase", "chair", "mug", "pendant", "bangle", "brooch",
    "chain", "hinge", "plate", "shaft", "pulley", "coupling", "valve", "elbow",
)
WORDS_ZH = (
    "戒指", "齒輪", "螺栓", "螺帽", "墊圈", "軸承", "法蘭", "支架", "旋鈕", "花瓶", "椅子",
    "馬克杯", "墜子", "手鐲", "鏈條", "鉸鏈",
)
# fmt: on


def fill(parts: int, *, first: int, rng: np.random.Generator) -> None:
    """Add parts numbered from `first`, ready, with words and with vectors in every space."""
    from catalog.models import Part, PartTerm
    from catalog.words import terms_of
    from search import encoders, engines
    from search.embeddings import space_row
    from search.models import Embedding, Space

    spaces = {space.key: (space, space_row(space)) for space in engines.spaces()}
    # A part has a row of one vector by its shape and among words, of one a view by its looks.
    looks = {encoders.space(name).key for name in engines.engine_names("image")}
    families = {
        name: rng.normal(size=(200, s.d)).astype("f4") for name, (s, _row) in spaces.items()
    }
    views = {name: 12 if name in looks else 1 for name in spaces}
    for start in range(first, first + parts, 1000):
        rows = []
        for n in range(start, min(start + 1000, first + parts)):
            a, b, c = rng.integers(0, len(WORDS), 3)
            rows.append(
                Part(
                    name=f"{WORDS[a]} {WORDS[b]} {n % 97}", name_zh=WORDS_ZH[c % len(WORDS_ZH)],
                    number=f"R{8000000 + n}", file=f"meshes/{n}.stl", file_name=f"{n}.stl",
                    file_size=1, sha256=f"{n:064x}", status="ready", size_x=1, size_y=2, size_z=3,
                    volume_mm3=float(n % 1000), watertight=True,
                )
            )  # fmt: skip
        rows = Part.objects.bulk_create(rows)
        PartTerm.objects.bulk_create(
            (
                PartTerm(part=part, term=term, weight=weight)
                for part in rows
                for term, weight in terms_of(part).items()
            ),
            batch_size=5000,
        )
        for name, (space, row) in spaces.items():
            family = families[name][rng.integers(0, 200, len(rows))]
            own = family + 0.7 * rng.normal(size=family.shape)
            vectors = own[:, None] + 0.6 * rng.normal(size=(len(rows), views[name], space.d))
            vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
            data = vectors.astype("<f2")
            row.refresh_from_db()
            Embedding.objects.bulk_create(
                Embedding(
                    space=row, part=part, seq=row.last_seq + 1 + i, views=views[name],
                    vectors=data[i].tobytes(),
                )
                for i, part in enumerate(rows)
            )  # fmt: skip
            Space.objects.filter(pk=row.pk).update(last_seq=row.last_seq + len(rows))


def photos(count: int, rng: np.random.Generator) -> list[bytes]:
    """Different JPEGs of 1600 x 1200: a part's view laid on a textured ground."""
    from catalog.families.demo import demo_parts
    from search.engine.mesh.normalise import mesh_normalise
    from search.engine.render.views import views_render

    made = []
    parts = demo_parts()
    for n in range(count):
        part = parts[n % len(parts)]
        mesh = mesh_normalise(part.triangles, format="stl-binary")
        direction = rng.normal(size=3)
        views = views_render(
            mesh.triangles, viewpoints=[direction / np.linalg.norm(direction)], size=700
        )
        noise = rng.normal(0, 14, (150, 200, 1)).repeat(8, 0).repeat(8, 1)
        picture = np.clip(rng.uniform(90, 190, 3) + noise, 0, 255).astype(np.uint8)
        window = picture[250:950, 450:1150]
        cover = views.mask[0][..., None] / 255
        window[:] = (views.rgb[0] * cover + window * (1 - cover)).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=88)
        made.append(file.getvalue())
    return made


def multipart(fields: dict[str, str], name: str, file: bytes) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="q"\r\n\r\n'
    body = b"".join(parts) + head.encode() + file + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def ask(url: str, body: bytes, content_type: str) -> float:
    """Milliseconds of one request that must succeed."""
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    start = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["success"]
    return (time.perf_counter() - start) * 1000


def measure(
    base: str, queries: dict[str, list[Callable[[], float]]], clients: int
) -> dict[str, list[float]]:
    times = {}
    for kind, calls in queries.items():
        with ThreadPoolExecutor(clients) as pool:
            times[kind] = list(pool.map(lambda call: call(), calls))
    return times


def queries_make(
    base: str, count: int, rng: np.random.Generator
) -> dict[str, list[Callable[[], float]]]:
    from catalog.families.demo import demo_parts
    from tests.factories.meshes import stl_binary

    pictures = photos(2 * count, rng)
    demo = demo_parts()

    def text() -> Callable[[], float]:
        words = [*rng.choice(WORDS, 2), rng.choice(WORDS_ZH), str(rng.integers(0, 97))]
        query = [
            " ".join(words[:2]),
            words[2],
            f"R{rng.integers(8000000, 8100000)}",
            " ".join(words),
        ]
        body = json.dumps({"query": str(query[rng.integers(4)]), "k": 10}).encode()
        return lambda: ask(f"{base}/api/search/text", body, "application/json")

    def image(data: bytes) -> Callable[[], float]:
        body, kind = multipart({"k": "10"}, "image", data)
        return lambda: ask(f"{base}/api/search/image", body, kind)

    def hybrid(data: bytes) -> Callable[[], float]:
        body, kind = multipart({"k": "10", "text": str(rng.choice(WORDS))}, "image", data)
        return lambda: ask(f"{base}/api/search/hybrid", body, kind)

    def mesh(n: int) -> Callable[[], float]:
        scale = np.float32(1 + n / 1000)
        body, kind = multipart(
            {"k": "10"}, "file", stl_binary(demo[n % len(demo)].triangles * scale)
        )
        kind_url = f"{base}/api/search/mesh"
        return lambda: ask(kind_url, body, kind)

    return {
        "text": [text() for _ in range(4 * count)],
        "image": [image(data) for data in pictures[:count]],
        "hybrid": [hybrid(data) for data in pictures[count:]],
        "mesh": [mesh(n) for n in range(count)],
    }


def update_cost(rng: np.random.Generator) -> float:
    """Median ms from a new part's rows to its being in the index of this process."""
    from catalog.models import Part
    from search import embeddings, encoders
    from search.indices import index_current

    space = encoders.space("mini")
    index_current(space)
    times = []
    for part in Part.objects.order_by("pk")[:30]:
        vectors = rng.normal(size=(12, space.d)).astype("f4")
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        start = time.perf_counter()
        embeddings.embeddings_write(part_id=part.pk, space=space, vectors=vectors)
        index_current(space)
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="1000,10000,100000")
    parser.add_argument("--queries", type=int, default=60, help="of each kind")
    parser.add_argument("--clients", default="1,2")
    options = parser.parse_args()
    rng = np.random.default_rng(7)
    rows: list[list[object]] = []
    updates: list[list[object]] = []
    with running.data_folder():
        from search.indices import index_compact
        from search.models import Space

        held = 0
        for parts in map(int, options.parts.split(",")):
            fill(parts - held, first=held, rng=rng)
            held = parts
            start = time.perf_counter()
            recalls = [index_compact(key).manifest["recall_at_10"] for key in
                       Space.objects.values_list("key", flat=True)]  # fmt: skip
            built = time.perf_counter() - start
            updates.append([f"{parts:,}", f"{update_cost(rng):.1f}", f"{built:.1f}",
                            " ".join(f"{recall:.3f}" for recall in recalls)])  # fmt: skip
            for clients in map(int, options.clients.split(",")):
                with running.web(2) as base:
                    measure(base, queries_make(base, 4, rng), clients=4)  # both workers warm
                    for kind, times in measure(
                        base, queries_make(base, options.queries, rng), clients
                    ).items():
                        p50, p95 = np.percentile(times, (50, 95))
                        rows.append([f"{parts:,}", clients, kind, f"{p50:.1f}", f"{p95:.1f}"])
            print(f"... {parts} parts done", flush=True)
    print(running.table(["parts", "clients", "kind", "p50 ms", "p95 ms"], rows))
    print()
    print(running.table(["parts", "one new part, ms", "snapshots built, s", "recall@10"], updates))


if __name__ == "__main__":
    main()

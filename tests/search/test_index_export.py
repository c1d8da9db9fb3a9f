"""The vectors leave as plain faiss and plain JSON that another program reads, and come back."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from catalog.errors import ServiceError
from catalog.models import Category, Part
from search import embeddings, encoders, exports, imports, indices
from search.engine.index.snapshot import folder_lock
from search.lifecycle.installs import keys_now, parts_lacking
from search.models import Embedding, EngineInstall, Space
from tests.factories.shelf import AxisEncoder, axes_in_place

pytestmark = pytest.mark.django_db

VIEWS, D = 3, AxisEncoder.space.d
# A program that knows nothing of us: the nearest rows of an index, and what they are called.
READER = """
import json, sys
import faiss, numpy as np
folder, stem, queries = sys.argv[1], sys.argv[2], np.array(json.loads(sys.argv[3]), "float32")
index = faiss.read_index(f"{folder}/{stem}.index")
labels = json.load(open(f"{folder}/{stem}_labels.json", encoding="utf-8"))
assert len(labels) == index.ntotal, (len(labels), index.ntotal)
assert "django" not in sys.modules
scores, rows = index.search(queries, 5)
print(json.dumps([[[labels[row], float(score)] for row, score in zip(*found)]
                  for found in zip(rows.tolist(), scores.tolist())]))
"""


@pytest.fixture(autouse=True)
def in_place(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    axes_in_place(monkeypatch)
    settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["mini"]})


@pytest.fixture
def shelf() -> list[Part]:
    """Forty parts of three views, one of them in the trash, one filed."""
    rng = np.random.default_rng(0)
    category = Category.objects.create(name="Ring", name_zh="戒指")
    parts = []
    for n in range(40):
        part = Part.objects.create(
            name=f"環 {n}", number=f"R{n:04}", file=f"meshes/{n}.stl", file_name=f"{n}.stl",
            file_size=84, sha256=f"{n:064x}", status="ready",
            category=category if n == 3 else None,
        )  # fmt: skip
        made = rng.standard_normal((VIEWS, D))
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        for space, rows in ((AxisEncoder.space, made), (AxisEncoder.words_space, made[:1])):
            embeddings.embeddings_write(part_id=part.pk, space=space, vectors=rows)
        parts.append(part)
    parts[7].deleted_at = parts[7].created_at
    parts[7].save()
    return parts


def read(folder: Path, stem: str, queries: np.ndarray) -> list[list[tuple[dict, float]]]:
    """What the other program finds."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", READER, str(folder), stem, json.dumps(queries.tolist())],
        check=True,
        capture_output=True,
    )
    return json.loads(done.stdout)


def test_another_program_finds_what_we_find(shelf, tmp_path):
    metadata = exports.index_export(tmp_path / "out")
    rng = np.random.default_rng(1)
    queries = rng.standard_normal((4, D)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    index = indices.index_current(AxisEncoder.space)
    for query, rows in zip(queries, read(tmp_path / "out", "mini", queries), strict=True):
        ours = index.search(query[None], k=5, exclude=[shelf[7].pk])
        best = dict.fromkeys(label["part"] for label, _ in rows)
        wanted = [str(Part.objects.get(pk=pk).uuid) for pk in ours.part_ids.tolist()]
        assert list(best) == wanted[: len(best)]
        label, score = rows[0]
        assert score == pytest.approx(float(ours.similarities[0]), abs=2e-3)
        assert label["view"] == int(ours.best_views[0])
    facts = metadata["indexes"]["mini"]
    assert (facts["vectors"], facts["parts"], facts["d"]) == (39 * VIEWS, 39, D)
    assert (facts["metric"], facts["normalised"], facts["type"]) == ("inner_product", True, "Flat")
    assert metadata == json.loads((tmp_path / "out" / "metadata.json").read_text())


def test_labels_name_the_parts(shelf, tmp_path):
    exports.index_export(tmp_path / "out")
    labels = json.loads((tmp_path / "out" / "mini_labels.json").read_text(encoding="utf-8"))
    assert labels[0] == {
        "part": str(shelf[0].uuid), "number": "R0000", "name": "環 0", "class_name": "", "view": 0,
    }  # fmt: skip
    assert [label["view"] for label in labels[:4]] == [0, 1, 2, 0]
    assert {label["class_name"] for label in labels if label["part"] == str(shelf[3].uuid)} == {
        "Ring"
    }
    assert str(shelf[7].uuid) not in {label["part"] for label in labels}
    assert len(json.loads((tmp_path / "out" / "mini_words_labels.json").read_text())) == 39


def test_pooled_is_one_row_a_part(shelf, tmp_path):
    facts = exports.index_export(tmp_path / "out", pooled=True)["indexes"]["mini"]
    assert (facts["vectors"], facts["pooled"]) == (39, True)
    held = embeddings.embeddings_read(shelf[5].pk, AxisEncoder.space.key)
    mean = held.mean(axis=0)
    (rows,) = read(tmp_path / "out", "mini", (mean / np.linalg.norm(mean))[None])
    label, score = rows[0]
    assert label["part"] == str(shelf[5].uuid)
    assert label["view"] is None
    assert score == pytest.approx(1, abs=1e-3)


def test_the_snapshot_s_own_index_can_be_had(shelf, tmp_path, settings):
    faiss = settings.SEARCH.faiss.model_copy(update={"index_type": "HNSW", "exact_below": 10})
    settings.SEARCH = settings.SEARCH.model_copy(update={"faiss": faiss})
    facts = exports.index_export(tmp_path / "out", snapshot=True)["indexes"]["mini"]
    assert facts["type"].startswith("HNSW")
    assert facts["recall_at_10"] > 0.9
    vectors = embeddings.embeddings_read(shelf[5].pk, AxisEncoder.space.key)
    for view, rows in enumerate(read(tmp_path / "out", "mini", vectors)):
        label, _ = rows[0]
        assert (label["part"], label["view"]) == (str(shelf[5].uuid), view)
    labels = json.loads((tmp_path / "out" / "mini_labels.json").read_text(encoding="utf-8"))
    assert labels.count(None) == VIEWS  # the part in the trash


def test_memory_holds_a_batch_and_a_failure_leaves_what_was(shelf, tmp_path, monkeypatch):
    exports.index_export(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    asked = []
    whole = embeddings.rows_after
    monkeypatch.setattr(embeddings, "BATCH", 7)

    def watched(*args, **how):
        for batch in whole(*args, **how):
            asked.append(len(batch))
            if len(asked) > 8:
                raise OSError("the disk is full")
            yield batch

    monkeypatch.setattr(embeddings, "rows_after", watched)
    with pytest.raises(OSError, match="full"):
        exports.index_export(tmp_path / "out")
    assert max(asked) == 7
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_other_things_is_left_alone(shelf, tmp_path):
    (tmp_path / "thesis.doc").write_text("all my work")
    for folder in (tmp_path, tmp_path / "thesis.doc"):
        with pytest.raises(ServiceError) as raised:
            exports.index_export(folder)
        assert raised.value.code == "export_folder"
    with pytest.raises(CommandError, match="no engine"):
        call_command("index_export", str(tmp_path / "new"), "--engine", "nobody")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.doc"]


def test_a_volume_is_written_from_within(shelf, tmp_path, monkeypatch):
    """Its parent is another disk, where nothing may be written and nothing can be moved from."""
    (tmp_path / "volume").mkdir()
    made = []
    whole = Path.mkdir
    monkeypatch.setattr(Path, "mkdir", lambda path, **how: (made.append(path), whole(path, **how)))
    for _ in range(2):
        exports.index_export(tmp_path / "volume")
        assert (tmp_path / "volume") in made.pop().parents
        assert read(tmp_path / "volume", "mini", np.eye(1, D, dtype=np.float32))
    assert not [path for path in (tmp_path / "volume").iterdir() if path.name.endswith(".tmp")]


def test_two_at_once_and_one_that_was_killed(shelf, tmp_path):
    exports.index_export(tmp_path / "out")
    work = tmp_path / "out" / ".out.tmp"
    work.mkdir()
    (work / "mini.index").write_bytes(b"half")
    with folder_lock(work) as held:
        assert held
        with pytest.raises(ServiceError) as raised:
            exports.index_export(tmp_path / "out")
    assert raised.value.code == "export_busy"
    assert (work / "mini.index").read_bytes() == b"half"
    exports.index_export(tmp_path / "out")  # whoever held it is gone
    assert not work.exists()


def test_a_damaged_snapshot_is_built_anew(shelf, tmp_path, settings):
    faiss = settings.SEARCH.faiss.model_copy(update={"index_type": "HNSW"})
    settings.SEARCH = settings.SEARCH.model_copy(update={"faiss": faiss})
    snapshot = indices.index_compact(AxisEncoder.space.key)
    file = settings.INDICES / AxisEncoder.space.key / snapshot.version / "index.faiss"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    facts = exports.index_export(tmp_path / "out", snapshot=True)["indexes"]["mini"]
    assert facts["type"].startswith("HNSW")
    assert read(tmp_path / "out", "mini", np.eye(1, D, dtype=np.float32))


def test_a_file_that_this_faiss_does_not_read_is_told(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr("search.engine.index.flat_file._VECTORS_AT", 20)
    with pytest.raises(CommandError, match="index file"):
        call_command("index_export", str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_two_engines_of_one_network_have_a_file_each(shelf, tmp_path, monkeypatch, settings):
    mini = settings.SEARCH.engines["mini"]
    settings.SEARCH = settings.SEARCH.model_copy(
        update={"engines": {"one": mini, "two": mini}, "use": ["one", "two"]}
    )
    monkeypatch.setattr(exports, "stem_of", lambda name: "clip_vit_b32")
    indexes = exports.index_export(tmp_path / "out")["indexes"]
    assert {name: facts["engine"] for name, facts in indexes.items()} == {
        "clip_vit_b32": "one", "clip_vit_b32_words": "one",
        "clip_vit_b32_two": "two", "clip_vit_b32_words_two": "two",
    }  # fmt: skip
    assert {facts["file"] for facts in indexes.values()} < {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_the_names_are_those_of_the_networks(settings):
    from types import SimpleNamespace

    models = {
        "clip": ("openclip", "ViT-B-32", "clip_vit_b32"),
        "large": ("openclip", "ViT-L-14", "clip_vit_l14"),
        "rn": ("openclip", "RN50x64", "clip_rn50x64"),
        "many": ("openclip", "xlm-roberta-base-ViT-B-32", "clip_xlm_roberta_base_vit_b32"),
        "siglip2": ("openclip", "ViT-B-16-SigLIP2-256", "vit_b16_siglip2_256"),
        "resnet50": ("resnet50", "", "resnet50"),
        "mini": ("mini", "", "mini"),
    }
    engines = {
        name: SimpleNamespace(encoder=encoder, model_name=model)
        for name, (encoder, model, _) in models.items()
    }
    settings.SEARCH = SimpleNamespace(engines=engines)
    assert {name: exports.stem_of(name) for name in models} == {
        name: stem for name, (_, _, stem) in models.items()
    }


# Back again -------------------------------------------------------------------------------------


def test_a_catalogue_without_vectors_takes_them_back(shelf, tmp_path, capsys):
    call_command("index_export", str(tmp_path / "out"))
    kept = {part.pk: embeddings.embeddings_read(part.pk, AxisEncoder.space.key) for part in shelf}
    Embedding.objects.all().delete()
    Space.objects.all().delete()
    indices._held.cache_clear()
    gone = shelf[2].uuid
    shelf[2].delete()
    call_command("index_import", str(tmp_path / "out"))
    said = capsys.readouterr().out
    assert "mini: 38 parts written, 0 the same, 1 not in this catalogue" in said
    for part in shelf[8:12]:
        np.testing.assert_allclose(
            embeddings.embeddings_read(part.pk, AxisEncoder.space.key), kept[part.pk], atol=1e-3
        )
    found = indices.index_current(AxisEncoder.space).search(kept[shelf[9].pk][1:2], k=1)
    assert found.part_ids.tolist() == [shelf[9].pk]
    assert not Part.objects.filter(uuid=gone).exists()
    (again, _) = imports.index_import(tmp_path / "out")
    assert (again.written, again.same) == (0, 38)


@pytest.fixture
def folder(shelf, tmp_path) -> Path:
    exports.index_export(tmp_path / "out")
    return tmp_path / "out"


def refusal(folder: Path) -> str:
    before = Embedding.objects.count()
    with pytest.raises(ServiceError) as raised:
        imports.index_import(folder)
    assert Embedding.objects.count() == before
    assert str(raised.value)
    return raised.value.code


def test_one_changed_byte_is_noticed(folder):
    data = bytearray((folder / "mini.index").read_bytes())
    data[-5] ^= 1
    (folder / "mini.index").write_bytes(data)
    assert refusal(folder) == "import_damaged"


def sealed(folder: Path, *, index: np.ndarray | None = None, labels: str | None = None) -> None:
    """Other contents for the index of mini or for its labels, with checksums that are right."""
    if index is not None:
        flat = faiss.IndexFlatIP(index.shape[1])
        flat.add(index)
        faiss.write_index(flat, str(folder / "mini.index"))
    if labels is not None:
        (folder / "mini_labels.json").write_text(labels, encoding="utf-8")
    metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    facts = metadata["indexes"]["mini"]
    facts["sha256"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (facts["file"], facts["labels"])
    }
    (folder / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")


ROWS = 39 * VIEWS


@pytest.mark.parametrize(
    "index",
    [
        np.full((ROWS, D), np.nan, np.float32), np.ones((ROWS, D), np.float32) * 7,
        np.eye(ROWS, D + 1, dtype=np.float32), np.eye(ROWS - 1, D, dtype=np.float32),
    ],
)  # fmt: skip
def test_vectors_that_would_spoil_searches_are_refused(folder, index):
    sealed(folder, index=index)
    assert refusal(folder) == "import_damaged"


@pytest.mark.parametrize(
    "labels", ["", "[\n]\n", "[\nnull\n]", "[\n{\n]", '[\n{"part": "me"}\n]', '[\n{"part": 1}\n]']
)
def test_labels_that_are_none_are_refused(folder, labels):
    sealed(folder, labels=labels)
    assert refusal(folder) == "import_damaged"


def test_an_index_of_another_kind_is_refused(folder):
    index = faiss.index_factory(D, "HNSW8", faiss.METRIC_INNER_PRODUCT)
    index.add(np.eye(ROWS, D, dtype=np.float32))
    faiss.write_index(index, str(folder / "mini.index"))
    sealed(folder)
    assert refusal(folder) == "snapshot_format"


def test_another_space_is_refused(folder, monkeypatch):
    other = encoders.space("mini")
    other = type(other)(other.encoder, "1" * 64, other.preprocessing, other.d)
    monkeypatch.setattr(encoders, "space", lambda name: other)
    assert refusal(folder) == "import_space"


def test_an_engine_that_is_only_installed_takes_its_vectors(folder, monkeypatch, settings):
    other = type(AxisEncoder.space)("other", "1" * 64, "none", D)
    monkeypatch.setattr(
        encoders, "space", lambda name: AxisEncoder.space if name == "mini" else other
    )
    monkeypatch.setattr(
        encoders, "words_space", lambda name: AxisEncoder.words_space if name == "mini" else None
    )
    settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["shape"]})
    assert refusal(folder) == "import_space"
    row = EngineInstall.objects.create(engine="mini", spaces=keys_now("mini"))
    Embedding.objects.all().delete()
    (looks, words) = imports.index_import(folder)
    assert (looks.written, words.written) == (39, 39)
    assert not parts_lacking(row.spaces).exclude(deleted_at__isnull=False).exists()
    EngineInstall.objects.update(state="removing")
    assert refusal(folder) == "import_space"


def test_pooled_vectors_are_not_views(shelf, tmp_path):
    exports.index_export(tmp_path / "out", pooled=True)
    assert refusal(tmp_path / "out") == "import_partial"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1, "indexes": {"x": {}}}', '{"format": 9, "indexes": {}}',
             '{"format": 1, "indexes": {"x": {"file": "../../etc/passwd", "labels": "x", '
             '"sha256": {}}}}',
             '{"format": 1, "indexes": {"x": {"file": "mini.index", "labels": "mini_labels.json", '
             '"sha256": {}, "space": "s", "type": "Flat", "pooled": false}}}',
             '{"format": 1, "indexes": {"x": {"file": "mini.index", "labels": "mini_labels.json", '
             '"sha256": {"mini.index": "", "mini_labels.json": ""}}}}',
             '{"format": 1, "indexes": []}'],
)  # fmt: skip
def test_metadata_that_is_not_ours_is_refused(folder, text):
    (folder / "metadata.json").write_text(text)
    assert refusal(folder) == "import_unknown"


def test_a_missing_file_is_refused(folder):
    (folder / "mini_labels.json").unlink()
    assert refusal(folder) == "import_unknown"
    assert refusal(folder / "nowhere") == "import_unknown"

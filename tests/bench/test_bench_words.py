"""The words bench: who is asked for what, what counts as found, and features computed once."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench import others, quality_words, words_galleries
from bench.words_galleries import Gallery, Part
from catalog.families.registry import FAMILIES
from catalog.families.types import Phrases
from search.engine.encoders.mini import NETWORK
from tests.factories.meshes import box
from training.collections.held_out import HELD_OUT_FAMILIES
from training.collections.types import CollectionPart, Words, split_of


class Heads:
    """Knows a list of words: a text and a feature are one-hot."""

    def __init__(self, *known: str) -> None:
        self.known = known

    def texts_embed(self, texts: list[str]) -> NDArray[np.float32]:
        return np.array([[text == word for word in self.known] for text in texts], np.float32)

    def features_words(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return features


def furniture_part(key: str, name: str, hant: str = "", hans: str = "") -> CollectionPart:
    words = Words(Phrases((name,), (hant,) * bool(hant), (hans,) * bool(hans)), Phrases((), (), ()))
    return CollectionPart(key=key, name=name, words=words, read=box)


def name_in(split: str, *, start: int = 0) -> str:
    return next(f"thing {i}" for i in range(start, 1000) if split_of(f"thing {i}") == split)


def test_a_query_counts_the_first_right_part() -> None:
    heads = Heads("cup", "vase", "ring")
    vectors = np.array([[0.9, 0, 0], [0.5, 1, 0], [0.8, 0, 0], [0, 0, 1]], np.float32)
    kinds = np.array(["vase", "cup", "cup", "ring"])
    asked = {"cup": {"cup"}, "ring": {"ring"}, "bolt": {"bolt"}}
    task = quality_words.task_make("try", "en", asked, kinds, vectors)
    assert task is not None
    assert task.queries == ["cup", "ring"]  # nothing is a bolt
    result = quality_words.task_run(task, heads)
    assert result.values["S@1"].tolist() == [0, 1]
    assert result.values["S@5"].tolist() == [1, 1]
    assert result.values["MRR"].tolist() == [0.5, 1]
    assert result.values["R@10"].tolist() == [1, 1]
    ideal = 1 + 1 / np.log2(3)
    assert result.values["nDCG@10"][0] == pytest.approx((1 / np.log2(3) + 0.5) / ideal)
    assert result.mean("MRR") == 0.75


def test_no_task_when_nothing_can_be_asked() -> None:
    kinds, vectors = np.array(["cup"]), np.ones((1, 3), np.float32)
    assert quality_words.task_make("try", "en", {"bolt": {"bolt"}}, kinds, vectors) is None


def test_a_part_is_the_mean_of_its_views() -> None:
    features = np.zeros((1, 2, 3), np.float16)
    features[0, 0, 0] = features[0, 1, 1] = 1
    gallery = Gallery([Part("a", "a", box)], features)
    vectors = quality_words.parts_embed(Heads(), gallery)
    np.testing.assert_allclose(vectors, [[0.5**0.5, 0.5**0.5, 0]], atol=1e-6)


def test_furniture_is_asked_by_names_that_training_never_saw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train, validation, test = map(name_in, ("train", "validation", "test"))
    other = name_in("validation", start=int(validation.split()[1]) + 1)
    parts = [
        furniture_part("1", train, hant="門"),
        furniture_part("2", validation, hant="門", hans="门"),  # 門 is known from training
        furniture_part("3", other, hant="花瓶"),
        furniture_part("4", test, hant="椅子"),
    ]
    monkeypatch.setattr(quality_words, "furniture_parts", lambda: {p.key: p for p in parts})
    gallery = Gallery([Part(p.key, p.name, box) for p in parts], np.empty((4, 0, 0), np.float16))
    vectors = np.eye(4, dtype=np.float32)
    made = list(quality_words.furniture_tasks(gallery, vectors, "validation"))
    tasks = {(t.name, t.script): t for t in made if t is not None}
    unseen = tasks["furniture, unseen names", "en"]
    assert unseen.queries == [validation, other]
    assert unseen.relevant.tolist() == [[True, False], [False, True]]
    assert tasks["furniture, all parts", "en"].relevant.shape == (2, 4)
    assert tasks["furniture, all parts", "zh_hant"].queries == ["花瓶"]
    assert tasks["furniture, all parts", "zh_hant"].relevant.tolist() == [[0, 0, 1, 0]]
    assert not any(script == "zh_hans" for _, script in tasks)
    # Who is judged on the test split has learnt the others.
    made = list(quality_words.furniture_tasks(gallery, vectors, "test"))
    assert [t.queries for t in made if t is not None] == [[test], [test], ["椅子"], ["椅子"]]


def test_families_are_asked_by_wordings_out_of_training() -> None:
    parts = [Part(key, key, box) for key in FAMILIES]
    gallery = Gallery(parts, np.empty((len(parts), 0, 0), np.float16))
    vectors = np.ones((len(parts), 1), np.float32)
    made = list(quality_words.families_tasks(gallery, vectors, "upright"))
    tasks = {(t.name, t.script): t for t in made if t is not None}
    assert {script for _, script in tasks} == set(Phrases._fields)
    paraphrases = tasks["families, paraphrases, upright", "en"]
    trained = [f for f in FAMILIES.values() if f.key not in HELD_OUT_FAMILIES]
    assert set(paraphrases.queries) == {name for f in trained for name in f.held_out.en}
    left_out = tasks["families left out, upright", "zh_hant"]
    assert FAMILIES["gate_valve"].names.zh_hant in left_out.queries
    for task in (paraphrases, left_out):
        for query, row in zip(task.queries, task.relevant, strict=True):
            named = [parts[i].kind for i in np.flatnonzero(row)]
            assert named, query


class Maps:
    """A network that counts how often it is asked, and answers with the pictures' brightness."""

    calls = 0

    def maps_embed(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self.calls += 1
        bright = pictures.mean(axis=(1, 2), dtype=np.float32)
        return bright, np.stack([bright, bright + 2], axis=1)[:, :, None]


def test_features_are_computed_once_for_a_network(tmp_path: Path) -> None:
    (tmp_path / NETWORK).write_bytes(b"one network")
    parts = [Part("a", "box", box), Part("b", "box", lambda: box((1, 5, 1)))]
    network = Maps()

    def load(parts: list[Part]) -> Gallery:
        return words_galleries.gallery_load("try", parts, network, tmp_path, kept=tmp_path / "kept")

    first = load(parts)
    assert first.features.shape == (2, 12, 3)
    assert first.kinds.tolist() == ["box", "box"]
    assert 1 < first.features.min() < first.features.max() < 258
    np.testing.assert_array_equal(load(parts).features, first.features)
    assert network.calls == 2
    (tmp_path / NETWORK).write_bytes(b"another network")
    load(parts)
    load([replace(parts[0], key="c"), parts[1]])
    assert network.calls == 6


def test_others_are_listed_with_their_classes(tmp_path: Path) -> None:
    made = others.Recipe("hex_nut", "nut-1", lambda path: path.write_text("solid"))

    def fail(path: Path) -> None:
        raise ValueError("no such size")

    failed = others.others_write(tmp_path, [made, others.Recipe("worm", "worm-1", fail)])
    assert [recipe.stem for recipe in failed] == ["worm-1"]
    (part,) = others.others_read(tmp_path)
    assert (part.class_en, part.class_zh) == ("hex nut", "六角螺帽")
    assert part.path.read_bytes() == b"solid"
    # A second run makes only what is missing.
    assert others.others_write(tmp_path, [replace(made, write=fail)]) == []


def test_every_openscad_part_is_of_a_class_with_names() -> None:
    lines = others.NAMES.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(len(row) == 3 and all(row) for row in rows)
    assert {recipe.kind for recipe in others.scad_recipes()} <= {row[0] for row in rows}
    assert len({row[1] for row in rows}) == len(rows)


def test_others_are_asked_by_class_and_by_what_classes_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ("hex nut,六角螺帽", "cap nut,蓋形螺帽", "worm,蝸桿")
    listed = "".join(f"{i}.stl,{row}\n" for i, row in enumerate(rows))
    (tmp_path / others.CLASSES).write_text(f"file,class_en,class_zh\n{listed}", encoding="utf-8")
    monkeypatch.setattr(quality_words, "_half", lambda kind: "validation")
    parts = [Part(part.path.name, part.class_en, box) for part in others.others_read(tmp_path)]
    gallery = Gallery(parts, np.empty((3, 0, 0), np.float16))
    vectors = np.ones((3, 1), np.float32)
    made = list(quality_words.others_tasks(gallery, vectors, tmp_path, "validation"))
    asked = {(t.name.split(",")[1].strip(), t.script): t for t in made if t is not None}
    assert asked["class", "en"].queries == ["hex nut", "cap nut", "worm"]
    assert asked["class", "zh_hant"].relevant.tolist() == np.eye(3, dtype=bool).tolist()
    assert asked["broad class", "en"].queries == ["nut"]
    assert asked["broad class", "zh_hant"].queries == ["螺帽"]
    assert asked["broad class", "zh_hant"].relevant.tolist() == [[True, True, False]]
    assert list(quality_words.others_tasks(gallery, vectors, tmp_path, "test")) == [None] * 4

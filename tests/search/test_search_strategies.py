"""Several engines at once or one by choice: who answers, and what each made of the score.

Two engines with different words and their own pictures' space stand beside the shape, all with
real code: the second's weights are the first's with another projection.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache as django_cache
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from catalog import services
from catalog.models import Category, Part
from search import candidates, embeddings, encoders
from search.encode import mesh_encode, photo_encode
from search.engine.encoders.mini import NETWORK, PROJECTION, TEXT_STUDENT
from tests.factories import meshes
from tests.factories.encoders import words_checkpoint

pytestmark = pytest.mark.django_db


def twin_checkpoint(folder: Path) -> Path:
    """Weights of other spaces: pictures are projected with their axes mirrored."""
    words_checkpoint(folder, seed=1)
    projection = np.load(folder / PROJECTION)
    np.save(folder / PROJECTION, np.ascontiguousarray(-projection[::-1]))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    checksum = hashlib.sha256((folder / PROJECTION).read_bytes()).hexdigest()
    manifest["mini"]["files"][PROJECTION]["sha256"] = checksum
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The weights of the engines that look; they stay loaded over the tests of this file."""
    encoders.encoders_forget()
    yield {
        "mini": words_checkpoint(tmp_path_factory.mktemp("mini")),
        "twin": twin_checkpoint(tmp_path_factory.mktemp("twin")),
    }
    encoders.encoders_forget()


@pytest.fixture
def engines_set(settings: Any) -> Callable[..., None]:
    """Puts these engines, by the folders of their weights, and the shape into use."""
    held = settings.SEARCH

    def put(**folders: Path) -> None:
        mini = held.engines["mini"]
        used = {n: mini.model_copy(update={"weights": str(of)}) for n, of in folders.items()}
        engines = {**used, "shape": held.engines["shape"]}
        settings.SEARCH = settings.SEARCH.model_copy(update={"engines": engines, "use": []})

    return put


@pytest.fixture(autouse=True)
def three_engines(folders: dict[str, Path], engines_set: Callable[..., None]) -> None:
    engines_set(**folders)


@pytest.fixture
def weighed(settings: Any) -> Callable[..., None]:
    """Changes the search's section of the configuration."""

    def change(**keys: Any) -> None:
        search = settings.SEARCH.search.model_copy(update=keys)
        settings.SEARCH = settings.SEARCH.model_copy(update={"search": search})

    return change


def picture(seed: int) -> bytes:
    """Dark dots on white, others for each seed."""
    rng = np.random.default_rng(seed)
    drawn, held = Image.new("RGB", (96, 96), "white"), io.BytesIO()
    for x, y in rng.integers(20, 60, (4, 2)).tolist():
        ImageDraw.Draw(drawn).ellipse((x, y, x + 16, y + 16), fill="#303848")
    drawn.save(held, "PNG")
    return held.getvalue()


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("query", data)


@cache
def rows_of(n: int) -> dict[str, np.ndarray]:
    """What each engine makes of the n-th picture and box, and of words for it, by space."""
    stl = meshes.stl_binary(meshes.box((n + 1, 2, 1)))
    found = dict(photo_encode(picture(n), ["mini", "twin"]).vectors)
    found["shape"] = mesh_encode(SimpleUploadedFile("q.stl", stl), ["shape"]).vectors["shape"]
    for name in ("mini", "twin"):
        found[f"{name} words"] = encoders.word_encoder(name).texts_embed([f"looks like {n}"])
    return {name: rows[:1] for name, rows in found.items()}


@pytest.fixture
def gallery() -> list[Part]:
    """Six parts, each where an engine puts its own picture and box; `twin` confuses the first two.

    What was encoded for this is forgotten again: a query finds nothing in the cache.
    """
    made = []
    for n in range(6):
        stl = meshes.stl_binary(meshes.box((n + 1, 2, 1)))
        file = SimpleUploadedFile(f"{n}.stl", stl)
        part = services.part_upload(file=file, name=f"part {n}")[0]
        Part.objects.filter(pk=part.pk).update(status="ready")
        made.append(part)
        rows = rows_of(n) | {"twin": rows_of({0: 1, 1: 0}.get(n, n))["twin"]}
        for name, of in rows.items():
            engine, _, words = name.partition(" ")
            space = encoders.words_space(engine) if words else encoders.space(engine)
            embeddings.embeddings_write(part_id=part.pk, space=space, vectors=of)
    django_cache.clear()
    return made


def ask(api: Any, kind: str, status: int = 200, **fields: Any) -> dict[str, Any]:
    form = "json" if kind == "text" else "multipart"
    answer = api.post(f"/api/search/{kind}", fields, form)
    assert answer.status_code == status, answer.content
    return answer.json()


def questions(kind: str) -> dict[str, Any]:
    stl = meshes.stl_binary(meshes.box((1, 2, 1)))
    return {
        "image": {"image": upload(picture(0))},
        "text": {"query": "looks like 0"},
        "hybrid": {"image": upload(picture(0)), "text": "looks like 0"},
        "mesh": {"file": SimpleUploadedFile("q.stl", stl)},
    }[kind]


KINDS = {
    "image": {"mini", "twin"},
    "text": {"mini", "twin", "words"},
    "hybrid": {"mini", "twin", "words"},
    "mesh": {"mini", "twin", "shape"},
}


class TestFusion:
    @pytest.mark.parametrize("kind", KINDS)
    def test_all_that_can_answer_do_and_their_shares_are_one(self, api, gallery, kind) -> None:
        answer = ask(api, kind, **questions(kind))
        assert answer["engine"] == "fusion"
        assert answer["engines_failed"] == {}
        every = set()
        for hit in answer["results"]:
            assert sum(hit["shares"].values()) == pytest.approx(1)
            assert set(hit["shares"]) <= KINDS[kind]
            assert set(hit["similarities"]) == set(hit["strengths"])
            assert hit["similarity"] == hit["similarities"]["mini"]
            every |= set(hit["rankings"])
        assert every == KINDS[kind]

    def test_places_are_weighed_as_the_plan_has_it(self, api, gallery, weighed) -> None:
        weighed(fusion_weights={"mini": 0.7, "twin": 0.3})
        hits = ask(api, "image", **questions("image"))["results"]
        assert [hit["name"] for hit in hits[:2]] == ["part 0", "part 1"]
        first = hits[0]
        assert first["rankings"] == {"mini": 1, "twin": 2}
        whole = 0.7 / 61 + 0.3 / 62
        assert first["score"] == pytest.approx(whole)
        assert first["shares"]["mini"] == pytest.approx(0.7 / 61 / whole)
        weighed(fusion_weights={"mini": 0.3, "twin": 0.7})
        assert ask(api, "image", **questions("image"))["results"][0]["name"] == "part 1"

    def test_an_engine_without_a_weight_has_its_encoders_or_the_default(
        self, api, gallery, weighed
    ) -> None:
        def share(**weights: float) -> float:
            weighed(**({"fusion_weights": {"mini": 0.7, "twin": 0.7}} | weights))
            return ask(api, "image", **questions("image"))["results"][0]["shares"]["mini"]

        even = share()
        assert share(fusion_weights={}, default_weight=0.2) == pytest.approx(even)
        weighed(default_weight=0.5)
        # Both are of the encoder "mini": the weight of that name is the first engine's own, and
        # stands for the second's kind.
        assert share(fusion_weights={"mini": 0.7}) == pytest.approx(even)
        assert share(fusion_weights={"mini": 0.7, "twin": 0.0}) == 1

    def test_a_weight_for_an_engine_out_of_use_changes_nothing(
        self, api, gallery, weighed, settings
    ) -> None:
        settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["mini", "shape"]})
        weighed(fusion_weights={"mini": 0.7, "twin": 9.0}, mesh_weights={"twin": 9.0})
        assert ask(api, "image", **questions("image"))["engine"] == "mini"
        hits = ask(api, "mesh", **questions("mesh"))["results"]
        assert {name for hit in hits for name in hit["shares"]} == {"mini", "shape"}

    @pytest.mark.parametrize("kind", ["image", "mesh"])
    def test_where_nobody_has_a_weight_all_count_alike(self, api, gallery, weighed, kind) -> None:
        weighed(default_weight=0.0, fusion_weights={}, mesh_weights={})
        none = ask(api, kind, **questions(kind))["results"]
        weighed(default_weight=0.5)
        assert [hit["name"] for hit in none] == [
            hit["name"] for hit in ask(api, kind, **questions(kind))["results"]
        ]
        assert len(none) == 5

    def test_fusion_of_the_only_engine_is_that_engine(self, api, gallery, settings) -> None:
        settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["mini", "shape"]})
        fused = ask(api, "image", engine="fusion", **questions("image"))
        assert (fused["engine"], fused["results"][0]["name"]) == ("mini", "part 0")


class TestChoice:
    @pytest.mark.parametrize(
        ("kind", "engine"), [(kind, engine) for kind, of in KINDS.items() for engine in sorted(of)]
    )
    def test_one_engine_answers_alone(self, api, gallery, kind, engine) -> None:
        if (kind, engine) == ("hybrid", "words"):
            body = ask(api, kind, 400, engine=engine, **questions(kind))
            assert body["error"]["code"] == "engine_unknown"
            return
        answer = ask(api, kind, engine=engine, **questions(kind))
        assert answer["engine"] == engine
        beside = {"words"} if kind == "hybrid" else set()
        for hit in answer["results"]:
            assert set(hit["shares"]) <= {engine} | beside
        assert answer["results"] or engine == "words"

    def test_a_picture_and_words_by_one_engine_use_both(self, api, gallery) -> None:
        def first(alpha: float) -> str:
            asked = {"image": upload(picture(3)), "text": "looks like 4", "alpha": alpha}
            return ask(api, "hybrid", engine="mini", **asked)["results"][0]["name"]

        assert (first(1), first(0)) == ("part 3", "part 4")

    def test_a_name_counts_beside_the_chosen_engine(self, api, gallery) -> None:
        asked = {"image": upload(picture(3)), "text": "part 5", "alpha": 0.1}
        first = ask(api, "hybrid", engine="twin", **asked)["results"][0]
        assert first["name"] == "part 5"
        assert first["shares"]["words"] > 0.5

    @pytest.mark.parametrize(
        ("kind", "engine"),
        [("image", "shape"), ("text", "shape"), ("mesh", "words"), ("image", "nobody")],
    )
    def test_who_cannot_answer_cannot_be_chosen(self, api, gallery, kind, engine) -> None:
        body = ask(api, kind, 400, engine=engine, **questions(kind))
        assert body["error"]["code"] == "engine_unknown"
        assert "mini" in body["error"]["message"]

    @pytest.mark.parametrize("kind", ["image", "hybrid"])
    def test_where_nobody_can_answer_that_is_said(self, api, client, gallery, settings, kind):
        settings.SEARCH = settings.SEARCH.model_copy(update={"use": ["shape"]})
        body = ask(api, kind, 400, **questions(kind))
        assert body["error"]["code"] == "engine_none"
        tab = {"image": "picture", "hybrid": "both"}[kind]
        shown = client.post("/", {"tab": tab, "image": upload(picture(0)), "q": "part 1"})
        assert shown.status_code == 400
        assert body["error"]["message"] in shown.content.decode()

    def test_the_page_offers_the_choice_for_every_kind(self, client, gallery) -> None:
        html = client.get("/").content.decode()
        for tab in ("picture", "text", "both", "stl"):
            assert f'id="engine-{tab}"' in html


def test_a_filter_turned_round_keeps_the_nearest(api, gallery, weighed, monkeypatch) -> None:
    """Of the parts that pass, only some are compared in the end; the nearest were found before."""
    ring = Category.objects.create(name="Ring")
    Part.objects.filter(pk__in=[gallery[n].pk for n in (0, 1, 5)]).update(category=ring)
    weighed(candidate_k=1)
    monkeypatch.setattr(candidates, "ROUNDS", 1)
    monkeypatch.setattr(candidates, "ALLOWED_MOST", 1)
    asked = {"image": upload(picture(5)), "filters": json.dumps({"category": [ring.pk]})}
    hits = ask(api, "image", engine="mini", k=3, **asked)["results"]
    assert [hit["name"] for hit in hits] == ["part 5", "part 0"]


class TestFailure:
    @pytest.fixture
    def broken(self, gallery, folders, engines_set, tmp_path) -> Callable[..., None]:
        """Puts an engine into use, beside the first, that has lost a file of its weights."""

        def lose(file: str) -> None:
            copy = shutil.copytree(folders["twin"], tmp_path / "lost", copy_function=os.link)
            (copy / file).unlink()
            engines_set(mini=folders["mini"], lost=copy)

        yield lose
        encoders.encoders_forget()  # another test's lost engine has another folder

    @pytest.mark.parametrize(
        ("kind", "file"),
        [("image", NETWORK), ("image", "manifest.json"), ("mesh", PROJECTION), ("hybrid", NETWORK)],
    )
    def test_the_others_answer_and_say_so(self, api, broken, kind, file) -> None:
        broken(file)
        answer = ask(api, kind, **questions(kind))
        # Of a mesh the shape knows best: here the pictures' engine holds parts by other pictures.
        knowing = "shape" if kind == "mesh" else "mini"
        best = [hit["name"] for hit in answer["results"] if hit["rankings"].get(knowing) == 1]
        assert best == ["part 0"]
        assert set(answer["engines_failed"]) == {"lost"}
        assert "weights" in answer["engines_failed"]["lost"]
        assert all("lost" not in hit["shares"] for hit in answer["results"])

    def test_of_words_too(self, api, broken) -> None:
        broken(TEXT_STUDENT)
        answer = ask(api, "text", **questions("text"))
        assert answer["results"][0]["name"] == "part 0"
        assert set(answer["engines_failed"]) == {"lost"}

    def test_a_picture_needs_no_texts(self, api, broken) -> None:
        broken(TEXT_STUDENT)
        assert ask(api, "image", **questions("image"))["engines_failed"] == {}

    @pytest.mark.parametrize("kind", ["image", "mesh", "hybrid"])
    def test_the_chosen_one_is_missed_by_name(self, api, broken, kind) -> None:
        broken(NETWORK)
        body = ask(api, kind, 503, engine="lost", **questions(kind))
        assert body["error"]["code"] == "weights_missing"

    def test_when_nobody_is_left_it_is_an_error(self, api, broken, engines_set, tmp_path) -> None:
        broken(NETWORK)
        engines_set(lost=tmp_path / "lost", gone=tmp_path / "nowhere")
        for kind, asked in (
            ("image", questions("image")),
            ("hybrid", {"image": upload(picture(0))}),
        ):
            body = ask(api, kind, 503, **asked)
            assert body["error"]["code"] in {"weights_missing", "manifest_unreadable"}
        found = ask(api, "hybrid", image=upload(picture(0)), text="part 5")
        assert found["results"][0]["name"] == "part 5"
        assert set(found["engines_failed"]) == {"lost", "gone"}

    def test_a_bad_picture_is_still_the_askers(self, api, broken) -> None:
        broken(NETWORK)
        body = ask(api, "image", 400, image=upload(b"dear all"))
        assert body["error"]["code"] == "not_a_picture"

    def test_the_page_says_who_did_not_answer(self, client, broken) -> None:
        broken(NETWORK)
        asked = {"tab": "picture", "image": upload(picture(0))}
        html = client.post("/", asked).content.decode()
        assert "“lost” did not answer" in html
        assert "part 0" in html


def test_the_page_says_what_a_score_is_made_of(client, gallery) -> None:
    html = client.post("/", {"tab": "picture", "image": upload(picture(0))}).content.decode()
    assert "What the score is made of" in html
    assert "rank 2" in html
    one = {"tab": "picture", "image": upload(picture(0)), "engine": "mini"}
    assert "What the score is made of" not in client.post("/", one).content.decode()

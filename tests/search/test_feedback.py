"""More like this, less like this: chosen hits move the query, on the page and for machines.

Parts stand on a plane around the query of each kind: two leaning to one side, two to the other.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageDraw

from catalog import services
from catalog.models import Part
from search import embeddings, encoders
from search.encode import mesh_encode, photo_encode
from search.models import Synonym
from tests.factories import meshes
from tests.factories.encoders import words_checkpoint

pytestmark = pytest.mark.django_db

TEXT = "a tall vase"
KINDS = ("image", "text", "hybrid", "mesh")
# How far each part leans from the query, to which side.
LEANING = {"left": (0.6, 1), "right": (0.6, 2), "far left": (1.4, 1), "far right": (1.3, 2)}


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    encoders.encoders_forget()
    yield words_checkpoint(tmp_path_factory.mktemp("weights"))
    encoders.encoders_forget()


@pytest.fixture(autouse=True)
def engine(weights: Path, settings: Any, db: None) -> None:
    engines = settings.SEARCH.engines
    mini = engines["mini"].model_copy(update={"weights": str(weights)})
    settings.SEARCH = settings.SEARCH.model_copy(update={"engines": {**engines, "mini": mini}})
    Synonym.objects.all().delete()


def photo() -> SimpleUploadedFile:
    picture, held = Image.new("RGB", (96, 96), "white"), io.BytesIO()
    ImageDraw.Draw(picture).ellipse((24, 24, 72, 72), fill="#303848")
    picture.save(held, "PNG")
    return SimpleUploadedFile("photo.png", held.getvalue(), "image/png")


def mesh() -> SimpleUploadedFile:
    return SimpleUploadedFile("query.stl", meshes.stl_binary(meshes.box((3, 2, 1))))


def leaning(query: np.ndarray, by: float, side: int) -> np.ndarray:
    """(1, d): the query turned by so many radians to a side that is square to every row of it."""
    rows = np.concatenate([query, np.random.default_rng(side).standard_normal((1, query.shape[1]))])
    square = np.linalg.qr(rows.T.astype(np.float64))[0][:, -1]
    return (np.cos(by) * query[:1] + np.sin(by) * square).astype(np.float32)


@pytest.fixture
def gallery() -> dict[str, Part]:
    asked = {
        encoders.space("mini"): photo_encode(photo().read(), ["mini"]).vectors["mini"],
        encoders.words_space("mini"): encoders.word_encoder("mini").texts_embed([TEXT]),
        encoders.space("shape"): mesh_encode(mesh(), ["shape"]).vectors["shape"],
    }
    made = {}
    for n, (name, (by, side)) in enumerate(LEANING.items()):
        file = SimpleUploadedFile(f"{n}.stl", meshes.stl_binary(meshes.box((n + 1, 1, 1))))
        part = services.part_upload(file=file, name=f"part-{name}".replace(" ", "-"))[0]
        Part.objects.filter(pk=part.pk).update(status="ready")
        for space, query in asked.items():
            row = leaning(query, by, side)
            embeddings.embeddings_write(part_id=part.pk, space=space, vectors=row)
        made[name] = part
    return made


def ask(api: Any, kind: str, status: int = 200, **fields: Any) -> dict[str, Any]:
    asked = {
        "image": {"image": photo()},
        "text": {"query": TEXT},
        "hybrid": {"image": photo(), "text": TEXT},
        "mesh": {"file": mesh(), "engine": "shape"},
    }[kind]
    form = "json" if kind == "text" else "multipart"
    answer = api.post(f"/api/search/{kind}", {**asked, **fields}, form)
    assert answer.status_code == status, answer.content
    return answer.json()


def order(answer: dict[str, Any]) -> list[str]:
    return [hit["name"].removeprefix("part-").replace("-", " ") for hit in answer["results"]]


def ids(gallery: dict[str, Part], *names: str) -> list[str]:
    return [str(gallery[name].uuid) for name in names]


class TestMoving:
    @pytest.mark.parametrize("kind", KINDS)
    def test_more_brings_what_is_like_it(self, api, gallery, kind) -> None:
        plain = order(ask(api, kind))
        assert set(plain[:2]) == {"left", "right"}
        assert plain[2:] == ["far right", "far left"]
        moved = ask(api, kind, more=ids(gallery, "left"))
        assert order(moved)[0] == "left"
        assert order(moved).index("far left") < order(moved).index("far right")
        assert [hit["marked"] for hit in moved["results"]] == [True, False, False, False]

    @pytest.mark.parametrize("kind", KINDS)
    def test_less_leaves_it_out_and_takes_what_is_like_it_back(self, api, gallery, kind) -> None:
        plain = ask(api, kind)
        moved = ask(api, kind, less=ids(gallery, "left"))
        assert "left" not in order(moved)

        def lead(answer: dict[str, Any]) -> float:
            scores = {hit["name"]: hit["score"] for hit in answer["results"]}
            return scores["part-far-right"] - scores["part-far-left"]

        assert lead(moved) > lead(plain)

    def test_both_at_once(self, api, gallery) -> None:
        marks = {"more": ids(gallery, "right"), "less": ids(gallery, "left")}
        assert order(ask(api, "image", **marks)) == ["right", "far right", "far left"]

    def test_what_is_shown_is_the_similarity_to_the_question(self, api, gallery) -> None:
        def similarities(**marks: Any) -> dict[str, float]:
            hits = ask(api, "image", **marks)["results"]
            return {hit["name"]: hit["similarity"] for hit in hits}

        plain = similarities()
        moved = similarities(more=ids(gallery, "left"))
        assert moved == pytest.approx(plain, abs=1e-5)

    def test_what_is_far_from_the_question_alone_is_not_called_weak(self, api, gallery) -> None:
        assert any(hit["weak"] for hit in ask(api, "image")["results"])
        assert not any(
            hit["weak"] for hit in ask(api, "image", more=ids(gallery, "far left"))["results"]
        )

    def test_a_name_that_matches_stays_where_it_is(self, api, gallery) -> None:
        Part.objects.filter(pk=gallery["far right"].pk)
        services.part_update(part=gallery["far right"], name=TEXT)
        hits = ask(api, "text", more=ids(gallery, "left"))["results"]
        assert hits[0]["name"] == TEXT

    def test_the_part_itself_is_asked_the_same_way(self, api, gallery) -> None:
        path = f"/api/parts/{gallery['left'].uuid}/similar"

        def found(**fields: Any) -> list[str]:
            answer = api.get(path, fields)
            assert answer.status_code == 200, answer.content
            return order(answer.json())

        assert "left" not in found()
        assert found()[0] == "far left"
        assert set(found(more=ids(gallery, "far right"))[:2]) == {"right", "far right"}
        assert "right" not in found(less=ids(gallery, "right"))
        assert len(found(k=1)) == 1
        shares = api.get(path, {"engine": "shape"}).json()["results"][0]["shares"]
        assert shares == {"shape": 1}
        assert api.get(path, {"engine": "words"}).json()["error"]["code"] == "engine_unknown"
        assert api.get(path, {"k": 99}).json()["error"]["code"] == "k_out_of_range"
        nobody = api.get(f"/api/parts/{uuid4()}/similar/")
        assert (nobody.status_code, nobody.json()["error"]["code"]) == (404, "part_unknown")


class TestRefusals:
    def test_what_is_not_here_is_left_out_and_said(self, api, gallery) -> None:
        services.part_delete(part=gallery["right"])
        gone, nobody = ids(gallery, "right")[0], str(uuid4())
        answer = ask(api, "text", more=[*ids(gallery, "left"), nobody], less=[gone])
        assert set(answer["marks_ignored"]) == {nobody, gone}
        assert order(answer)[0] == "left"

    def test_a_part_that_is_not_ready_is_left_out(self, api, gallery) -> None:
        Part.objects.filter(pk=gallery["right"].pk).update(status="processing")
        answer = ask(api, "image", more=ids(gallery, "right"))
        assert answer["marks_ignored"] == ids(gallery, "right")

    @pytest.mark.parametrize("kind", KINDS)
    def test_too_many_are_refused(self, api, gallery, kind) -> None:
        body = ask(api, kind, 400, less=[str(uuid4()) for _ in range(11)])
        assert body["error"]["code"] == "marks_too_many"
        assert "10" in body["error"]["message"]

    def test_one_part_both_ways_is_refused(self, api, gallery) -> None:
        both = ids(gallery, "left")
        assert ask(api, "text", 400, more=both, less=both)["error"]["code"] == "marks_both"

    @pytest.mark.parametrize("more", [["seven"], "left", [None], {"a": 1}, [["x"]]])
    def test_what_is_no_id_is_refused(self, api, gallery, more) -> None:
        assert ask(api, "text", 400, more=more)["error"]["code"] == "invalid"

    def test_the_same_part_twice_counts_once(self, api, gallery) -> None:
        twice = ids(gallery, "left", "left", "left", "left", "left", "left") * 2
        assert order(ask(api, "image", more=twice))[0] == "left"

    def test_a_form_may_repeat_them_or_use_commas(self, api, gallery) -> None:
        marked = ids(gallery, "left", "far left")
        one, other = ask(api, "image", more=marked), ask(api, "image", more=",".join(marked))
        assert order(one) == order(other)
        assert sum(hit["marked"] for hit in other["results"]) == 2

    def test_none_are_asked_for_nothing(self, api, gallery) -> None:
        assert order(ask(api, "text", more=[], less=[])) == order(ask(api, "text"))


class TestPage:
    @pytest.fixture
    def get(self, client: Client) -> Callable[..., str]:
        def get(**asked: Any) -> str:
            answer = client.get("/", {"tab": "text", "q": TEXT, **asked})
            assert answer.status_code == 200
            return " ".join(answer.content.decode().split())

        return get

    def test_marks_stand_in_the_address_and_are_kept_by_the_form(self, get, gallery) -> None:
        left, right = ids(gallery, "left", "right")
        html = get(more=[left], less=[right], marked_for=TEXT)
        assert f'<input type="hidden" name="more" value="{left}">' in html
        assert f'<input type="hidden" name="less" value="{right}">' in html
        assert f'name="unmark" value="{left}"' in html
        assert "More like part-left" not in html.split('id="marks-shown"')[0]
        assert f'name="mark_less" value="{right}"' not in html  # it is not among the hits

    def test_a_button_marks_and_marks_again_the_other_way(self, get, gallery) -> None:
        left = ids(gallery, "left")[0]
        html = get(mark_more=left)
        assert f'name="more" value="{left}"' in html
        html = get(more=left, mark_less=left)
        assert f'name="more" value="{left}"' not in html
        assert f'name="less" value="{left}"' in html
        html = get(less=left, unmark=left)
        assert f'name="less" value="{left}"' not in html
        assert 'id="marks-shown"' not in html

    def test_other_words_are_another_question(self, get, gallery) -> None:
        left = ids(gallery, "left")[0]
        assert 'id="marks-shown"' not in get(more=left, marked_for="a short vase")

    def test_what_is_gone_is_said(self, get, gallery) -> None:
        assert "1 marked part is no longer here" in get(more=str(uuid4()))
        assert "2 marked parts are no longer here" in get(more=["x" * 900, "<b>"])

    def test_too_many_are_told_in_a_sentence(self, client, gallery) -> None:
        asked = {"tab": "text", "q": TEXT, "more": [str(uuid4()) for _ in range(11)]}
        answer = client.get("/", asked)
        assert answer.status_code == 400
        assert "Too many parts are marked: 11; mark at most 10" in answer.content.decode()

    def test_a_picture_comes_with_its_marks(self, client, gallery) -> None:
        left = ids(gallery, "left")[0]
        asked = {"tab": "picture", "image": photo(), "more": left, "marked_for": ""}
        html = client.post("/", asked).content.decode()
        assert 'id="marks-shown"' in html

    def test_the_page_of_similar_parts_marks_and_chooses_an_engine(self, client, gallery) -> None:
        path = f"/parts/{gallery['left'].uuid}/similar"
        html = client.get(path).content.decode()
        assert "What the score is made of" in html
        html = client.get(path, {"engine": "shape", "mark_more": ids(gallery, "right")[0]})
        html = " ".join(html.content.decode().split())
        assert '<option value="shape" selected>' in html
        assert 'id="marks-shown"' in html
        assert "What the score is made of" not in html
        few = client.get(path, headers={"HX-Request": "true"}).content.decode()
        assert "mark_more" not in few
        assert 'name="engine"' in few

    def test_an_unknown_engine_there_is_no_failure(self, client, gallery) -> None:
        path = f"/parts/{gallery['left'].uuid}/similar"
        assert client.get(path, {"engine": "nobody"}).status_code == 200

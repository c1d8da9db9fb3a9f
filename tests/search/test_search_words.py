"""Words find parts by what they look like, beside what they are called.

The engine here has a text side that was taught nothing: each part is put where a text of its own
stands, so that this text finds it and no other does.
"""

import io
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw

from catalog import services
from catalog.models import Part
from search import embeddings, encoders, engines
from search.encode import photo_encode, text_encode
from search.engine.encoders.space import Space
from search.models import Synonym
from tests.factories import meshes
from tests.factories.encoders import words_checkpoint

pytestmark = pytest.mark.django_db

# similarity 1 is a strength of .95, .5 of .5, 0 of .05
CALIBRATION = {"text": {"slope": 6.0, "offset": -3.0}}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return words_checkpoint(tmp_path_factory.mktemp("weights"), calibration=CALIBRATION)


@pytest.fixture(autouse=True)
def engine(weights: Path, settings: Any) -> Iterator[None]:
    mini = settings.SEARCH.engines["mini"].model_copy(update={"weights": str(weights)})
    settings.SEARCH = settings.SEARCH.model_copy(
        update={"engines": {"mini": mini}, "use": ["mini"]}
    )
    encoders.encoders_forget()
    Synonym.objects.all().delete()
    yield
    encoders.encoders_forget()


@pytest.fixture
def configured(settings: Any) -> Callable[..., None]:
    """Changes keys of the configuration's sections: search__text_weights={...}."""

    def change(**keys: Any) -> None:
        for key, value in keys.items():
            section, name = key.split("__")
            held = getattr(settings.SEARCH, section).model_copy(update={name: value})
            settings.SEARCH = settings.SEARCH.model_copy(update={section: held})

    return change


def part(looks_like: str | None, **words: str) -> Part:
    """A ready part of these words that stands where a text does; None is not embedded yet."""
    n = Part.objects.count()
    file = SimpleUploadedFile(f"part-{n:04}.stl", meshes.stl_binary(meshes.box((n + 1, 1, 1))))
    made = services.part_upload(file=file, **{"name": f"part-{n:04}", **words})[0]
    Part.objects.filter(pk=made.pk).update(status="ready")
    if looks_like is not None:
        row, space = (
            encoders.word_encoder("mini").texts_embed([looks_like]),
            encoders.words_space("mini"),
        )
        embeddings.embeddings_write(part_id=made.pk, space=space, vectors=row)
    return made


def ask(api: Any, text: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/api/search/text", {"query": text, **fields}, "json")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def names(answer: dict[str, Any]) -> list[str]:
    return [hit["name"] for hit in answer["results"]]


@pytest.fixture
def shelf() -> dict[str, Part]:
    return {
        "anonymous": part("a ring with a round diamond"),
        "bolt": part("六角螺栓", name="hex bolt M8", name_zh="六角螺栓", number="F0840123"),
        "gear": part("spur gear", name="gear Z20", number="G2000777"),
        "vase": part("tall vase"),
    }


class TestTogether:
    def test_a_description_that_nothing_is_called_is_answered_by_looks(self, api, shelf) -> None:
        answer = ask(api, "a ring with a round diamond")
        first = answer["results"][0]
        assert first["name"] == shelf["anonymous"].name
        assert first["similarity"] == pytest.approx(1, abs=1e-3)
        assert first["strength"] == pytest.approx(0.953, abs=2e-3)
        assert first["rankings"] == {"mini": 1}
        assert first["best_view"] is None
        assert (first["weak"], answer["weak"], answer["engine"]) == (False, False, "fusion")

    @pytest.mark.parametrize("text", ["F0840123", "f0840-123", "F084012", "F0840132"])
    def test_a_number_wins_and_is_the_whole_answer(self, api, shelf, text) -> None:
        part(text)  # stands exactly where the number's letters do
        answer = ask(api, text)
        assert names(answer)[0] == "hex bolt M8"
        assert set(answer["results"][0]["rankings"]) == {"words"}

    def test_a_number_that_nobody_has_is_still_looked_for(self, api, shelf) -> None:
        assert len(ask(api, "XQ990077Z")["results"]) == 4

    @pytest.mark.parametrize("text", ["hex bolt", "六角螺栓", "gear Z20"])
    def test_a_name_wins_over_what_looks_like_it(self, api, shelf, text) -> None:
        part(text)
        hits = ask(api, text)["results"]
        wanted = "gear Z20" if "gear" in text else "hex bolt M8"
        assert hits[0]["name"] == wanted
        assert set(hits[0]["rankings"]) == {"mini", "words"}
        assert not hits[0]["weak"]

    def test_a_word_among_many_does_not_outweigh_the_looks(self, api, shelf) -> None:
        text = "tall slender flask having spiral grooves, fluted like a gear"
        part(text)
        assert names(ask(api, text))[0] == "part-0004"

    def test_most_of_a_name_does_not_outweigh_the_looks(self, api, shelf) -> None:
        part("a ring with a round diamond", name="hex bolt cover")
        part("hex bolt cover plate lid")
        assert names(ask(api, "hex bolt cover plate lid"))[0] == "part-0005"

    def test_a_number_wins_whatever_stands_beside_it(self, api, shelf) -> None:
        part("F0840123 tall vase")
        assert names(ask(api, "F0840123 tall vase"))[0] == "hex bolt M8"

    def test_what_words_find_is_compared_by_looks_as_well(self, api, shelf, configured) -> None:
        configured(search__candidate_k=1)
        found = {hit["name"]: hit for hit in ask(api, "tall vase of a gear", k=2)["results"]}
        assert found["gear Z20"]["similarity"] is not None

    def test_the_weights_are_the_configurations(self, api, shelf, configured) -> None:
        part("gear Z20")
        assert names(ask(api, "gear Z20"))[0] == "gear Z20"
        configured(search__text_weights={"words": 0.1, "mini": 1.0})
        assert names(ask(api, "gear Z20"))[0] == "part-0004"

    def test_parts_without_a_vector_among_words_are_found_by_their_names(self, api) -> None:
        part(None, name="flange DN50")
        answer = ask(api, "flange")
        assert names(answer) == ["flange DN50"]
        hit = answer["results"][0]
        assert (hit["similarity"], hit["strength"], hit["weak"]) == (None, None, False)
        assert ask(api, "nothing like it")["results"] == []


class TestEngines:
    def test_each_alone(self, api, shelf) -> None:
        assert names(ask(api, "gear", engine="words")) == ["gear Z20"]
        looked = ask(api, "spur gear", engine="mini")
        assert names(looked)[0] == "gear Z20"
        assert looked["engine"] == "mini"
        assert set(looked["results"][0]["rankings"]) == {"mini"}

    def test_they_are_listed_with_their_words_space(self, api) -> None:
        (mini,) = api.get("/api/engines/").json()["results"]
        assert mini["kinds"] == ["image", "text", "hybrid", "mesh"]
        assert mini["words_space"].startswith("mini_words-")
        assert mini["words_dimensions"] == encoders.words_space("mini").d

    def test_the_page_offers_them(self, client) -> None:
        html = client.get("/?tab=text").content.decode()
        for label in ("All together", "Looks", "Words"):
            assert f">{label}</option>" in html


class TestWeak:
    def test_nothing_near_is_weak_and_said_so(self, api, shelf) -> None:
        answer = ask(api, "zebra crossing")
        assert answer["weak"]
        assert all(hit["weak"] for hit in answer["results"])
        assert all(hit["strength"] < 0.5 for hit in answer["results"])

    def test_the_threshold_is_the_configurations(self, api, shelf, configured) -> None:
        configured(search__similarity_threshold=0.0)
        assert not ask(api, "zebra crossing")["weak"]
        configured(search__similarity_threshold=0.99)
        assert ask(api, "a ring with a round diamond")["weak"]

    def test_one_word_of_many_is_weak(self, api, shelf) -> None:
        hits = ask(api, "zebra crossing at night beside a gear", engine="words")["results"]
        assert [hit["weak"] for hit in hits] == [True]


class TestExpansion:
    @pytest.fixture(autouse=True)
    def glossary(self) -> None:
        Synonym.objects.create(terms="cog, gear, 齒輪")
        Synonym.objects.create(terms="finger band, ring, 戒指")

    def test_other_words_are_searched_and_listed(self, api, shelf) -> None:
        answer = ask(api, "cog")
        assert answer["expanded"] == ["齒輪", "gear"]
        assert names(answer)[0] == "gear Z20"
        assert set(answer["results"][0]["rankings"]) == {"mini", "words"}

    def test_they_may_be_left_out(self, api, shelf, configured) -> None:
        assert ask(api, "cog", expand=False)["expanded"] == []
        assert ask(api, "cog", expand=False, engine="words")["results"] == []
        configured(expansion__enabled=False)
        assert ask(api, "cog")["expanded"] == []
        assert ask(api, "cog", expand=True)["expanded"] == ["齒輪", "gear"]

    def test_the_users_own_words_weigh_more(self, api) -> None:
        part("x", name="gear one")
        part("y", name="cog one")
        assert names(ask(api, "cog"))[0] == "cog one"
        assert names(ask(api, "gear"))[0] == "gear one"

    def test_a_vector_leans_to_its_other_wordings(self, api, shelf) -> None:
        text = "finger band with a round diamond"
        plain = ask(api, text, expand=False, engine="mini")["results"][0]
        other = ask(api, text, engine="mini")["results"][0]
        assert plain["name"] == other["name"] == shelf["anonymous"].name
        assert other["similarity"] > plain["similarity"]

    def test_no_more_than_configured(self, api, shelf, configured) -> None:
        configured(expansion__most=1)
        assert ask(api, "cog")["expanded"] == ["齒輪"]

    def test_numbers_have_no_other_words(self, api, shelf) -> None:
        Synonym.objects.create(terms="F0840123, bolt")
        assert ask(api, "F0840123")["expanded"] == []

    def test_templates_are_averaged(self, configured) -> None:
        def vector(*templates: str) -> np.ndarray:
            configured(expansion__templates={"en": list(templates), "zh": ["{}"]})
            return text_encode("cog", ["mini"])["mini"][0]

        plain, framed = vector("{}"), vector("a 3D model of a {}")
        both = vector("{}", "a 3D model of a {}")
        assert np.linalg.norm(both) == pytest.approx(1, abs=1e-5)
        mean = plain + framed
        assert both == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def photo() -> SimpleUploadedFile:
    """A dark disc on white."""
    picture, held = Image.new("RGB", (96, 96), "white"), io.BytesIO()
    ImageDraw.Draw(picture).ellipse((24, 24, 72, 72), fill="#303848")
    picture.save(held, "PNG")
    return SimpleUploadedFile("photo.png", held.getvalue(), "image/png")


def ask_both(api: Any, **fields: Any) -> dict[str, Any]:
    answer = api.post("/api/search/hybrid", {"image": photo(), **fields}, "multipart")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def seen(part: Part, picture: SimpleUploadedFile) -> None:
    """Put the part where the picture stands."""
    row = photo_encode(picture.read(), ["mini"]).vectors["mini"][:1]
    embeddings.embeddings_write(part_id=part.pk, space=encoders.space("mini"), vectors=row)


class TestBoth:
    @pytest.fixture
    def pair(self) -> tuple[str, str]:
        """A part that the picture shows, and one that the words describe; neither has a name."""
        shown, described, other = part("spur gear"), part("a tall vase"), part("a chair")
        seen(shown, photo())
        for place, of in enumerate((described, other)):
            row = np.eye(1, encoders.space("mini").d, place, np.float32)
            embeddings.embeddings_write(part_id=of.pk, space=encoders.space("mini"), vectors=row)
        return shown.name, described.name

    @pytest.mark.parametrize(("alpha", "first"), [(1, 0), (0.9, 0), (0.1, 1), (0, 1)])
    def test_alpha_leans_from_the_words_to_the_picture(self, api, pair, alpha, first) -> None:
        answer = ask_both(api, text="a tall vase", alpha=alpha)
        assert names(answer)[0] == pair[first]
        assert answer["results"][0]["rankings"]["mini"] >= 1

    def test_what_either_finds_is_not_weak(self, api, pair) -> None:
        weak = {h["name"]: h["weak"] for h in ask_both(api, text="a tall vase")["results"]}
        assert [weak[name] for name in pair] == [False, False]

    def test_words_alone_and_a_picture_alone_are_answered(self, api, pair) -> None:
        words = api.post("/api/search/hybrid", {"text": "a tall vase"}, "multipart").json()
        assert names(words)[0] == pair[1]
        assert names(ask_both(api, text=""))[0] == pair[0]

    def test_a_name_that_matches_counts_with_the_words(self, api, pair) -> None:
        part("nothing of it", name="tall vase")
        assert names(ask_both(api, text="tall vase", alpha=0.2))[0] == "tall vase"

    def test_other_words_are_searched_as_well(self, api, pair) -> None:
        Synonym.objects.create(terms="vase, 花瓶")
        answer = ask_both(api, text="花瓶")
        assert answer["expanded"] == ["vase"]
        assert ask_both(api, text="花瓶", expand="false")["expanded"] == []


class OneSpace:
    """An encoder whose pictures and words share a space: pictures stand on the first axis."""

    space = words_space = Space(encoder="one", weights_sha="0" * 64, preprocessing="none", d=4)
    picture_size = 224
    calibration: ClassVar = {}

    def pictures_embed(self, pictures: np.ndarray) -> np.ndarray:
        return np.tile(np.eye(1, 4, dtype=np.float32), (len(pictures), 1))

    def texts_embed(self, texts: list[str]) -> np.ndarray:
        return np.tile(np.eye(1, 4, 1, dtype=np.float32), (len(texts), 1))


def test_in_an_engine_of_one_space_picture_and_words_are_one_query(api, monkeypatch) -> None:
    monkeypatch.setattr(encoders, "encoder", cache(lambda name, query=False: OneSpace()))
    encoders.encoders_forget()
    made = {}
    for name, vector in {"seen": [1, 0], "both": [0.7, 0.7], "said": [0, 1]}.items():
        made[name] = part(None, name=f"p-{name}")
        row = np.array([[*vector, 0.1, 0]], np.float32)
        row /= np.linalg.norm(row)
        embeddings.embeddings_write(part_id=made[name].pk, space=OneSpace.space, vectors=row)
    assert [space.key for space in engines.spaces()] == [OneSpace.space.key]
    for alpha, first in ((1, "p-seen"), (0.5, "p-both"), (0, "p-said")):
        hits = ask_both(api, text="xyz", alpha=alpha)["results"]
        assert hits[0]["name"] == first
        assert hits[0]["similarity"] == pytest.approx(0.99, abs=0.02)
    assert ask(api, "xyz")["results"][0]["name"] == "p-said"


def test_text_and_query_name_the_same(api, shelf) -> None:
    by_text = api.post("/api/search/text", {"text": "gear"}, "json").json()
    assert names(by_text) == names(ask(api, "gear"))

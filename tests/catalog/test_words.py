"""Parts are found by their words: numbers, names and tags, in both languages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import services, words
from catalog.models import Category, Part, PartTerm
from tests.factories import meshes

pytestmark = pytest.mark.django_db


def make(**fields: object) -> Part:
    """A part with these words; each has bytes of its own."""
    n = Part.objects.count() + 1
    file = SimpleUploadedFile(f"mesh {n}.stl", meshes.stl_binary(meshes.box((n, 1, 1))))
    return services.part_upload(file=file, **fields)[0]


def found(text: str, also: tuple[str, ...] = ()) -> list[str]:
    ids = [match.part for match in words.parts_by_words(text, limit=50, also=also)]
    names = dict(Part.objects.values_list("pk", "name"))
    return [names[pk] for pk in ids]


@pytest.fixture
def shelf() -> None:
    rings = services.category_create(name="Rings", name_zh="戒指")
    make(name="solitaire ring", name_zh="單鑽戒指", number="R8107490", category=rings)
    make(name="halo ring", name_zh="光環戒指", number="R8107491", category=rings, tags=["gold"])
    make(name="deep groove ball bearing", name_zh="深溝滾珠軸承", number="B6204-2RS")
    make(name="hex bolt M8 x 40", name_zh="六角螺栓", number="F0840", tags=["steel", "鋼"])
    make(name="L bracket", name_zh="L型支架", description="holds a shelf; two mounting holes")


@pytest.mark.usefixtures("shelf")
class TestNumbers:
    def test_whole_number_comes_first(self) -> None:
        assert found("R8107490")[0] == "solitaire ring"
        assert found("r8107491")[0] == "halo ring"

    @pytest.mark.parametrize("prefix", ["R810", "r8107", "B62", "F08"])
    def test_prefix(self, prefix: str) -> None:
        numbers = set(Part.objects.filter(name__in=found(prefix)).values_list("number", flat=True))
        assert numbers == {
            n
            for n in Part.objects.values_list("number", flat=True)
            if n.casefold().startswith(prefix.casefold())
        }

    @pytest.mark.parametrize(
        "typo", ["R8107940", "R810749", "R81074490", "R8107400", "P8107490", "８１０７４９０"]
    )
    def test_one_character_wrong_missing_doubled_or_swapped(self, typo: str) -> None:
        assert "solitaire ring" in found(typo)

    def test_separators_do_not_matter(self) -> None:
        assert found("B6204 2RS")[0] == "deep groove ball bearing"
        assert found("b62042rs")[0] == "deep groove ball bearing"
        assert found("B-6204.2RS")[0] == "deep groove ball bearing"


@pytest.mark.usefixtures("shelf")
class TestWords:
    def test_all_words_beat_some(self) -> None:
        assert found("halo ring")[0] == "halo ring"
        assert set(found("halo ring")) == {"halo ring", "solitaire ring"}

    def test_plural_case_and_accents(self) -> None:
        assert found("BEARINGS") == ["deep groove ball bearing"]
        assert found("bräcket") == ["L bracket"]

    def test_category_tag_description(self) -> None:
        assert set(found("rings")) == {"halo ring", "solitaire ring"}
        assert found("gold") == ["halo ring"]
        assert found("mounting") == ["L bracket"]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("六角螺栓", "hex bolt M8 x 40"),
            ("螺栓", "hex bolt M8 x 40"),
            ("軸承", "deep groove ball bearing"),
            ("轴承", "deep groove ball bearing"),  # simplified finds traditional
            ("滚珠", "deep groove ball bearing"),
            ("單鑽", "solitaire ring"),
            ("鋼", "hex bolt M8 x 40"),
            ("光環戒指", "halo ring"),
        ],
    )
    def test_chinese_without_spaces(self, query: str, name: str) -> None:
        assert found(query)[0] == name

    def test_mixed_scripts(self) -> None:
        assert found("M8六角螺栓")[0] == "hex bolt M8 x 40"
        assert found("gold戒指")[0] == "halo ring"

    @pytest.mark.parametrize("nothing", ["", "   ", "!!!", "zzzzz", "🙂", "%", "' OR 1=1 --x"])
    def test_nothing_found_is_no_error(self, nothing: str) -> None:
        assert isinstance(found(nothing), list)


@pytest.mark.usefixtures("shelf")
class TestWordings:
    def test_the_users_own_words_come_before_others(self) -> None:
        assert found("halo", also=("solitaire",)) == ["halo ring", "solitaire ring"]
        assert found("solitaire", also=("halo",)) == ["solitaire ring", "halo ring"]

    def test_a_rare_synonym_does_not_outweigh_a_common_word(self) -> None:
        assert found("ring", also=("deep groove ball bearing",))[-1] == "deep groove ball bearing"

    def test_other_wordings_find_what_the_own_words_do_not(self) -> None:
        assert found("培林") == []
        assert found("培林", also=("軸承", "bearing")) == ["deep groove ball bearing"]

    def test_a_wording_more_costs_no_term_twice(self, django_assert_max_num_queries) -> None:
        with CaptureQueriesContext(connection) as one:
            found("halo ring")
        with django_assert_max_num_queries(len(one)):
            found("halo ring", also=("ring halo", "halo ring halo"))


def score(text: str) -> float:
    return words.parts_by_words(text, limit=1)[0].score


@pytest.mark.usefixtures("shelf")
class TestScores:
    def test_a_whole_name_scores_about_one_and_a_number_more(self) -> None:
        assert 0.7 < score("halo ring") < 1
        assert 0.7 < score("halo") < 1
        assert score("R8107491") > 2

    def test_a_name_of_one_character_is_found_whole(self) -> None:
        make(name="ball", name_zh="球")
        make(name="ball valve", name_zh="球閥")
        assert found("球") == ["ball", "ball valve"]
        assert score("球") > 0.7

    def test_a_word_among_many_says_little(self) -> None:
        assert score("a hollow bangle, bracket of seven petals") < 0.2
        assert words.parts_by_words("hollow petals bracket", limit=1)[0].share == pytest.approx(
            1 / 3
        )

    def test_words_that_say_nothing_do_not_count(self) -> None:
        assert score("the halo ring with a") == score("halo ring")
        assert score("光環的戒指") == pytest.approx(score("光環 戒指"))
        assert found("with") == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("R8107490", True),
        ("r810-7490 B6204", True),
        ("M8 bolt", False),
        ("戒指", False),
        ("", False),
    ],
)
def test_what_is_a_number_and_nothing_else(text: str, numbers: bool) -> None:
    assert words.only_numbers(text) is numbers


@pytest.mark.usefixtures("shelf")
def test_a_changed_part_is_found_by_its_new_words_only() -> None:
    part = Part.objects.get(name="L bracket")
    services.part_update(part=part, name="corner brace", number="X12345")
    assert found("brace") == ["corner brace"]
    assert found("X12345") == ["corner brace"]
    assert found("bracket") == []


@pytest.mark.usefixtures("shelf")
def test_a_trashed_part_is_not_found_until_restored() -> None:
    part = Part.objects.get(name="L bracket")
    services.part_delete(part=part)
    assert found("bracket") == []
    services.part_restore(part=part)
    assert found("bracket") == ["L bracket"]


@pytest.mark.usefixtures("shelf")
def test_a_renamed_category_is_found_by_its_new_name(django_capture_on_commit_callbacks, work):
    category = Category.objects.get(name="Rings")
    with django_capture_on_commit_callbacks(execute=True):
        services.category_update(category=category, name="Finger jewelry")
    work()
    assert set(found("jewelry")) == {"halo ring", "solitaire ring"}


@pytest.mark.usefixtures("shelf")
def test_saving_without_a_change_writes_no_terms(django_assert_num_queries) -> None:
    part = Part.objects.get(name="halo ring")
    before = list(PartTerm.objects.filter(part=part).order_by("pk").values_list("pk", flat=True))
    words.terms_write(part)
    after = list(PartTerm.objects.filter(part=part).order_by("pk").values_list("pk", flat=True))
    assert before == after


def test_what_a_query_reads_does_not_grow_with_the_catalogue(monkeypatch) -> None:
    """With more postings than are read, the heaviest are; ids among them come by id."""
    monkeypatch.setattr(words, "POSTINGS", 5)
    for n in range(12):
        make(name=f"ring {'plain ' * n}")
    with CaptureQueriesContext(connection) as queries:
        hits = words.parts_by_words("ring", limit=50)
    assert len(hits) == 5
    assert all("LIMIT" in query["sql"] for query in queries.captured_queries)
    shortest = Part.objects.get(pk=hits[0].part)
    assert shortest.name == "ring"


@pytest.mark.parametrize(
    ("word", "stem"),
    [("boxes", "box"), ("bushings", "bushing"), ("bodies", "body"), ("brass", "brass"),
     ("chassis", "chassis"), ("bus", "bus"), ("gears", "gear"), ("glasses", "glass")],
)  # fmt: skip
def test_plurals(word: str, stem: str) -> None:
    assert words.stem(word) == stem

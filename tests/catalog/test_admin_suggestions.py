"""The staff answers suggestions many at a time, and writes the prompts they are made from."""

import pytest
from django.test import Client

from catalog import services
from catalog.models import Category, Part, Suggestion
from tests.factories.shelf import looks, part_on_shelf

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/suggestion/"


@pytest.fixture
def shelves() -> tuple[Category, Category]:
    return services.category_create(name="Rings"), services.category_create(name="Boxes")


@pytest.fixture
def parts(shelves) -> list[Part]:
    """Three parts: rings at .9, .8, .7, and of each also boxes at .06."""
    parts = [part_on_shelf(looks(), name=f"piece {n}") for n in range(3)]
    for n, part in enumerate(parts):
        for category, confidence in zip(shelves, (0.9 - n / 10, 0.06), strict=True):
            part.suggestions.create(category=category, confidence=confidence)
    return parts


def act(client: Client, action: str, suggestions, where: str = LIST) -> str:
    body = {"action": action, "_selected_action": [s.pk for s in suggestions]}
    answer = client.post(where, body, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_of_each_part_the_likeliest_is_accepted(logged_in, parts, shelves) -> None:
    html = act(logged_in, "accept", Suggestion.objects.all())
    assert "3 parts were filed." in html
    assert set(Part.objects.values_list("category", flat=True)) == {shelves[0].pk}
    assert set(Suggestion.objects.values_list("category", "accepted")) == {
        (shelves[0].pk, True), (shelves[1].pk, False),
    }  # fmt: skip


def test_what_was_answered_is_not_answered_again(logged_in, parts, shelves) -> None:
    first = parts[0].suggestions.get(category=shelves[0])
    services.suggestion_reject(suggestion=first)
    act(logged_in, "accept", [first], where=f"{LIST}?answer=all")
    parts[0].refresh_from_db()
    assert parts[0].category is None
    services.suggestion_accept(suggestion=parts[1].suggestions.get(category=shelves[0]))
    act(logged_in, "reject", parts[1].suggestions.all(), where=f"{LIST}?answer=all")
    assert parts[1].suggestions.get(category=shelves[0]).accepted is True


def test_rejecting_many_asks_for_others_in_the_background(
    logged_in, parts, shelves, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as sent:
        act(logged_in, "reject", Suggestion.objects.filter(category=shelves[0]))
    rejected = Suggestion.objects.filter(category=shelves[0])
    assert set(rejected.values_list("accepted", flat=True)) == {False}
    assert len(sent) == len(parts)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 5),
        ("?answer=all", 6),
        ("?answer=rejected", 1),
        ("?answer=accepted", 0),
        ("?confidence=0.7", 2),
        ("?confidence=nonsense", 5),
        ("?q=piece 2", 2),
    ],
)
def test_the_list_is_narrowed(logged_in, parts, shelves, query, shown) -> None:
    parts[1].suggestions.filter(category=shelves[0]).update(accepted=False)
    answer = logged_in.get(LIST + query)
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == shown
    for part in answer.context["cl"].result_list:
        assert f"{part.confidence:.0%}" in answer.content.decode()


def test_the_trash_is_not_asked_about(logged_in, parts) -> None:
    services.part_delete(part=parts[0])
    assert logged_in.get(LIST).context["cl"].result_count == 4


class TestCategories:
    """/admin/catalog/category/"""

    ADD = "/admin/catalog/category/add/"

    def body(self, **fields: str) -> dict[str, str]:
        return {"name": "Rings", "name_zh": "戒指", "prompts": "", "parent": "", **fields}

    def test_prompts_are_written_one_a_line(self, logged_in) -> None:
        prompts = "a ring, with a stone\n\n  戒指  \na ring, with a stone"
        assert logged_in.post(self.ADD, self.body(prompts=prompts)).status_code == 302
        category = Category.objects.get()
        assert category.prompts == ["a ring, with a stone", "戒指"]
        html = logged_in.get(f"/admin/catalog/category/{category.pk}/change/").content.decode()
        assert "a ring, with a stone\n戒指" in html

    def test_a_category_never_lies_below_itself(self, logged_in, shelves) -> None:
        above, below = shelves
        services.category_update(category=below, parent=above)
        for parent in (above, below):
            where = f"/admin/catalog/category/{above.pk}/change/"
            answer = logged_in.post(where, self.body(parent=str(parent.pk)))
            assert "A category cannot lie below itself." in answer.content.decode()
        above.refresh_from_db()
        assert above.parent is None

    def test_deleting_leaves_its_parts_unfiled(self, logged_in, shelves) -> None:
        part = part_on_shelf(looks(), category=shelves[0])
        body = {"action": "delete_selected", "_selected_action": [shelves[0].pk], "post": "yes"}
        assert logged_in.post("/admin/catalog/category/", body).status_code == 302
        part.refresh_from_db()
        assert part.category is None
        assert list(Category.objects.all()) == [shelves[1]]

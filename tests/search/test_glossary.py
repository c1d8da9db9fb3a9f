"""The glossary: sown once, kept by the staff, and current in every process."""

from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from search import expand
from search.glossary import glossary_current
from search.models import Synonym

pytestmark = pytest.mark.django_db

SHIPPED = Path(expand.__file__).parent / "data" / "glossary.txt"


@pytest.fixture(autouse=True)
def empty() -> None:
    Synonym.objects.all().delete()


def others(text: str) -> list[str]:
    return expand.text_expand(text, glossary_current(), most=9)


class TestShipped:
    def test_every_group_could_be_typed_into_the_admin(self) -> None:
        groups = expand.groups_read(SHIPPED)
        assert len(groups) >= 150
        for group in groups:
            Synonym(terms=", ".join(group)).full_clean()

    def test_every_group_speaks_both_languages(self) -> None:
        for group in expand.groups_read(SHIPPED):
            assert {expand.script_of(term) for term in group} == {"en", "zh"}, group

    def test_the_migration_sows_it(self) -> None:
        sow = import_module("search.migrations.0003_synonyms_seed").sow

        class Editor:
            def __init__(self) -> None:
                self.connection = connection

        sow(apps, Editor())
        assert Synonym.objects.count() == len(expand.groups_read(SHIPPED))
        assert "培林" in others("bearing")
        assert "flange" in others("法蘭")
        assert others("齒輪")[0] == "gear"


class TestCurrent:
    def test_a_change_is_seen_by_the_next_query(self) -> None:
        assert others("ring") == []
        group = Synonym.objects.create(terms="ring, 戒指")
        assert others("ring") == ["戒指"]
        group.terms = "ring, 指環"
        group.save()
        assert others("ring") == ["指環"]
        group.active = False
        group.save(update_fields=["active"])
        assert others("ring") == []
        group.delete()
        assert others("ring") == []

    def test_an_equal_number_of_groups_is_not_taken_for_the_same(self) -> None:
        Synonym.objects.create(terms="ring, 戒指")
        assert others("ring") == ["戒指"]
        Synonym.objects.all().delete()
        Synonym.objects.create(terms="gear, 齒輪")
        assert others("ring") == []
        assert others("gear") == ["齒輪"]

    def test_what_is_held_costs_one_query(self, django_assert_num_queries) -> None:
        Synonym.objects.create(terms="ring, 戒指")
        glossary_current()
        with django_assert_num_queries(1):
            assert others("ring") == ["戒指"]


@pytest.mark.parametrize(
    "terms", ["", "bolt", "bolt, Bolts", "bolt, ,;，", "!!, ??", "bolt, " + "x" * 61,
              ", ".join(f"term{n}" for n in range(17))],
)  # fmt: skip
def test_a_group_that_could_not_help_is_refused(terms: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Synonym(terms=terms).full_clean()
    assert set(refused.value.message_dict) == {"terms"}


class TestAdmin:
    ADD = "/admin/search/synonym/add/"
    LIST = "/admin/search/synonym/"

    def test_a_group_is_added_searched_and_switched(self, logged_in: Client) -> None:
        logged_in.post(self.ADD, {"terms": "螺栓，螺絲、bolt", "active": "on", "note": "M6 up"})
        group = Synonym.objects.get()
        assert group.terms == "螺栓, 螺絲, bolt"
        assert "螺絲" in logged_in.get(self.LIST, {"q": "bolt"}).content.decode()
        assert "螺絲" not in logged_in.get(self.LIST, {"q": "washer"}).content.decode()
        for action, active in (("switch_off", False), ("switch_on", True)):
            logged_in.post(self.LIST, {"action": action, "_selected_action": [group.pk]})
            assert Synonym.objects.get().active is active
            assert bool(others("bolt")) is active

    def test_a_bad_group_is_told(self, logged_in: Client) -> None:
        answer = logged_in.post(self.ADD, {"terms": "bolt", "active": "on"})
        assert "Give at least two different terms." in answer.content.decode()
        assert not Synonym.objects.exists()

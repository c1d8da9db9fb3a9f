"""Hits are read by their keys: what that costs does not grow with the catalogue."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Part
from search.feedback import marks_read
from search.selectors import Filters, confirmed_categories, hits_hydrate

pytestmark = pytest.mark.django_db


@pytest.fixture
def parts() -> list[int]:
    category = Category.objects.create(name="gears", name_zh="齒輪")
    made = Part.objects.bulk_create(
        Part(
            name=f"{n}", number=f"R{n:07}", file=f"meshes/{n}.stl", file_name=f"{n}.stl",
            file_size=1, sha256=f"{n:064x}", status="ready", category=category, volume_mm3=n,
        )
        for n in range(300)
    )  # fmt: skip
    return [part.pk for part in made]


def plans(context: CaptureQueriesContext) -> list[str]:
    """How the database looks in the parts' table for each statement."""
    found = []
    with connection.cursor() as cursor:
        for query in context.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            found += [row[-1] for row in cursor.fetchall() if "catalog_part" in row[-1]]
    return found


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the other database keeps statistics")
@pytest.mark.parametrize("filters", [Filters(), Filters(volume_min=1)])
def test_by_their_keys(parts: list[int], filters: Filters) -> None:
    with CaptureQueriesContext(connection) as context:
        hits_hydrate(parts[::2], filters, limit=20)
        confirmed_categories(parts[:150])
    looked = plans(context)
    assert len(looked) == 3
    assert all(re.search(r"USING (INTEGER )?PRIMARY KEY", plan) for plan in looked), looked


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the other database keeps statistics")
def test_what_is_named_is_found_by_its_name(parts: list[int]) -> None:
    named = list(Part.objects.filter(pk__in=parts[:10]))
    with CaptureQueriesContext(connection) as context:
        marks_read([str(part.uuid) for part in named], [])
        list(Part.objects.present().filter(number__in=[part.number for part in named]))
    looked = plans(context)
    assert len(looked) == 2
    assert all(re.search(r"\((uuid|number)=\?\)", plan) for plan in looked), looked


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the other database keeps statistics")
def test_pages_of_the_newest_and_of_the_trash_are_read_in_order(parts: list[int]) -> None:
    with CaptureQueriesContext(connection) as context:
        list(Part.objects.present()[:20])
        list(Part.objects.trashed().order_by("-deleted_at", "-pk")[:20])
    newest, trashed = plans(context)
    assert "part_newest" in newest
    assert "part_trashed" in trashed


def test_their_order_the_filters_and_the_limit_hold(parts: list[int]) -> None:
    Part.objects.filter(pk=parts[2]).update(deleted_at="2026-01-01T00:00:00Z")
    Part.objects.filter(pk=parts[4]).update(status="failed")
    asked = [parts[n] for n in (9, 2, 4, 7, 1, 8)]
    assert [part.pk for part in hits_hydrate(asked, Filters(), limit=3)] == [
        parts[9],
        parts[7],
        parts[1],
    ]
    found = hits_hydrate(asked, Filters(volume_min=8), limit=3)
    assert [part.pk for part in found] == [parts[9], parts[8]]

"""The demo catalogue goes through the real pipeline, and twice is once."""

import pytest
from django.core.management import call_command

from catalog.models import Category, Part

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk, pytest.mark.slow]


def test_every_part_becomes_ready_and_is_found_by_its_names(work, api) -> None:
    call_command("demo_catalog", verbosity=0)
    call_command("demo_catalog", verbosity=0)
    n = Part.objects.count()
    assert 55 <= n <= 80
    assert all(category.name_zh for category in Category.objects.all())
    work()
    assert list(Part.objects.exclude(status="ready").values_list("number", "error_code")) == []
    numbers = list(Part.objects.values_list("number", flat=True))
    assert len(set(numbers)) == n
    for query in ("ring", "戒指", "hex bolt", "六角螺栓", "gear", "齒輪"):
        hits = api.post("/api/search/text", {"query": query, "k": 5}).json()["results"]
        assert hits, query
    number = numbers[n // 2]
    first = api.post("/api/search/text", {"query": number}).json()["results"][0]
    assert first["number"] == number

"""Lists of inspections, and each one's answer, ask the database as much of many as of few."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from search.models import InspectionBatch
from tests.factories.inspections import inspection_make, part_make

pytestmark = pytest.mark.django_db


def queries(client: Any, url: str) -> int:
    client.get(url)  # what is read once a process
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_a_list_of_many_costs_no_more_than_one_of_few(writer: Any, staff: Any) -> None:
    def more(n: int) -> None:
        for number in range(n):
            batch = InspectionBatch.objects.create(name=f"{number}", file="x.zip")
            inspection_make(part_make(f"{number}"), photos=3, batch=batch, decided_by=staff)

    more(2)
    few = queries(writer, "/api/qc/inspections")
    more(10)
    assert queries(writer, "/api/qc/inspections") <= few <= 8


def test_an_inspection_of_four_photos_costs_no_more_than_one_of_one(
    writer: Any, staff: Any
) -> None:
    counts = []
    for photos in (1, 4):
        made = inspection_make(part_make(), photos=photos, decided_by=staff)
        made.photos.update(corrected_by=staff)
        counts.append(queries(writer, f"/api/qc/inspections/{made.uuid}"))
    assert counts[1] <= counts[0] <= 8


def test_a_page_past_the_end_and_odd_filters_are_answers(writer: Any) -> None:
    made = inspection_make(part_make(), piece="第 7 件", note="50% off_")
    for asked, found in (
        ({"page": 99}, 1), ({"q": "第 7"}, 1), ({"q": "50%"}, 1), ({"q": "5__"}, 0),
        ({"until": "2000-01-01"}, 0), ({"part": str(made.part.uuid)}, 1), ({"decision": "open"}, 1),
        ({"verdict": "fail"}, 0), ({"state": "done"}, 1), ({"q": "\u0301" * 50}, 0),
    ):  # fmt: skip
        answer = writer.get("/api/qc/inspections", asked)
        assert answer.status_code == 200 and answer.json()["count"] == found, asked
    for asked in ({"part": "x"}, {"page": 0}, {"verdict": "fine"}, {"since": "yesterday"},
                  {"q": "x" * 121}, {"category": 10**30}, {"q": "a\x00"}):  # fmt: skip
        assert writer.get("/api/qc/inspections", asked).status_code == 400, asked

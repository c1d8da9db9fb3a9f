"""Numbers as people read them."""

import pytest

from catalog.templatetags import house


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (1399.99999, "1,400"),
        (12.8000005, "12.8"),
        (6.25, "6.25"),
        (6.0, "6"),
        (0.5, "0.5"),
        (0.01234, "0.0123"),
        (12_345_678.0, "12,345,678"),
    ],
)
def test_lengths_keep_the_digits_that_count(value: float | None, text: str) -> None:
    assert house.significant(value) == text


def test_sizes_carry_a_unit_that_fits() -> None:
    assert house.box((24.0, 24.0, 6.25)) == "24 × 24 × 6.25 mm"
    assert house.box(None) == ""
    assert house.volume(812.4) == "812 mm³"
    assert house.volume(250_000.0) == "250 cm³"
    assert house.area(1480.2) == "1,480 mm²"
    assert house.area(14_800.0) == "148 cm²"


@pytest.mark.parametrize(
    ("share", "shown"), [(None, 0), (-0.2, 0), (0.834, 83), (1.0, 100), (1.0001, 100)]
)
def test_shares_are_clipped_to_percent(share: float | None, shown: int) -> None:
    assert house.percent(share) == shown


def test_stages_come_in_the_order_of_the_work() -> None:
    took = {"total": 60.0, "fuse": 0.2, "encode": 48.0, "rerank": 5.0, "hydrate": 0.0}
    assert house.stages(took) == [
        ("encode", 48.0), ("fuse", 0.2), ("rerank", 5.0), ("in all", 60.0),
    ]  # fmt: skip


def test_durations_are_told_in_words_of_their_size() -> None:
    assert [house.milliseconds(ms) for ms in (None, 0.2, 3.4, 812.0, 1860.0)] == [
        "", "< 1 ms", "3 ms", "812 ms", "1.86 s",
    ]  # fmt: skip

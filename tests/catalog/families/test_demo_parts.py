"""The demo catalogue: sixty numbered parts in both languages, and their STL bytes."""

import struct

import numpy as np
import pytest

from catalog.families.demo import DEMO_CATEGORIES, DemoPart, demo_parts, stl_bytes


@pytest.fixture(scope="module")
def parts() -> list[DemoPart]:
    return demo_parts()


def test_numbers_are_unique_and_plausible(parts: list[DemoPart]) -> None:
    assert 55 <= len(parts) <= 75
    assert len({part.number for part in parts}) == len(parts)
    assert all(part.number[0].isupper() and part.number[1:].isdigit() for part in parts)
    assert "R8107490" in {part.number for part in parts}
    assert len({part.name_en for part in parts}) == len(parts)


def test_every_part_is_told_in_both_languages_and_belongs_to_a_category(
    parts: list[DemoPart],
) -> None:
    keys = {category.key for category in DEMO_CATEGORIES}
    assert len(keys) >= 20
    assert {part.category for part in parts} == keys
    for part in parts:
        assert part.name_en.isascii()
        assert not part.name_zh.isascii()
        assert part.description_en
        assert part.description_zh
        assert part.tags
    for category in DEMO_CATEGORIES:
        assert category.names.en.isascii()
        assert not category.names.zh_hant.isascii()
        assert len(category.prompts) >= 2


def test_it_is_the_same_every_time(parts: list[DemoPart]) -> None:
    again = demo_parts()
    assert all(np.array_equal(a.triangles, b.triangles) for a, b in zip(parts, again, strict=True))


def test_stl_bytes_are_a_binary_stl(parts: list[DemoPart]) -> None:
    triangles = parts[0].triangles
    data = stl_bytes(triangles)
    assert not data.startswith(b"solid")
    assert struct.unpack("<I", data[80:84]) == (len(triangles),)
    assert len(data) == 84 + 50 * len(triangles)
    first = np.frombuffer(data[84:132], "<f4").reshape(4, 3)
    assert np.allclose(np.linalg.norm(first[0]), 1, atol=1e-4)
    assert np.array_equal(first[1:], triangles[0])

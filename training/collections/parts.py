"""A part by its collection's name and its key."""

from functools import cache

from training.collections import furniture, kicad
from training.collections.types import CollectionPart

COLLECTIONS = ("furniture", "kicad")


@cache
def parts_of(collection: str) -> dict[str, CollectionPart]:
    """Every part of a collection by key. ValueError for a collection that there is not."""
    match collection:
        case "furniture":
            every = furniture.parts()
        case "kicad":
            every = kicad.parts()
        case _:
            raise ValueError(f"no collection {collection!r}; there are {', '.join(COLLECTIONS)}")
    return {part.key: part for part in every}


def part_of(collection: str, key: str) -> CollectionPart:
    return parts_of(collection)[key]


def part_keys(collection: str) -> list[str]:
    return list(parts_of(collection))

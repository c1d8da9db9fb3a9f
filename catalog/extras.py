"""What the rooms above have to say about a part, for the API's answer: the catalogue, which cannot
import them, asks here. A room adds its own when it is ready (`search/apps.py`).
"""

from collections.abc import Callable
from typing import Any

from catalog.models import Part

PART_EXTRAS: dict[str, Callable[[Part], Any]] = {}


def part_extra(name: str, part: Part) -> Any:
    """What is said under this name; nothing when the room is not there."""
    say = PART_EXTRAS.get(name)
    return say(part) if say else []

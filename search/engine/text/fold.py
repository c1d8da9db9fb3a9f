"""Makes spellings of the same word alike: case, width, accents, traditional and simplified.

Both the word index and the text encoder read folded text, so a query in either script finds the
same parts.
"""

import unicodedata
from functools import cache
from pathlib import Path


@cache
def _simplified() -> dict[int, str]:
    lines = (Path(__file__).parent / "han_fold.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line for line in lines if line and not line.startswith("#"))
    return {ord(pair[0]): pair[1] for pair in pairs}


def fold(text: str) -> str:
    """Full-width, case, accents and traditional characters made alike."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    return simplify(unicodedata.normalize("NFC", text))


def simplify(text: str) -> str:
    """Traditional characters as their simplified ones; all else as it is."""
    return text.translate(_simplified())

"""Cuts folded text into the pieces a text encoder knows: words, pairs of words, runs of letters.

No list of words is kept: a piece is the row of a table that its hash names, so any language's text
has pieces, and a word never seen shares those of words that look like it.
"""

import re
import zlib
from collections.abc import Iterator

from search.engine.text.fold import fold

HAN = r"\u3400-\u9fff\uf900-\ufaff"
RUN = re.compile(rf"[{HAN}]+|[a-z]+|[0-9]+|[^\W\d_]")
LETTERS = (3, 4, 5)  # of a word with its ends marked
CHARACTERS = (1, 2, 3, 4)  # of a run of Chinese, which has no spaces
# Function words say nothing of a part's looks; in the table they would only dilute the others.
STOP = frozenset(["a", "an", "the", "of", "for", "and", "or", "to", "in", "on", "is", "的", "了"])


def grams(text: str) -> Iterator[str]:
    """The pieces of a text, with repeats. Traditional and simplified text give the same."""
    before = ""
    for run in RUN.findall(fold(text)):
        if run in STOP:
            continue
        if re.match(f"[{HAN}]", run):
            for n in CHARACTERS:
                yield from (run[i : i + n] for i in range(len(run) - n + 1))
            before = ""
            continue
        yield f"={run}"
        if before:
            yield f"{before} {run}"
        before = run
        if run.isascii() and len(run) > 2:
            marked = f"<{run}>"
            for n in LETTERS:
                yield from (marked[i : i + n] for i in range(len(marked) - n + 1))


def buckets(text: str, *, count: int) -> list[int]:
    """The rows of a table of `count` rows that the text's pieces fall into; never empty."""
    return [zlib.crc32(gram.encode()) % count for gram in grams(text)] or [0]

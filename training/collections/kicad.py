"""Electronic parts of Debian's `kicad-packages3d` (CC BY-SA 4.0 with KiCad's exception).

A folder holds hundreds of sizes of one thing: a few are taken, spread over the kinds that the file
names tell apart. What they are called stands in training/data/kicad_names.tsv.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from catalog.families.types import Phrases
from training.collections.types import CollectionPart, Words
from training.collections.vrml import triangles_read

KICAD = Path("/usr/share/kicad/3dmodels")
NAMES = Path(__file__).parents[1] / "data" / "kicad_names.tsv"
SUFFIX = ".3dshapes"
A_FOLDER = 22
T = TypeVar("T")
BROADER = Phrases(
    ("electronic component", "electronic part"), ("電子零件", "電子元件"), ("电子元件", "电子零件")
)
# A kind is what stands before a name's sizes, with its first count, and the long words after.
KIND = re.compile(r"\D*(?:-\d+)?")


class Row(NamedTuple):
    folder: str
    files: str
    names: Phrases


def parts(folder: Path = KICAD, *, a_folder: int = A_FOLDER) -> list[CollectionPart]:
    """At most `a_folder` parts of each folder that has a name, in order of their keys."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: apt-get install kicad-packages3d")
    return [
        _part(path)
        for name in dict.fromkeys(row.folder for row in _rows())
        for path in chosen((folder / f"{name}{SUFFIX}").glob("*.wrl"), a_folder)
    ]


def chosen(paths: Iterable[Path], count: int) -> list[Path]:
    """`count` of them: kind after kind in turn, each kind's files evenly from its sorted list."""
    kinds: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(paths):
        kinds[_kind(path.stem)].append(path)
    in_order = _spread([_spread(files) for files in kinds.values()])
    in_turn = [path for turn in zip_longest(*in_order) for path in turn if path]
    return sorted(in_turn[:count])


def _kind(stem: str) -> str:
    start = KIND.match(stem)
    assert start is not None  # it may match nothing, but it matches
    return " ".join([start[0], *re.findall(r"[A-Za-z]{4,}", stem[start.end() :])])


def _spread(items: Sequence[T]) -> list[T]:
    """In an order of which every beginning is spread over the whole (golden ratio sequence)."""
    return [items[i] for i in np.argsort(np.arange(len(items)) * 0.6180339887 % 1)]


def names_of(folder: str, stem: str) -> Phrases:
    """The names of a file, the narrower rows' first."""
    fitting = [row for row in _rows() if row.folder == folder and fnmatchcase(stem, row.files)]
    fitting.sort(key=lambda row: row.files == "*")
    return Phrases(
        *(
            tuple(dict.fromkeys(name for row in fitting for name in row.names[script]))
            for script in range(3)
        )
    )


@cache
def _rows(path: Path = NAMES) -> tuple[Row, ...]:
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            folder, files, *cells = line.split("\t")
            names = (tuple(name.strip() for name in cell.split(";")) for cell in cells)
            rows.append(Row(folder, files, Phrases(*names)))
    return tuple(rows)


def _part(path: Path) -> CollectionPart:
    folder = path.parent.name.removesuffix(SUFFIX)
    names = names_of(folder, path.stem)
    return CollectionPart(
        key=f"{folder}/{path.stem}",
        name=names.en[0].lower(),
        words=Words(names, BROADER),
        read=partial(triangles_read, path),
    )

"""Which photos of an archive are which piece of which part, by their names.

    R8107490/007.jpg                   a piece of the part R8107490
    R8107490/tray 3/a.jpg, …/b.jpg     one piece: photos in a folder of their own
    R8107490_007@1.jpg, …007@2.jpg     one piece: names that differ only in @1 to @9
    007@1.jpg, tray 3/a.jpg            the same without a number, where all are of one part

Folders around the one that names the part do not matter.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
_PHOTO = re.compile(r"@[1-9]$")
_BREAK = re.compile(r"[-_ .@(]")


@dataclass(frozen=True)
class Piece:
    """number: of the part, "" where nothing names one; piece: what it is called; names of its
    photos, in order. `key` tells it from the archive's other pieces."""

    key: str
    number: str
    piece: str
    names: tuple[str, ...]


def is_photo(name: str) -> bool:
    """Whether a file of an archive is a photo: by its suffix, shadow files of a Mac aside."""
    pure = PurePosixPath(name)
    return (
        pure.suffix.lower() in SUFFIXES
        and not pure.name.startswith(".")
        and "__MACOSX" not in pure.parts
    )


def numbers_possible(names: Iterable[str]) -> set[str]:
    """Every part number that one of these could name: folders, and beginnings of file names."""
    found: set[str] = set()
    for name in names:
        pure = PurePosixPath(name)
        found.update(pure.parts[:-1])
        found.update(_beginnings(pure.stem))
    return found


def pieces_by_name(names: Sequence[str], known: Iterable[str]) -> list[Piece]:
    """Photos grouped into pieces of the parts whose numbers are `known`."""
    numbers = set(known)
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name in sorted(names):
        groups.setdefault(_place(PurePosixPath(name), numbers), []).append(name)
    return [_piece(*place, tuple(of)) for place, of in groups.items()]


def pieces_of_one(names: Sequence[str]) -> list[Piece]:
    """Photos that are all of one part, grouped into pieces."""
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    around = 0
    while folders and all(len(of) > around and of[around] == folders[0][around] for of in folders):
        around += 1
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name in sorted(names):
        pure = PurePosixPath(name)
        inside = "/".join(pure.parts[around:-1])
        groups.setdefault(("", inside, "" if inside else _base(pure.stem)), []).append(name)
    return [_piece(*place, tuple(of)) for place, of in groups.items()]


def _place(pure: PurePosixPath, numbers: set[str]) -> tuple[str, str, str]:
    """(number, folder of the piece, the piece's own name) of a photo."""
    folders, base = pure.parts[:-1], _base(pure.stem)
    for at, folder in enumerate(folders):
        if folder in numbers:
            inside = "/".join(folders[at + 1 :])
            return folder, inside, "" if inside else base
    for number in _beginnings(pure.stem):  # the longest first
        if number in numbers:
            rest = base[len(number) :].lstrip("-_ .@(").rstrip(")")
            return number, "/".join(folders), rest or base
    return "", "/".join(folders), base


def _piece(number: str, folder: str, base: str, names: tuple[str, ...]) -> Piece:
    label = base or folder
    return Piece("/".join((number, folder, base))[:300], number, label, names)


def _base(stem: str) -> str:
    return _PHOTO.sub("", stem)


def _beginnings(stem: str) -> list[str]:
    """A stem and what it begins with, up to each break, the longest first."""
    ends = [len(stem), *(found.start() for found in reversed(list(_BREAK.finditer(stem))))]
    return [stem[:end] for end in ends if end]


def pieces_listed(listed: Any, names: Iterable[str]) -> list[Piece] | None:
    """A list of pieces that somebody sent: [{"part_id" or "number", "piece"?, "photos": [names of
    files sent]}]. `number` of what comes out is either; None when it is no such list."""
    sent = set(names)
    if not isinstance(listed, list) or not listed:
        return None
    found = []
    for at, entry in enumerate(listed):
        if not isinstance(entry, dict) or not isinstance(entry.get("piece", ""), str):
            return None
        refs = [ref for ref in (entry.get("part_id"), entry.get("number")) if ref]
        photos = entry.get("photos")
        if len(refs) != 1 or not isinstance(refs[0], str) or not isinstance(photos, list):
            return None
        if not photos or not all(isinstance(name, str) and name in sent for name in photos):
            return None
        found.append(Piece(f"#{at}", refs[0], entry.get("piece", ""), tuple(photos)))
    return found

"""STL, binary and ASCII, read by NumPy. Runs in the child process; knows no other format."""

import re
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.mesh.types import triangles_check, truncated

HEADER_BYTES = 84
RECORD = np.dtype([("normal", "<f4", (3,)), ("triangle", "<f4", (3, 3)), ("attribute", "<u2")])

# ASCII is read in pieces of this size, cut after a facet, so that memory stays near the result's.
PIECE_BYTES = 1 << 23

# A solid's name may say anything at all. Files of one single line have no such short lines.
_SOLID_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))[ \t]*(?:end)?solid\b[^\r\n]{0,256}(?=[\r\n]|\Z)")
_VERTEX = re.compile(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)")


def stl_is_ascii(head: bytes, size: int) -> bool:
    """Whether an STL of `size` bytes that begins with `head` is text.

    A count that fits the size decides for binary, whatever the header says: many binary files
    begin with "solid", while four text bytes read as a count of at least 150 million triangles.
    """
    if size >= HEADER_BYTES and len(head) >= HEADER_BYTES:
        claimed = int.from_bytes(head[80:84], "little")
        if HEADER_BYTES + claimed * RECORD.itemsize <= size:
            return False
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith((b"solid", b"facet")) and b"\0" not in head


def stl_binary_read(stream: BinaryIO, *, limit: int) -> NDArray[np.float32]:
    """(n, 3, 3) float32 view into the records; bytes after the last record are ignored.

    Raises MeshError: truncated (claimed, found), too_many_triangles (found, limit).
    """
    size = stream.seek(0, 2)
    stream.seek(HEADER_BYTES - 4)
    claimed = int.from_bytes(stream.read(4), "little")
    fits = max(0, size - HEADER_BYTES) // RECORD.itemsize
    if claimed > fits or size < HEADER_BYTES:
        raise truncated(claimed, fits)
    triangles_check(claimed, limit)
    records = np.fromfile(stream, dtype=RECORD, count=claimed)
    if len(records) < claimed:
        raise truncated(claimed, len(records))
    corners: NDArray[np.float32] = records["triangle"]
    return corners


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The file in lower case, cut after whole facets."""
    rest = b""
    while block := stream.read(PIECE_BYTES):
        text = rest + block.lower()
        cut = text.rfind(b"endfacet") + len(b"endfacet")
        if cut < len(b"endfacet"):
            if len(text) > 8 * PIECE_BYTES:
                raise MeshError("not_a_mesh", "The text holds no facets.", looks_like="text")
            rest = text
            continue
        yield text[:cut]
        rest = text[cut:]
    yield rest


def _facets_regular(text: bytes) -> NDArray[np.float32] | None:
    """The facets of a well-formed piece, or None when it is anything but.

    Cutting at two words leaves nine numbers a facet for one call of NumPy: three times as fast
    as a regular expression that collects the vertices.
    """
    vertices = text.split(b"vertex")[1:]
    if not vertices or len(vertices) != 3 * text.count(b"endloop"):
        return None
    vertices[2::3] = [third.partition(b"endloop")[0] for third in vertices[2::3]]
    with warnings.catch_warnings():
        # NumPy only warns when it stops at something that is not a number.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            numbers = np.fromstring(b" ".join(vertices), dtype=np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            return None
    if numbers.size != 3 * len(vertices):
        return None
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32).reshape(-1, 3, 3)


def _facets_found(text: bytes) -> NDArray[np.float32]:
    """The facets of a piece with odd lines in it: whatever follows the word vertex."""
    text = _SOLID_LINE.sub(b"", text)
    found = _VERTEX.findall(text)
    begun, complete = text.count(b"outer"), len(found) // 3
    if len(found) % 3 or begun > complete:
        raise truncated(max(begun, complete + 1), complete)
    try:
        with np.errstate(over="ignore"):
            return (
                np.array(found, dtype="S").astype(np.float64).astype(np.float32).reshape(-1, 3, 3)
            )
    except ValueError as error:
        raise MeshError(
            "malformed", f"The file is not a valid ASCII STL: {error}.", format="stl-ascii"
        ) from error


def stl_ascii_read(stream: BinaryIO, *, limit: int) -> NDArray[np.float32]:
    """(n, 3, 3) float32 of every solid in the file; case, spacing and line ends are free.

    Raises MeshError: truncated (an unfinished facet), malformed, too_many_triangles.
    """
    stream.seek(0)
    parts, total = [], 0
    for text in _pieces(stream):
        facets = _facets_regular(text)
        parts.append(_facets_found(text) if facets is None else facets)
        total += len(parts[-1])
        triangles_check(total, limit)
    return np.concatenate(parts)

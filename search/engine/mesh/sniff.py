"""Cheap checks at the door: what a file is, from its first bytes, its name and its size.

Nothing is parsed here. Content wins over the name where it is sure.
"""

import re
from pathlib import PurePath

from search.engine.errors import MeshError
from search.engine.mesh.stl import HEADER_BYTES, RECORD, stl_is_ascii
from search.engine.mesh.types import SUFFIXES

# What a caller should read for `head`; fewer bytes only make the answer less sure.
HEAD_BYTES = 1024

# First bytes -> what a reader would call it.
_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"RIFF", "image"),
    (b"BM", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"#!", "program"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"PK\x03\x04", "archive"),
    (b"PK\x05\x06", "archive"),
)
_HTML = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script)\b", re.I | re.S)
_OFF = re.compile(rb"\s*(#[^\n]*\n\s*)*C?OFF\s")
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]*\Z")

_SUFFIX_FORMATS = {".obj": "obj", ".off": "off"}
_WORDS = {
    "html": "a web page",
    "pdf": "a PDF document",
    "image": "a picture",
    "program": "a program",
    "archive": "an archive",
    "text": "plain text",
    "unknown": "something else than its name says",
}


def not_a_mesh(looks_like: str) -> MeshError:
    sentence = f"The file is not a mesh: it looks like {_WORDS[looks_like]}."
    return MeshError("not_a_mesh", sentence, looks_like=looks_like)


def _sure_format(head: bytes, size: int) -> str | None:
    """The format that the content alone proves."""
    if len(head) >= HEADER_BYTES:
        claimed = int.from_bytes(head[80:84], "little")
        if claimed and HEADER_BYTES + claimed * RECORD.itemsize == size:
            return "stl-binary"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"glTF"):
        return "glb"
    if head.startswith(b"PK\x03\x04") and (b"3D/" in head or b"[Content_Types].xml" in head):
        return "3mf"
    if re.match(rb"ply\s", head):
        return "ply"
    if _OFF.match(head):
        return "off"
    if text.startswith(b"ISO-10303-21"):
        return "step"
    if text.startswith(b"{") and b'"asset"' in head:
        return "gltf"
    if b"facet" in head.lower() and stl_is_ascii(head, size):
        return "stl-ascii"
    return None


def _stranger(head: bytes) -> str | None:
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        return "html"
    return next((words for magic, words in _STRANGERS if head.startswith(magic)), None)


def format_sniff(head: bytes, name: str, size: int) -> str:
    """The format (one of types.FORMATS) of a file of `size` bytes that begins with `head`.

    Raises MeshError: empty_file; not_a_mesh (looks_like: html, pdf, image, program, archive, text
    or unknown); unknown_format (suffix, supported).
    """
    if size == 0 or not head:
        raise MeshError("empty_file", "The file is empty.")
    if found := _sure_format(head, size):
        return found
    suffix = PurePath(name.lower()).suffix
    if suffix == ".stl" and stl_is_ascii(head, size):
        return "stl-ascii"
    if looks_like := _stranger(head):
        raise not_a_mesh(looks_like)
    if suffix == ".stl":
        if _TEXT.match(head):
            raise not_a_mesh("text")
        return "stl-binary"
    if suffix in _SUFFIX_FORMATS:
        return _SUFFIX_FORMATS[suffix]
    if suffix == ".gltf" and head.lstrip().startswith(b"{"):
        return "gltf"
    if suffix in SUFFIXES:
        # Every other format we read begins with a mark, and this file lacks it.
        raise not_a_mesh("text" if _TEXT.match(head) else "unknown")
    supported = ", ".join(SUFFIXES)
    named = f"The format {suffix}" if suffix else "A file without a suffix"
    raise MeshError(
        "unknown_format",
        f"{named} is not supported; these are: {supported}.",
        suffix=suffix,
        supported=supported,
    )

"""Pictures that nobody takes."""

import struct
import zlib


def png_bomb(width: int = 60_000, height: int = 60_000, *extra: tuple[bytes, bytes]) -> bytes:
    """A small PNG that says it is large, with `extra` chunks (kind, data)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(2_000_000))
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in ((b"IHDR", header), *extra, (b"IDAT", rows), (b"IEND", b"")):
        parts.append(struct.pack(">I", len(data)) + kind + data)
        parts.append(struct.pack(">I", zlib.crc32(kind + data)))
    return b"".join(parts)

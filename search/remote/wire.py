"""A question or an answer of the encoders as bytes: what is said as JSON, and arrays, exactly.

Layout: four bytes with the length of the JSON, the JSON, the arrays' bytes one after another. The
JSON says each array's type and shape and whether its bytes are deflated: pictures on white shrink
to a few percent, vectors would not shrink.
"""

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = struct.Struct(">I")
TYPES = ("uint8", "float32")
MOST = 256 * 1024 * 1024  # bytes of one array, once inflated
QUICK = 1  # of zlib's levels; the next one takes twice the time for a tenth of the size


def pack(said: Mapping[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> bytes:
    """Arrays of uint8 (deflated) and float32. Raises TypeError for others."""
    described, bodies = [], []
    for array in arrays:
        if array.dtype.name not in TYPES:
            raise TypeError(f"{array.dtype} does not travel")
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        body = zlib.compress(little, QUICK) if array.dtype == np.uint8 else little.tobytes()
        described.append({"type": array.dtype.name, "shape": array.shape, "bytes": len(body)})
        bodies.append(body)
    head = json.dumps({"said": said, "arrays": described}, ensure_ascii=False).encode()
    return b"".join((LENGTH.pack(len(head)), head, *bodies))


def unpack(data: bytes) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """What was said and the arrays. Raises ValueError for bytes that `pack` did not make."""
    try:
        (length,) = LENGTH.unpack_from(data)
        at = LENGTH.size + length
        head = json.loads(data[LENGTH.size : at])
        arrays = []
        for of in head["arrays"]:
            arrays.append(_array(data[at : at + of["bytes"]], of["type"], of["shape"]))
            at += of["bytes"]
        if at != len(data):
            raise ValueError("bytes are missing or left over")
        return dict(head["said"]), arrays
    except (struct.error, KeyError, TypeError, zlib.error) as error:
        raise ValueError(f"not a message: {error!r}") from error


def _array(body: bytes, name: str, shape: Sequence[int]) -> NDArray[Any]:
    if name not in TYPES:
        raise ValueError(f"{name} does not travel")
    kind = np.dtype(name).newbyteorder("<")
    size = math.prod(shape) * kind.itemsize
    if not 0 <= size <= MOST:
        raise ValueError(f"an array of {size} bytes")
    if name == "uint8":
        inflate = zlib.decompressobj()
        body = inflate.decompress(body, size + 1)
    if len(body) != size:
        raise ValueError("an array is not as long as its shape")
    return np.frombuffer(body, kind).reshape(shape).astype(np.dtype(name), copy=False)

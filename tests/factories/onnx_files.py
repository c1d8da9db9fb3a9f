"""Tiny ONNX files written byte by byte (protocol buffers), so that tests need no exporter."""

from collections.abc import Sequence

FLOAT, INTS, IR_VERSION, OPSET = 1, 7, 8, 13


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, shape: Sequence[int | str]) -> bytes:
    sides = b"".join(
        _bytes(1, _number(1, side) if isinstance(side, int) else _bytes(2, side)) for side in shape
    )
    kind = _bytes(1, _number(1, FLOAT) + _bytes(2, sides))
    return _bytes(1, name) + _bytes(2, kind)


def _node(kind: str, given: str, made: str, attributes: bytes = b"") -> bytes:
    return _bytes(1, given) + _bytes(2, made) + _bytes(4, kind) + attributes


def brightness_network(
    *, shape: Sequence[int | str] = (1, 3, 32, 48), chances: bool = False
) -> bytes:
    """A network that takes the mean of the channels for the log odds of the piece, or, with
    `chances`, their logistic: what is bright is the piece."""
    axis = _bytes(5, _bytes(1, "axes") + _number(8, 1) + _number(20, INTS))
    nodes = [_node("ReduceMean", "picture", "mean" if chances else "piece", axis)]
    if chances:
        nodes.append(_node("Sigmoid", "mean", "piece"))
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "brightness")
    graph += _bytes(11, _tensor("picture", shape))
    graph += _bytes(12, _tensor("piece", (1, 1, *shape[2:])))
    return _number(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, _number(2, OPSET))

"""3MF: a zip of XML models, streamed through expat. Runs in the child process.

Read by ourselves for three reasons: a document type is refused before an entity can be declared,
memory stays near the result's, and the production extension's several objects a file (Bambu,
Orca and Prusa slicers) keep apart. Format: 3MF Core Specification 1.3, Production Extension 1.1.
"""

import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.mesh.archive import Archive, ArchiveLimits, Member
from search.engine.mesh.types import MeshLimits, triangles_check

MILLIMETRES = {
    "micron": 0.001,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "inch": 25.4,
    "foot": 304.8,
    "meter": 1000.0,
}

# (4, 3): a row vector p becomes p @ m[:3] + m[3].
Transform = NDArray[np.float64]
# The model part's path and the object's id in it.
Key = tuple[str, str]


def _malformed(detail: str) -> MeshError:
    return MeshError("malformed", f"The file is not a valid 3MF: {detail}.", format="3mf")


@dataclass(frozen=True)
class _Instance:
    key: Key
    transform: Transform


@dataclass
class _Object:
    coordinates: "array[float]" = field(default_factory=lambda: array("d"))
    indices: "array[int]" = field(default_factory=lambda: array("q"))
    components: list[_Instance] = field(default_factory=list)

    def triangles(self) -> NDArray[np.float64]:
        """(n, 3, 3) in the model's unit."""
        vertices = np.array(self.coordinates).reshape(-1, 3)
        faces = np.array(self.indices, dtype=np.int64).reshape(-1, 3)
        if len(faces) and not 0 <= faces.min() <= faces.max() < len(vertices):
            raise _malformed(f"a triangle names a vertex that is not among its {len(vertices)}")
        return vertices[faces]


def _transform_parse(text: str | None) -> Transform:
    if text is None:
        return np.vstack([np.eye(3), np.zeros(3)])
    numbers = np.array([float(word) for word in text.split()])
    if numbers.size != 12:
        raise _malformed("a transform has not 12 numbers")
    return numbers.reshape(4, 3)


class _ModelReader:
    """Collects one model part's objects and build items while expat walks through it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.unit = "millimeter"
        self.objects: dict[Key, _Object] = {}
        self.items: list[_Instance] = []
        self._object = _Object()

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
                raise MemoryError from error
            raise _malformed(str(error)) from error
        except (KeyError, ValueError, OverflowError) as error:
            raise _malformed(f"{type(error).__name__} {error}"[:200]) from error

    def _doctype(self, *_: object) -> None:
        raise MeshError(
            "archive_unsafe",
            "The 3MF declares a document type, which it must not.",
            reason="doctype",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "vertex":
                self._object.coordinates.extend(
                    (float(attributes["x"]), float(attributes["y"]), float(attributes["z"]))
                )
            case "triangle":
                self._object.indices.extend(
                    (int(attributes["v1"]), int(attributes["v2"]), int(attributes["v3"]))
                )
            case "object":
                self._object = self.objects[self.path, attributes["id"]] = _Object()
            case "component":
                self._object.components.append(self._instance(attributes))
            case "item":
                self.items.append(self._instance(attributes))
            case "model":
                self.unit = attributes.get("unit", self.unit)

    def _instance(self, attributes: dict[str, str]) -> _Instance:
        # The production extension's path attribute has a namespace of its own.
        path = next((v for k, v in attributes.items() if k.endswith(" path")), self.path)
        return _Instance(
            key=(path.lstrip("/").lower(), attributes["objectid"]),
            transform=_transform_parse(attributes.get("transform")),
        )


class _Assembly:
    """All objects of all model parts, and the triangles that the build makes of them."""

    def __init__(self, objects: dict[Key, _Object]) -> None:
        self._objects = objects
        self._counts: dict[Key, int] = {}

    def count(self, key: Key) -> int:
        """Triangles of an object with its components; a ring of components is malformed."""
        if key not in self._counts:
            self._counts[key] = -1
            if key not in self._objects:
                raise _malformed(f"object {key[1][:20]} is used but not defined")
            own = len(self._objects[key].indices) // 3
            parts = self._objects[key].components
            self._counts[key] = own + sum(self.count(part.key) for part in parts)
        if self._counts[key] < 0:
            raise _malformed(f"object {key[1][:20]} contains itself")
        return self._counts[key]

    def pieces(self, instance: _Instance) -> Iterator[NDArray[np.float64]]:
        """(n, 3, 3) pieces in the model's unit, transforms applied."""
        if not self.count(instance.key):
            return
        part = self._objects[instance.key]
        matrix = instance.transform
        if len(part.indices):
            placed = part.triangles() @ matrix[:3] + matrix[3]
            # A mirroring transform turns the faces inside out: turn them back.
            yield placed[:, ::-1] if np.linalg.det(matrix[:3]) < 0 else placed
        for component in part.components:
            inner = component.transform
            outer = np.vstack([inner[:3] @ matrix[:3], inner[3] @ matrix[:3] + matrix[3]])
            yield from self.pieces(_Instance(component.key, outer))


def _models_read(archive: Archive) -> tuple[_ModelReader, dict[Key, _Object]]:
    """The root model, and the objects of every model part."""
    members = [m for m in archive.members if m.name.lower().endswith(".model")]
    if not members:
        raise _malformed("it holds no model")

    def is_not_root(member: Member) -> tuple[bool, int]:
        return member.name.lower() != "3d/3dmodel.model", len(member.name)

    readers = []
    for member in sorted(members, key=is_not_root):
        data = io.BytesIO()
        archive.extract(member, data)
        reader = _ModelReader(member.name.lower())
        reader.read(data.getvalue())
        readers.append(reader)
    return readers[0], {key: part for reader in readers for key, part in reader.objects.items()}


def threemf_read(stream: BinaryIO, *, limits: MeshLimits) -> NDArray[np.float64]:
    """(n, 3, 3) float64 in mm: everything the build lists, transforms and units applied.

    Raises MeshError: archive_unsafe (reason), malformed, too_many_triangles.
    """
    caps = ArchiveLimits(members=limits.members, unpacked_mb=limits.unpacked_mb)
    with Archive(stream, caps) as archive:
        for member in archive.members:
            if member.refused:
                archive.extract(member, io.BytesIO())
        root, objects = _models_read(archive)
    if root.unit not in MILLIMETRES:
        raise _malformed(f"its unit {root.unit[:20]!r} is unknown")
    assembly = _Assembly(objects)
    # A file without a build still shows what it has.
    build = root.items or [_Instance(key, _transform_parse(None)) for key in root.objects]
    triangles_check(sum(assembly.count(item.key) for item in build), limits.triangles)
    pieces = [piece for item in build for piece in assembly.pieces(item)]
    return np.concatenate([np.zeros((0, 3, 3)), *pieces]) * MILLIMETRES[root.unit]

"""Reads the furniture of Debian's `sweethome3d-furniture` for the benchmarks.

A `.sh3f` container is a zip: one Java properties catalogue (plus one a language), an OBJ folder and
a coloured icon a model. Only the models listed in `bench/data/furniture_dev_ids.txt` are offered;
the others are reserved for judging the finished product and must not steer a choice.

    python -m bench.furniture    # counts what is there
"""

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

FURNITURE = Path("/usr/share/sweethome3d/furniture")
DEV_IDS = Path(__file__).parent / "data" / "furniture_dev_ids.txt"
CATALOGUE = "PluginFurnitureCatalog"


@dataclass(frozen=True)
class FurnitureModel:
    """One model of a container.

    `id` is "<container>-<number>", stable and safe as a file name. `path` is the OBJ's place inside
    the container. `names` and `categories` are keyed by language ("en", "fr", "zh_TW", ...).
    `rotation` is the row-major 3x3 matrix that stands the model upright (y up), or None.
    `size_cm` is (width, depth, height) as shown to the reader.
    """

    id: str
    container: Path
    path: str
    icon_path: str
    names: Mapping[str, str]
    categories: Mapping[str, str]
    tags: tuple[str, ...]
    rotation: tuple[float, ...] | None
    size_cm: tuple[float, float, float]

    @property
    def name(self) -> str:
        return self.names["en"]

    @property
    def category(self) -> str:
        return self.categories["en"]

    @cached_property
    def icon(self) -> bytes:
        """The coloured icon's file (PNG with alpha)."""
        with ZipFile(self.container) as archive:
            return archive.read(self.icon_path)

    def extract(self, folder: Path) -> Path:
        """Unpack the OBJ with its materials and textures below `folder`; returns the OBJ's path.

        A second call finds the files and unpacks nothing.
        """
        home = folder / self.id
        model = home / PurePosixPath(self.path).name
        if not model.exists():
            unfinished = home.with_suffix(".tmp")
            shutil.rmtree(unfinished, ignore_errors=True)
            _folder_unpack(self.container, str(PurePosixPath(self.path).parent), unfinished)
            unfinished.rename(home)
        return model


def furniture_dev(
    folder: Path = FURNITURE, *, ids: Path = DEV_IDS, limit: int | None = None
) -> list[FurnitureModel]:
    """The models listed in `ids` (lines "container <tab> number <tab> path"), in its order."""
    catalogues: dict[str, dict[int, FurnitureModel]] = {}
    models = []
    for line in ids.read_text(encoding="utf-8").splitlines()[:limit]:
        container, number, path = line.split("\t")
        if container not in catalogues:
            catalogues[container] = _container_read(folder / container)
        model = catalogues[container][int(number)]
        if model.path != path:
            raise ValueError(f"{container} #{number} is {model.path}, the list says {path}")
        models.append(model)
    return models


def _container_read(container: Path) -> dict[int, FurnitureModel]:
    with ZipFile(container) as archive:
        catalogues = {
            match[1] or "en": _properties_parse(archive.read(name))
            for name in archive.namelist()
            if (match := re.fullmatch(rf"{CATALOGUE}(?:_(\w+))?\.properties", name))
        }
    english = catalogues["en"]
    numbers = [int(key[6:]) for key in english if key.startswith("model#")]
    return {number: _model_make(container, number, catalogues) for number in numbers}


def _model_make(
    container: Path, number: int, catalogues: Mapping[str, Mapping[str, str]]
) -> FurnitureModel:
    entry = catalogues["en"]

    def translated(key: str) -> dict[str, str]:
        values = {lang: texts.get(f"{key}#{number}", "") for lang, texts in catalogues.items()}
        return {lang: value for lang, value in values.items() if value}

    rotation = entry.get(f"modelRotation#{number}")
    tags = entry.get(f"tags#{number}", "").split(",")
    width, depth, height = (float(entry[f"{key}#{number}"]) for key in ("width", "depth", "height"))
    return FurnitureModel(
        id=f"{container.stem}-{number}",
        container=container,
        path=entry[f"model#{number}"].lstrip("/"),
        icon_path=entry[f"icon#{number}"].lstrip("/"),
        names=translated("name"),
        # Traditional Chinese categories carry a digit in front, for sorting only.
        categories={
            lang: text.lstrip("0123456789") for lang, text in translated("category").items()
        },
        tags=tuple(tag.strip() for tag in tags if tag.strip()),
        rotation=tuple(map(float, rotation.split())) if rotation else None,
        size_cm=(width, depth, height),
    )


def _properties_parse(data: bytes) -> dict[str, str]:
    """Java properties: Latin-1, backslash-u escapes, a backslash at a line's end joins the next."""
    text = re.sub(r"\\\r?\n\s*", "", data.decode("latin-1"))
    entries = {}
    for line in text.splitlines():
        match = re.fullmatch(r"\s*([^#!\s=:][^=:]*?)\s*[=:]\s*(.*?)\s*", line)
        if match:
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), match[2])
            entries[match[1]] = value.replace("\\", "")
    return entries


def _folder_unpack(container: Path, inside: str, target: Path) -> None:
    with ZipFile(container) as archive:
        for name in archive.namelist():
            relative = name.removeprefix(f"{inside}/")
            if relative == name or name.endswith("/"):
                continue
            place = (target / relative).resolve()
            if not place.is_relative_to(target.resolve()):
                raise ValueError(f"{container.name} holds an unsafe path: {name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(archive.read(name))


if __name__ == "__main__":
    found = furniture_dev()
    print(len(found), "models,", sum("zh_TW" in model.names for model in found), "named in Chinese")
    print(Counter(model.container.stem for model in found).most_common())
    print(Counter(model.category for model in found).most_common())

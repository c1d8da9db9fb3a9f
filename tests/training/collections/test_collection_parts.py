"""Parts of collections: which files are taken, what they are called, who may learn from them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.furniture import FurnitureModel
from catalog.families.registry import FAMILIES
from catalog.families.types import Phrases
from search.engine.text.fold import fold
from training.collections import furniture, kicad
from training.collections.held_out import HELD_OUT_FAMILIES
from training.collections.parts import part_of
from training.collections.types import split_of, unit_sphere


def test_a_name_is_in_one_split_however_it_is_written() -> None:
    assert split_of("Armchair") == split_of(" armchair ") == split_of("ARMCHAIR")
    shares = Counter(split_of(f"thing {i}") for i in range(5000))
    assert shares["train"] / 5000 == pytest.approx(0.46, abs=0.03)
    assert shares["validation"] / 5000 == pytest.approx(0.27, abs=0.03)


def test_splits_never_change() -> None:
    names = ("armchair", "vase", "helmet", "piano", "wall lamp")
    assert [split_of(name) for name in names] == [
        "validation",
        "validation",
        "test",
        "train",
        "validation",
    ]


@given(st.integers(0, 2**32 - 1))
def test_unit_sphere_centres_and_scales(seed: int) -> None:
    rng = np.random.default_rng(seed)
    triangles = rng.normal(size=(5, 3, 3)) * rng.uniform(1e-3, 1e3) + rng.normal(size=3) * 100
    corners = unit_sphere(triangles).reshape(-1, 3)
    assert np.linalg.norm(corners, axis=1).max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(corners.min(axis=0), -corners.max(axis=0), atol=1e-5)


@pytest.mark.parametrize("triangles", [np.empty((0, 3, 3)), np.ones((2, 3, 3))])
def test_unit_sphere_refuses_nothing(triangles: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"no triangles|one point"):
        unit_sphere(triangles)


def kicad_folder(root: Path, *names: str, folder: str = "Capacitor_SMD") -> Path:
    home = root / f"{folder}.3dshapes"
    home.mkdir()
    for name in names:
        text = "#VRML V2.0 utf8\npoint [0 0 0,2 0 0,0 2 0,0 0 2] coordIndex [0,1,2,-1,0,1,3,-1]"
        (home / f"{name}.wrl").write_text(text, encoding="utf-8")
    return root


def test_kicad_takes_a_few_of_every_kind(tmp_path: Path) -> None:
    rows = [f"C_{i:04d}_Metric" for i in range(30)]
    folder = kicad_folder(tmp_path, *rows, "CP_Elec_4x5.3", "C_Trimmer_Murata_TZB4-A")
    keys = [part.key for part in kicad.parts(folder, a_folder=6)]
    assert len(keys) == 6
    assert {"Capacitor_SMD/CP_Elec_4x5.3", "Capacitor_SMD/C_Trimmer_Murata_TZB4-A"} < set(keys)
    sizes = sorted(int(key[16:20]) for key in keys if key.endswith("Metric"))
    assert sizes[0] < 10 <= 20 <= sizes[-1]
    assert keys == [part.key for part in kicad.parts(folder, a_folder=6)]


def test_kicad_part_has_triangles_and_names_in_three_scripts(tmp_path: Path) -> None:
    (part,) = kicad.parts(kicad_folder(tmp_path, "CP_Elec_4x5.3"))
    assert part.triangles().shape == (2, 3, 3)
    assert part.name == part.captions.en[0].lower() == "smd electrolytic capacitor"
    assert "SMD capacitor" in part.captions.en
    assert "貼片電解電容" in part.captions.zh_hant
    assert "贴片电解电容" in part.captions.zh_hans


def test_kicad_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="apt-get install kicad-packages3d"):
        kicad.parts(tmp_path / "nowhere")


def test_every_kicad_row_names_a_thing_in_its_own_script() -> None:
    lines = kicad.NAMES.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert {len(row) for row in rows} == {5}
    assert len({tuple(row[:2]) for row in rows}) == len(rows)
    folders = {row[0] for row in rows}
    assert folders == {row[0] for row in rows if row[1] == "*"}
    for folder, files, *cells in rows:
        assert all(cell.strip() for cell in cells), (folder, files)
        assert cells[0].isascii()
        # Folding turns traditional characters into simplified ones and leaves these alone.
        assert fold(cells[2]) == cells[2].casefold(), (folder, files)


def furniture_model(**changes: object) -> FurnitureModel:
    facts: dict[str, object] = {
        "id": "Box-1",
        "container": Path("Box.sh3f"),
        "path": "a/a.obj",
        "icon_path": "a/a.png",
        "names": {"en": "Beer glass", "fr": "Chope", "vi": "Beer glass", "zh_TW": "啤酒杯"},
        "categories": {"en": "Kitchen", "zh_TW": "廚房"},
        "tags": ("Blend Swap", "Drink"),
        "rotation": None,
        "size_cm": (1.0, 1.0, 1.0),
    }
    return FurnitureModel(**(facts | changes))


def test_furniture_is_called_what_its_file_says(monkeypatch: pytest.MonkeyPatch) -> None:
    model = furniture_model(names=furniture_model().names | {"zh_CN": "Beer glass"})
    monkeypatch.setattr(furniture, "furniture_dev", lambda: [model])
    (part,) = furniture.parts()
    assert part.captions == Phrases(("beer glass", "beer glass, drink"), ("啤酒杯",), ())
    assert part.words.broader == Phrases(("kitchen",), ("廚房",), ())
    assert part.others == {"fr": "Chope"}
    assert part.words.tags == ("drink",)
    assert part.split == split_of("Beer glass")


def test_an_unknown_collection_is_refused() -> None:
    with pytest.raises(ValueError, match="no collection 'thingies'; there are furniture, kicad"):
        part_of("thingies", "1")


def test_held_out_families_are_one_in_ten_of_every_group() -> None:
    assert set(FAMILIES) >= HELD_OUT_FAMILIES
    assert len(HELD_OUT_FAMILIES) / len(FAMILIES) == pytest.approx(0.1, abs=0.01)
    groups = Counter(family.group for family in FAMILIES.values())
    held_out = Counter(FAMILIES[key].group for key in HELD_OUT_FAMILIES)
    for group, count in groups.items():
        assert 0.05 <= held_out[group] / count <= 0.15, group

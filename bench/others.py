"""Parts made by others, never used in training: does the encoder know them by class name?

Written with two libraries that have their own authors and style: bd_warehouse (Apache-2.0, parts
of CAD quality by build123d) and OpenSCAD's MCAD (LGPL-2.1). Both stay outside this project's
environment; any folder of STL files with a `classes.csv` (file,class_en,class_zh) is read alike.

    python -m venv others && others/bin/pip install bd_warehouse
    apt-get install openscad openscad-mcad
    others/bin/python -m bench.others bench/work/others    # resumable
"""

import argparse
import csv
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

CLASSES = "classes.csv"
NAMES = Path(__file__).parent / "data" / "others_names.tsv"
A_CLASS = 6
SECONDS = 120
Write = Callable[[Path], object]


@dataclass(frozen=True)
class OtherPart:
    """An STL file and its class in English and Traditional Chinese."""

    path: Path
    class_en: str
    class_zh: str


def others_read(folder: Path) -> list[OtherPart]:
    """The parts that `classes.csv` lists. OSError without it, KeyError for a lacking column."""
    with (folder / CLASSES).open(encoding="utf-8", newline="") as file:
        return [
            OtherPart(folder / row["file"], row["class_en"], row["class_zh"])
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class Recipe:
    """How one file is made; `kind` is a class of bench/data/others_names.tsv."""

    kind: str
    stem: str
    write: Write


# --- bd_warehouse --------------------------------------------------------------------------


def warehouse_recipes() -> Iterator[Recipe]:
    yield from _fasteners()
    yield from _bearings_and_rings()
    yield from _flanges_and_pipes()
    yield from _gears()
    yield from _profiles_and_plates()


def _solid(kind: str, make: Callable[..., Any], *args: object, **options: object) -> Recipe:
    def write(path: Path) -> None:
        from build123d import export_stl

        # Half a degree finer than the default: the views must not show a triangle on a curve.
        if not export_stl(make(*args, **options), path, tolerance=0.02, angular_tolerance=0.15):
            raise ValueError("build123d could not write it")

    words = "-".join(str(value) for value in (*args, *options.values()))
    safe = "".join(c if c.isalnum() or c in "-._" else "_" for c in words)
    return Recipe(kind, f"bd-{make.__name__.strip('_')}-{safe}", write)


def _spread(values: Sequence[Any], count: int) -> list[Any]:
    """`count` of them evenly, the first and the last among them."""
    if len(values) <= count:
        return list(values)
    return [values[round(i * (len(values) - 1) / (count - 1))] for i in range(count)]


def _sized(kind: str, made: Any, *, total: int = A_CLASS, **options: object) -> Iterator[Recipe]:
    """Sizes of every standard of a fastener, bearing or ring, small to large."""
    types = sorted(made.types())
    for standard in _spread(types, total):
        sizes = sorted(made.sizes(standard), key=lambda size: (len(size), size))
        for size in _spread(sizes, max(2, total // len(types))):
            yield _solid(kind, made, size, **options, **{_standard(made): standard})


def _standard(made: Any) -> str:
    return "bearing_type" if "Bearing" in made.__name__ else "fastener_type"


def _fasteners() -> Iterator[Recipe]:
    from bd_warehouse import fastener as f

    nuts = {
        "cap_nut": f.DomedCapNut,
        "heat_insert": f.HeatSetNut,
        "hex_nut": f.HexNut,
        "flange_nut": f.HexNutWithFlange,
        "square_nut": f.SquareNut,
    }
    washers = (
        ("washer", f.PlainWasher),
        ("washer", f.ChamferedWasher),
        ("tooth_washer", f.InternalToothLockWasher),
    )
    screws = (
        ("button_head", f.ButtonHeadScrew),
        ("button_head", f.ButtonHeadWithCollarScrew),
        ("cheese_head", f.CheeseHeadScrew),
        ("countersunk", f.CounterSunkScrew),
        ("raised_countersunk", f.RaisedCounterSunkOvalHeadScrew),
        ("hex_bolt", f.HexHeadScrew),
        ("flange_bolt", f.HexHeadWithFlangeScrew),
        ("pan_head", f.PanHeadScrew),
        ("pan_head", f.PanHeadWithCollarScrew),
        ("set_screw", f.SetScrew),
        ("shoulder_screw", f.ShoulderScrew),
        ("socket_cap", f.SocketHeadCapScrew),
    )
    for kind, made in (*nuts.items(), *washers):
        yield from _sized(kind, made)
    for kind, made in screws:
        for standard in sorted(made.types()):
            sizes = sorted(made.sizes(standard), key=lambda size: (len(size), size))
            for i, size in enumerate(_spread(sizes, 2)):
                yield _solid(kind, made, size, (12, 30)[i], fastener_type=standard)
        # One of each head with its thread cut, as a careful modeller would.
        yield _solid(kind, made, "M6-1", 20, simple=False)
    for diameter, pitch, length in ((6, 1, 40), (10, 1.5, 30), (20, 2.5, 100), (8, 1.25, 80)):
        yield _solid("threaded_rod", _rod, diameter, pitch, length)


def _rod(diameter: float, pitch: float, length: float) -> Any:
    from bd_warehouse.thread import IsoThread
    from build123d import Align, Compound, Cylinder

    made = IsoThread(diameter, pitch, length, end_finishes=("square", "square"))
    core = Cylinder(made.min_radius, length, align=(Align.CENTER, Align.CENTER, Align.MIN))
    # Side by side: the views cannot tell, and fusing a long thread takes minutes.
    return Compound([core, made])


def _bearings_and_rings() -> Iterator[Recipe]:
    from bd_warehouse import bearing as b
    from bd_warehouse.bushing import HexFlangedEccentricBushing
    from bd_warehouse.o_rings import ORing
    from bd_warehouse.retaining_ring import ExternalSnapRing, InternalSnapRing
    from bd_warehouse.shaft_key import ShaftKey

    yield from _sized("ball_bearing", b.SingleRowDeepGrooveBallBearing)
    yield from _sized("ball_bearing", b.SingleRowCappedDeepGrooveBallBearing)
    yield from _sized("angular_bearing", b.SingleRowAngularContactBallBearing)
    yield from _sized("roller_bearing", b.SingleRowCylindricalRollerBearing)
    yield from _sized("tapered_bearing", b.SingleRowTaperedRollerBearing)
    for size in ("008", "112", "214", "325", "440"):
        yield _solid("o_ring", ORing, size)
    for ring, size in product((ExternalSnapRing, InternalSnapRing), ("10", "25", "60")):
        yield _solid("retaining_ring", ring, size)
    for diameter, length, form in product((12, 30), (20, 50), "AB"):
        yield _solid("shaft_key", ShaftKey, diameter, length, form)
    for bore, body, length in ((5, 7.1, 8), (8, 14, 6), (6, 10, 20)):
        yield _solid("bushing", HexFlangedEccentricBushing, bore, body, length, 2, body + 4, 0.7)


def _flanges_and_pipes() -> Iterator[Recipe]:
    from bd_warehouse import flange as f

    flanges = {
        "blind_flange": f.BlindFlange,
        "lapped_flange": f.LappedFlange,
        "slip_on_flange": f.SlipOnFlange,
        "socket_weld_flange": f.SocketWeldFlange,
        "weld_neck_flange": f.WeldNeckFlange,
    }
    sizes = (("1", 150), ("2", 300), ("3", 150), ("1 1/2", 300), ("6", 150))
    for (kind, made), (nps, pressure) in product(flanges.items(), sizes):
        yield _solid(kind, made, nps, pressure)
    for nps, material, schedule in (
        ("1/2", "copper", "K"),
        ("2", "copper", "L"),
        ("4", "abs", "40"),
        ("3", "stainless", "10S"),
    ):
        yield _solid("pipe", _pipe, nps, material, schedule)


def _pipe(nps: str, material: str, schedule: str) -> Any:
    from bd_warehouse.pipe import Pipe
    from build123d import Edge

    return Pipe(nps, material, schedule, path=Edge.make_line((0, 0, 0), (0, 0, 150)))


def _gears() -> Iterator[Recipe]:
    from bd_warehouse import gear as g
    from bd_warehouse.sprocket import Sprocket

    for module, teeth, thickness in (
        (1, 12, 10),
        (2, 18, 8),
        (1.5, 32, 6),
        (1, 60, 5),
        (3, 24, 25),
    ):
        yield _solid("spur_gear", g.SpurGear, module, teeth, 20, thickness)
    for module, teeth, helix, thickness in ((1, 16, 20, 12), (2, 24, 30, 15), (1.5, 40, 15, 10)):
        yield _solid("helical_gear", g.HelicalGear, module, teeth, 20, helix, thickness)
    for module, teeth, thickness in ((1, 30, 8), (2, 15, 15), (3, 10, 10), (1, 12, 4)):
        yield _solid("rack", g.RackGear, module, teeth, 20, thickness)
    for module, starts, quotient, length in ((1, 1, 10, 30), (2, 2, 10, 40), (1.5, 1, 12, 25)):
        yield _solid("worm", g.Worm, module, starts, quotient, length)
    for module, teeth, thickness in ((1, 30, 8), (2, 24, 15), (1.5, 50, 12)):
        yield _solid("worm_wheel", g.WormWheel, module, teeth, thickness)
    for teeth, holes, bore in (
        (10, 0, 10.0),
        (16, 4, 20.0),
        (32, 4, 80.0),
        (45, 6, 25.0),
        (24, 0, 8),
    ):
        circle = bore + 30.0 if holes else 0.0
        hole = 6.0 if holes else 0.0
        yield _solid(
            "sprocket",
            Sprocket,
            teeth,
            bore_diameter=bore,
            num_mount_bolts=holes,
            mount_bolt_diameter=hole,
            bolt_circle_diameter=circle,
        )


def _profiles_and_plates() -> Iterator[Recipe]:
    from bd_warehouse import open_builds as o

    for size in ("20x20", "20x40", "20x80", "40x40"):
        yield _solid("slot_profile", o.VSlotLinearRail, size, 120)
    yield _solid("slot_profile", o.CBeamLinearRail, 200)
    for length in ("3mm", "10mm", "1-1/2in"):
        yield _solid("spacer", o.AluminumSpacer, length)
    yield _solid("spacer", o.SpacerBlock)
    for diameter in ("8mm", "1/4in"):
        yield _solid("coupling", o.FlexibleCoupler, diameter)
        yield _solid("shaft_collar", o.LockCollar, diameter)
    for plate in (o.CBeamGantryPlate, o.CBeamGantryPlateXLarge, o.CBeamRiserPlate, o.CBeamEndMount):
        yield _solid("plate", plate)
    yield _solid("bracket", o.LBracket)
    yield _solid("t_nut", o.TNut)
    yield _solid("v_wheel", o.XtremeSolidVWheel)
    for motor in ("Nema17", "Nema23", "Nema23HighTorque"):
        yield _solid("motor", o.StepperMotor, motor)


# --- OpenSCAD ------------------------------------------------------------------------------

GEARS = "use <MCAD/involute_gears.scad>\n"
METRIC = "use <MCAD/metric_fastners.scad>\n$fn=32;\n"
SCAD: dict[str, tuple[str, ...]] = {
    "spur_gear": (
        f"{GEARS}gear(number_of_teeth=17,circular_pitch=500,gear_thickness=5,rim_thickness=8,"
        "hub_thickness=10,bore_diameter=5,circles=4);",
        f"{GEARS}gear(number_of_teeth=36,circular_pitch=300,bore_diameter=8,hub_diameter=20);",
    ),
    "herringbone_gear": tuple(
        f"{GEARS}for (s=[0,1]) mirror([0,0,s]) gear(number_of_teeth={teeth},circular_pitch=400,"
        f"gear_thickness={half},rim_thickness={half},hub_thickness={half},bore_diameter=6,"
        f"twist={200 / teeth});"
        for teeth, half in ((14, 8), (24, 6), (40, 10))
    ),
    "bevel_gear": tuple(
        f"{GEARS}bevel_gear(number_of_teeth={teeth},cone_angle={cone},face_width={face},"
        "outside_circular_pitch=600,bore_diameter=5);"
        for teeth, cone, face in ((11, 45, 10), (15, 45, 14), (24, 60, 12), (20, 30, 16))
    ),
    "ball_bearing": tuple(
        f"include <MCAD/bearing.scad>\nbearing(model={model});" for model in (608, 623, 688)
    ),
    "motor": tuple(
        f"include <MCAD/stepper.scad>\nmotor(model=Nema{size},size={length});"
        for size, length in ((11, "NemaShort"), (17, "NemaMedium"), (23, "NemaLong"))
    ),
    "servo": (
        "use <MCAD/servos.scad>\nfutabas3003([0,0,0],[0,0,0]);",
        "use <MCAD/servos.scad>\nalignds420([0,0,0],[0,0,0],screws=1,axle_lenght=10);",
    ),
    "socket_cap": tuple(f"{METRIC}cap_bolt({d},{n});" for d, n in ((4, 12), (8, 40))),
    "countersunk": tuple(f"{METRIC}csk_bolt({d},{n});" for d, n in ((4, 12), (8, 40))),
    "hex_bolt": tuple(f"{METRIC}bolt({d},{n});" for d, n in ((5, 12), (10, 50))),
    "hex_nut": tuple(f"{METRIC}flat_nut({d});" for d in (3, 8)),
    "washer": tuple(f"{METRIC}washer({d});" for d in (3, 8)),
    "auger": tuple(
        f"use <MCAD/screw.scad>\nauger({pitch},{length},{outer},{inner});"
        for pitch, length, outer, inner in ((40, 80, 25, 5), (20, 120, 20, 6), (15, 60, 30, 8))
    ),
    "brick": tuple(
        f"use <MCAD/lego_compatibility.scad>\nblock({w},{n},{h});"
        for w, n, h in ((2, 4, 1), (1, 2, 1), (2, 2, 1 / 3), (4, 6, 1), (1, 6, 1 / 3))
    ),
    "candle_holder": tuple(
        "include </usr/share/openscad/examples/Parametric/candleStand.scad>\n"
        f"count={count};length={length};$fn=24;"
        for count, length in ((7, 50), (4, 30), (10, 70))
    ),
}


def scad_recipes() -> Iterator[Recipe]:
    for kind, scripts in SCAD.items():
        for number, script in enumerate(scripts):
            yield Recipe(kind, f"scad-{kind}-{number}", _scad_writer(script))


def _scad_writer(script: str) -> Write:
    def write(path: Path) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".scad") as source:
            source.write(script)
            source.flush()
            command = ["openscad", "-q", "-o", str(path), source.name]
            done = subprocess.run(command, timeout=SECONDS, capture_output=True, text=True)
        if done.returncode or not path.exists():
            raise ValueError(done.stderr.strip().splitlines()[-1:])

    return write


# --- the folder ----------------------------------------------------------------------------


def others_write(folder: Path, recipes: Sequence[Recipe]) -> list[Recipe]:
    """Write what is not there yet, then the list. Returns the recipes that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for recipe in recipes:
        path = folder / f"{recipe.stem}.stl"
        if path.exists():
            continue
        try:
            unfinished = path.with_suffix(".part.stl")
            recipe.write(unfinished)
            unfinished.rename(path)
        except Exception as error:  # a size that a library cannot make is left out
            print(f"{recipe.stem}: {error!r:.200}", flush=True)
            failed.append(recipe)
    _list_write(folder, recipes)
    return failed


def _list_write(folder: Path, recipes: Sequence[Recipe]) -> None:
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    names = dict(line.split("\t", 1) for line in lines if not line.startswith("#"))
    with (folder / CLASSES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "class_en", "class_zh"))
        for recipe in recipes:
            if (folder / f"{recipe.stem}.stl").exists():
                writer.writerow((f"{recipe.stem}.stl", *names[recipe.kind].split("\t")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    recipes = [*scad_recipes(), *warehouse_recipes()]
    failed = others_write(folder, recipes)
    print(f"{len(recipes) - len(failed)} parts of {len({r.kind for r in recipes})} classes")


if __name__ == "__main__":
    main()

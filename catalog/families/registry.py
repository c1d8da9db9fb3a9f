"""All the families there are, by key."""

from types import ModuleType

from catalog.families import (
    bearings,
    brackets,
    chess,
    clamps,
    containers,
    fasteners,
    flanges,
    furniture,
    gears,
    hardware,
    household,
    housings,
    jewelry_ears,
    jewelry_other,
    jewelry_pendants,
    jewelry_rings,
    jewelry_statement,
    jewelry_wrist,
    nuts,
    pins,
    piping,
    pulleys,
    rotors,
    screws,
    sections,
    shafts,
    springs,
    stands,
    tableware,
    toys,
    valves,
)
from catalog.families.types import Family

MODULES: tuple[ModuleType, ...] = (
    jewelry_rings,
    jewelry_statement,
    jewelry_pendants,
    jewelry_ears,
    jewelry_wrist,
    jewelry_other,
    fasteners,
    screws,
    nuts,
    pins,
    gears,
    pulleys,
    shafts,
    springs,
    rotors,
    bearings,
    brackets,
    sections,
    housings,
    hardware,
    clamps,
    flanges,
    piping,
    valves,
    tableware,
    containers,
    stands,
    household,
    chess,
    toys,
    furniture,
)

FAMILIES: dict[str, Family] = {
    thing.key: thing
    for module in MODULES
    for thing in vars(module).values()
    if isinstance(thing, Family)
}

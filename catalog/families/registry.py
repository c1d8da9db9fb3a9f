"""All the families there are, by key."""

from types import ModuleType

from catalog.families import (
    bearings,
    brackets,
    drive,
    fasteners,
    furniture,
    gears,
    hardware,
    housings,
    jewelry_other,
    jewelry_pendants,
    jewelry_rings,
    nuts,
    pins,
    piping,
    rotors,
    screws,
    sections,
    tableware,
    valves,
)
from catalog.families.types import Family

MODULES: tuple[ModuleType, ...] = (
    jewelry_rings,
    jewelry_pendants,
    jewelry_other,
    fasteners,
    screws,
    nuts,
    pins,
    gears,
    drive,
    rotors,
    bearings,
    brackets,
    sections,
    housings,
    hardware,
    piping,
    valves,
    tableware,
    furniture,
)

FAMILIES: dict[str, Family] = {
    thing.key: thing
    for module in MODULES
    for thing in vars(module).values()
    if isinstance(thing, Family)
}

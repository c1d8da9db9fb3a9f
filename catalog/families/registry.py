"""All the families there are, by key."""

from types import ModuleType

from catalog.families import (
    bearings,
    fasteners,
    furniture,
    gears,
    jewelry_other,
    jewelry_pendants,
    jewelry_rings,
    nuts,
    pins,
    screws,
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
    bearings,
    furniture,
)

FAMILIES: dict[str, Family] = {
    thing.key: thing
    for module in MODULES
    for thing in vars(module).values()
    if isinstance(thing, Family)
}

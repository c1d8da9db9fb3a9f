"""Measure the mesh: size, volume, area, soundness, and what stays the same however it is turned."""

from catalog.models import Part
from search.engine.mesh.facts import facts_measure
from workers.work import Work


def recipe() -> str:
    return "facts-1"


def run(work: Work) -> None:
    from search.engine.shape.invariants import invariants_measure

    mesh, part = work.mesh, work.part
    facts = facts_measure(mesh)
    # A 3MF file says its unit and was read in millimetres; an STL cannot say.
    known = mesh.format in {"3mf", "step"}
    unit = Part.Unit.MILLIMETRE if known else Part.Unit(part.unit)
    mm = Part.UNIT_MM[unit]
    work.save(
        mesh_format=mesh.format,
        unit=unit,
        unit_assumed=part.unit_assumed and not known,
        size_x=facts.bbox_mm[0] * mm,
        size_y=facts.bbox_mm[1] * mm,
        size_z=facts.bbox_mm[2] * mm,
        volume_mm3=facts.volume_mm3 * mm**3,
        area_mm2=facts.area_mm2 * mm**2,
        centroid_mm=[value * mm for value in facts.centroid_mm],
        watertight=facts.watertight,
        components=facts.components,
        triangles=facts.triangle_count,
        invariants=invariants_measure(mesh).to_json(),
    )

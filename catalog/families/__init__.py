"""Families of parts made by code: jewelry, fasteners, transmission, piping, structure, everyday.

A family is a parametric solid with its words in three scripts. `registry.FAMILIES` holds them
all; `types.family_sample(family, seed)` draws one part with its captions; `demo.demo_parts()`
is the demo catalogue. New families go into the module of their group: a function decorated
with that module's partial of `types.family`, whose parameters appear in its signature.

    solids, profiles, gems   the toolkit: meshes, outlines, stones
    words                    categories, values of parameters, adjectives
    types                    Family, parameters, samples, captions
    jewelry_* fasteners ...  the families, by group
    demo                     the demo catalogue's list

Pure numbers: no Django, no files, no network; the same seed gives the same part anywhere.
"""

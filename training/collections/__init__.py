"""Real parts that words are learned from, made by others and read where they are installed.

types       CollectionPart: what every collection hands out
furniture   the development models of Debian's sweethome3d-furniture, split by name
kicad       electronic parts of Debian's kicad-packages3d
parts       a part by its collection's name and its key
held_out    families made by code that training leaves out
"""

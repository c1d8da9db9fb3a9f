"""STL to STL: an embedding of the surface (descriptor) and exact comparisons of two (relation)."""

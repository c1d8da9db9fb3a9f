"""Meshes become pictures and maps: our own z-buffer rasteriser, no GL and no system library."""

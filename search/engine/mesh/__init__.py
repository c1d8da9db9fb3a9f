"""Meshes: from an untrusted file to triangles, their facts and a light copy for the browser.

This room knows file formats, limits and geometry. It must not know parts, settings or pictures.
Files are only ever parsed in a child process (`load.mesh_load`).
"""

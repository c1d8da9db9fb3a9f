"""Meshes, pictures and parts that tests make by code."""

"""Queries encoded by a worker: the asking side, the answering side, what goes between."""

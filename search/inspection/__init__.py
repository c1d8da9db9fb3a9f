"""Photos of produced pieces against parts: asked, judged by workers, kept, decided by people.

The seeing is in `search/engine/qc/`; here are its rows, files, doors and sentences.
"""

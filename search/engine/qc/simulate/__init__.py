"""Produced pieces and photos of them that never were: what verdicts are calibrated with."""

"""Where training keeps its files: nothing in `work/` is committed, `data/` is."""

from pathlib import Path

WORK = Path(__file__).parent / "work"
DATA = Path(__file__).parent / "data"
MODELS = Path(__file__).parents[1] / "models"

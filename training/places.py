"""Where training keeps its files: nothing in `work/` is committed, `data/` is."""

from pathlib import Path

WORK = Path(__file__).parent / "work"
DATA = Path(__file__).parent / "data"
MODELS = Path(__file__).parents[1] / "models"


def judged_folder(fold: str) -> Path:
    """The encoder's files made without what the fold keeps out, as the product would read them."""
    return WORK / f"models-{fold}"

"""Numbers as JSON keeps them."""

import math
from typing import Any


def json_floats(values: Any) -> Any:
    """Arrays as lists, floats to six places, what is infinite or no number as None."""
    if isinstance(values, dict):
        return {str(key): json_floats(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [json_floats(value) for value in values]
    if hasattr(values, "tolist"):
        return json_floats(values.tolist())
    if isinstance(values, float):
        return round(values, 6) if math.isfinite(values) else None
    return values

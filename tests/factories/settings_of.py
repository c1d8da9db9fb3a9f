"""What the product's settings say in the environment as it is now, read in another process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def settings_of(name: str, **environment: str) -> Any:
    """One setting that can be said in JSON. Raises RuntimeError with the start's own words."""
    code = (
        "import json, sys; from stlcatalog import settings; "
        f"json.dump(getattr(settings, {name!r}), sys.stdout, default=str)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)

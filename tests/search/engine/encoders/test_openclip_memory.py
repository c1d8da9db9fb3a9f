"""A network leaves the memory when nobody has used it for a while, and comes back when asked."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from search.engine.encoders.resident import Resident

ROOT = Path(__file__).resolve().parents[4]


def test_it_is_loaded_once_and_let_go_when_idle() -> None:
    loads, freed = [], []
    held = Resident(lambda: loads.append(1) or object(), idle_s=0.2, freed=lambda: freed.append(1))
    with held.use() as first, held.use() as second:
        assert first is second
        time.sleep(0.5)
        assert held.is_loaded  # in use for longer than it may be idle
        assert not held.unload()
    del first, second
    until = time.monotonic() + 5
    while held.is_loaded and time.monotonic() < until:
        time.sleep(0.02)
    assert held.unload()  # waits for who is letting go
    assert freed == [1]
    with held.use():
        pass
    assert loads == [1, 1]


def test_each_use_puts_the_end_off() -> None:
    loads = []
    held = Resident(lambda: loads.append(1) or object(), idle_s=2)
    begun = time.monotonic()
    while time.monotonic() < begun + 2.5:
        with held.use():
            pass
        time.sleep(0.1)
        assert held.is_loaded
    assert loads == [1]


def test_without_a_limit_it_stays() -> None:
    held = Resident(object)
    threads = threading.active_count()
    with held.use():
        pass
    assert threading.active_count() == threads
    assert held.is_loaded
    assert held.unload()
    assert not held.is_loaded


def test_a_load_that_fails_may_succeed_later() -> None:
    answers = iter([OSError("no"), "loaded"])

    def load() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    held = Resident(load, idle_s=10)
    with pytest.raises(OSError, match="no"), held.use():
        pass
    with held.use() as found:
        assert found == "loaded"


@pytest.mark.clip
def test_the_memory_is_really_given_back(tmp_path) -> None:
    """By what the system says a process of its own holds (Linux)."""
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    script = f"""
import sys, time
from pathlib import Path
import numpy as np
sys.path.insert(0, {str(ROOT)!r})
from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.encoders.openclip_files import Source
from search.engine.encoders.running import Wanted, probe_pictures
from tests.factories.networks import SMALL, clip_folder

def held_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

here = Path({str(tmp_path)!r})
wide = SMALL | {{"text_cfg": SMALL["text_cfg"] | {{"width": 1024, "heads": 8, "layers": 2}}}}
clip_folder(here / "wide", network=wide)  # 300 MB in fp32
encoder = OpenClipEncoder(
    Source("clip", here / "f", here / "n", checkpoint=here / "wide"),
    folder=here / "s", wanted=Wanted("cpu", "fp32", "torch"), idle_s=0.5,
)
encoder.texts_embed(["a"])
encoder.unload()
before = held_mb()
first = encoder.texts_embed(["ring"])
loaded = held_mb()
while encoder.is_loaded:
    time.sleep(0.05)
encoder.unload()  # waits for who is letting go
after = held_mb()
assert np.allclose(encoder.texts_embed(["ring"]), first, atol=1e-6)
print(loaded - before, after - before)
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=250, cwd=ROOT
    )
    assert run.returncode == 0, run.stderr
    grown, left = map(float, run.stdout.split()[-2:])
    assert grown > 150
    assert left < grown / 4

"""The parser server: caps that hold, a caller that survives, nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from search.engine.errors import MeshError
from search.engine.mesh.client import ParserClient
from search.engine.mesh.types import DEFAULT_LIMITS, MeshLimits
from tests.factories import meshes

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


# OBJ lines that take a reader a microsecond each and make nothing.
POINTS = b"v 1 2 3\nf 1 1 1\n"


@pytest.fixture
def client():
    client = ParserClient()
    yield client
    client.close()


@pytest.fixture
def box(tmp_path):
    path = tmp_path / "box.stl"
    path.write_bytes(meshes.stl_binary(meshes.box()))
    return path


def parse(client, path, format="stl-binary", limits=DEFAULT_LIMITS):
    with path.open("rb") as source:
        return client.parse(source, format=format, limits=limits)


def server_of(client):
    """The process id of the client's server."""
    return client._process.pid


def descendants(pid):
    """Processes below `pid`, by /proc."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def slow(tmp_path):
    """An OBJ that keeps its reader busy for a while."""
    path = tmp_path / "slow.obj"
    path.write_bytes(POINTS * 200_000)
    return path


def test_one_server_serves_many_files(client, box):
    parse(client, box)
    first = server_of(client)
    assert len(parse(client, box).triangles) == 12
    assert server_of(client) == first


def test_memory_cap(client, tmp_path):
    path = tmp_path / "big.stl"
    path.write_bytes(meshes.stl_binary(meshes.grid(500)))
    with pytest.raises(MeshError) as caught:
        parse(client, path, limits=MeshLimits(memory_mb=120))
    assert caught.value.code == "too_much_memory"
    assert caught.value.params == {"limit_mb": 120}
    assert len(parse(client, path).triangles) == 500_000


@pytest.mark.parametrize("limits", [MeshLimits(cpu_s=1), MeshLimits(wall_s=1)])
def test_time_caps(client, tmp_path, box, limits):
    path = tmp_path / "endless.obj"
    path.write_bytes(POINTS * 1_500_000)
    with pytest.raises(MeshError) as caught:
        parse(client, path, format="obj", limits=limits)
    assert caught.value.code == "took_too_long"
    assert caught.value.params == {"cpu_s": limits.cpu_s, "wall_s": limits.wall_s}
    assert len(parse(client, box).triangles) == 12


@linux_only
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, "too_much_memory"), (signal.SIGSEGV, "parser_died")],
)
def test_a_child_that_is_killed_hurts_nobody(client, slow, box, number, code):
    caught = []

    def load_slowly():
        try:
            parse(client, slow, format="obj")
        except MeshError as error:
            caught.append(error.code)

    parse(client, box)
    thread = threading.Thread(target=load_slowly)
    thread.start()
    wait_until(lambda: descendants(server_of(client)))
    os.kill(descendants(server_of(client))[0], number)
    thread.join(20)
    assert caught == [code]
    assert len(parse(client, box).triangles) == 12


def test_a_killed_server_is_replaced(client, box):
    parse(client, box)
    before = server_of(client)
    os.kill(before, signal.SIGKILL)
    assert len(parse(client, box).triangles) == 12
    assert server_of(client) != before


@linux_only
def test_a_server_killed_while_parsing_takes_its_child_along_and_the_file_is_tried_again(
    client, slow, box
):
    parse(client, box)
    before = server_of(client)
    outcome = []

    def load_slowly():
        try:
            parse(client, slow, format="obj", limits=MeshLimits(cpu_s=30))
        except MeshError as error:
            outcome.append(error.code)

    thread = threading.Thread(target=load_slowly)
    thread.start()
    wait_until(lambda: descendants(before))
    orphan = descendants(before)[0]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not is_running(orphan))
    thread.join(60)
    # The second server read the file to its end: every face of it is a point.
    assert outcome == ["all_degenerate"]
    assert server_of(client) != before


def test_many_threads_at_once(client, tmp_path):
    paths = []
    for number in range(1, 7):
        path = tmp_path / f"{number}.stl"
        path.write_bytes(meshes.stl_binary(meshes.box((number, 1, 1))))
        paths.append(path)
    wrong = []

    def work(seed):
        for at in np.random.default_rng(seed).integers(0, 6, 15):
            x, y, z = np.ptp(parse(client, paths[at]).points_restore().reshape(-1, 3), axis=0)
            if not np.allclose((x, y, z), (at + 1, 1, 1)):
                wrong.append((at, x, y, z))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_after_a_fork_the_child_has_a_server_of_its_own(client, box):
    parse(client, box)
    parents = server_of(client)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            mesh = parse(client, box)
            status = 0 if len(mesh.triangles) == 12 and server_of(client) != parents else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert server_of(client) == parents
    assert len(parse(client, box).triangles) == 12


_CALLER = """
import os, sys, time
from pathlib import Path
from search.engine.mesh.load import _client, mesh_load
mesh_load(Path(sys.argv[1]))
print(_client._process.pid, flush=True)
time.sleep(float(sys.argv[2]))
"""


@linux_only
@pytest.mark.parametrize("kill", [True, False])
def test_the_server_ends_with_its_caller_even_a_killed_one(box, kill):
    root = Path(__file__).parents[4]
    caller = subprocess.Popen(
        [sys.executable, "-c", _CALLER, str(box), "60" if kill else "0"],
        stdout=subprocess.PIPE,
        cwd=root,
    )
    server = int(caller.stdout.readline())
    if kill:
        assert is_running(server)
        caller.kill()
    caller.wait(20)
    caller.stdout.close()
    wait_until(lambda: not is_running(server))


@linux_only
def test_descriptors_and_files_do_not_pile_up(client, box, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    parse(client, box)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count of links, not of paths
    server_before = len(os.listdir(f"/proc/{server_of(client)}/fd"))  # noqa: PTH208
    for _ in range(20):
        parse(client, box)
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
    assert len(os.listdir(f"/proc/{server_of(client)}/fd")) == server_before  # noqa: PTH208
    assert descendants(server_of(client)) == []
    assert [path.name for path in tmp_path.iterdir()] == ["box.stl"]


@linux_only
def test_the_server_does_not_see_the_callers_secrets(client, box, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    parse(client, box)
    seen = Path(f"/proc/{server_of(client)}/environ").read_bytes()
    assert b"SECRET_KEY" not in seen
    assert b"OMP_NUM_THREADS=1" in seen


def test_parsing_costs_little_over_the_parse_itself(client, box):
    parse(client, box)
    times = []
    for _ in range(15):
        began = time.perf_counter()
        parse(client, box)
        times.append(time.perf_counter() - began)
    # Alone on a core it is 4 ms; the bound leaves room for a busy machine.
    assert min(times) < 0.05

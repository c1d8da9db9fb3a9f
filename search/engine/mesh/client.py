"""The caller's side of the parser server: start it when needed, send it files, outlive it.

One client a process, for all its threads; after a fork the child process begins with none.
"""

import json
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.mesh.types import Mesh, MeshLimits, took_too_long

_ROOT = Path(__file__).resolve().parents[3]
_SERVER = "search.engine.mesh.server"

# The caller's secrets are in its environment: a process that reads strangers' files gets none.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

# A fork is safe and cheap only while no numeric library has threads.
_ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    )
}

# Beyond the wall-clock cap, which the child's own timer keeps, only a hung server is this late.
_PATIENCE_S = 15.0
_GOODBYE_S = 5.0


class _ServerGone(Exception):
    """The server ended before it answered."""


def _output_open() -> BinaryIO:
    """A file without a name, in memory where the system can (Linux)."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("mesh"), "r+b")
    return tempfile.TemporaryFile()


def _triangles_map(output: BinaryIO, count: int) -> NDArray[np.float32]:
    """(count, 3, 3) mapped, not copied; private, so the array is an ordinary writable one."""
    size = count * 36
    if os.fstat(output.fileno()).st_size != size:
        raise MeshError("parser_died", "The reader's triangles did not arrive whole.", signal=0)
    pages = mmap.mmap(output.fileno(), size, flags=mmap.MAP_PRIVATE)
    return np.frombuffer(pages, dtype=np.float32).reshape(count, 3, 3)


class ParserClient:
    """Thread-safe. The server starts at the first file and again whenever it is found dead."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forked)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def _forked(self) -> None:
        """The server belongs to the parent: close the copied line, or it would outlive the parent;
        and never wait for a process that is not ours. The lock may be held by a lost thread."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.returncode = 0
        self._forget()

    def _ensure(self) -> socket.socket:
        """The line to a running server. Under the lock."""
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self._stop()
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _SERVER],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=environment | _ONE_THREAD | {"PYTHONPATH": str(_ROOT)},
                # Ctrl-C is for the caller, who may want to finish what it began.
                start_new_session=True,
            )
        self._control = ours
        return ours

    def _stop(self, *, kill: bool = False) -> None:
        """End the server. Under the lock."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            if kill:
                self._process.kill()
            try:
                self._process.wait(_GOODBYE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def close(self) -> None:
        """Hang up and wait for the server to end, which it does at once."""
        with self._lock:
            self._stop()

    def _ask(self, request: bytes, descriptors: list[int], limits: MeshLimits) -> dict[str, Any]:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs, self._lock:
                control = self._ensure()
                try:
                    socket.send_fds(control, [request], [*descriptors, theirs.fileno()])
                except OSError as error:
                    self._stop(kill=True)
                    raise _ServerGone from error
            ours.settimeout(limits.wall_s + _PATIENCE_S)
            pieces = []
            try:
                while piece := ours.recv(1 << 16):
                    pieces.append(piece)
            except TimeoutError:
                self._kill(control)
                raise took_too_long(limits) from None
            except ConnectionError:
                pieces.clear()
        if not pieces:
            self._kill(control)
            raise _ServerGone
        answer: dict[str, Any] = json.loads(b"".join(pieces))
        return answer

    def _kill(self, control: socket.socket) -> None:
        with self._lock:
            # Another thread may have replaced the hung server already.
            if self._control is control:
                self._stop(kill=True)

    def parse(self, source: BinaryIO, *, format: str, limits: MeshLimits) -> Mesh:
        """Parse an open file in a child of the server. Raises MeshError."""
        request = json.dumps({"format": format, "limits": asdict(limits)}).encode()
        with _output_open() as output:
            descriptors = [source.fileno(), output.fileno()]
            answer = _twice(lambda: self._ask(request, descriptors, limits))
            if error := answer.get("error"):
                raise MeshError(error["code"], error["sentence"], **error["params"])
            return Mesh(
                triangles=_triangles_map(output, answer["count"]),
                centre=np.array(answer["centre"], dtype=np.float64),
                scale=answer["scale"],
                format=answer["format"],
            )


def _twice(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Once more after the server died: whatever ended it, this file is parsed in a child only."""
    try:
        return ask()
    except _ServerGone:
        try:
            return ask()
        except _ServerGone as error:
            raise MeshError("parser_died", "The reader of files died twice.", signal=0) from error

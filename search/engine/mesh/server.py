"""The parser server: `python -m search.engine.mesh.server`, started by `client.ParserClient`.

One server a calling process, with the libraries loaded and one thread, so that a fork is cheap and
safe. A walk:
1. The caller sends one JSON line over the server's stdin (a socket) with three descriptors:
   the file to read, an unnamed file for the triangles, a socket for the answer.
2. The server forks. The child keeps the two files and a pipe, closes all else, lowers its limits,
   parses, writes the triangles and one JSON line into the pipe, and ends.
3. When the pipe closes, the server reaps the child and sends the caller the line, or how it died.
4. At the end of stdin (the caller has gone) the server kills what still runs and ends.
No name is ever given to a temporary file, so none can be left behind.
"""

import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field
from typing import Any, NoReturn

from search.engine.errors import MeshError
from search.engine.mesh.parse import file_parse, reader_choose
from search.engine.mesh.types import Mesh, MeshLimits, too_much_memory, took_too_long

REQUEST_BYTES = 4096
_ANSWER_BYTES = 1 << 16
_TRIANGLE_BYTES = 36
_PR_SET_PDEATHSIG = 1


@dataclass
class _Child:
    pid: int
    reply: socket.socket
    answer: bytearray = field(default_factory=bytearray)


# --- in the child -----------------------------------------------------------------------------


def _limits_lower(limits: MeshLimits) -> None:
    """Caps that the kernel keeps, whatever library is running.

    macOS refuses RLIMIT_AS; there the triangle, time and output caps remain.
    """
    memory = limits.memory_mb << 20
    caps = {
        resource.RLIMIT_CPU: (limits.cpu_s, limits.cpu_s + 1),
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_FSIZE: (limits.triangles * _TRIANGLE_BYTES,) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, cap in caps.items():
        try:
            resource.setrlimit(kind, cap)
        except (ValueError, OSError):
            if kind != resource.RLIMIT_AS or sys.platform == "linux":
                raise
    # Nobody handles SIGALRM: the kernel ends the child even inside a library's loop.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s)


def _descriptors_close(others: list[int]) -> None:
    """A child that held its siblings' sockets would hide the server's death from their callers."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(quiet, standard)
    for descriptor in others:
        os.close(descriptor)


def _mesh_answer(mesh: Mesh) -> dict[str, Any]:
    return {
        "count": len(mesh.triangles),
        "centre": mesh.centre.tolist(),
        "scale": mesh.scale,
        "format": mesh.format,
    }


def _error_answer(error: MeshError) -> dict[str, Any]:
    """Cut to a size that one write into a pipe takes: a sentence may quote the file."""
    short = {k: v[:200] if isinstance(v, str) else v for k, v in error.params.items()}
    return {"error": {"code": error.code, "sentence": str(error)[:500], "params": short}}


def _child_run(
    source: int, output: int, pipe: int, *, format: str, limits: MeshLimits, others: list[int]
) -> NoReturn:
    """Parse and answer. Leaves by os._exit: nothing of the server's may be flushed or closed."""
    status = 1
    try:
        if sys.platform == "linux":
            # A server killed outright takes its children with it.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _descriptors_close(others)
        _limits_lower(limits)
        try:
            with os.fdopen(source, "rb") as stream:
                mesh = file_parse(stream, format=format, limits=limits)
            with os.fdopen(output, "wb") as target:
                target.write(mesh.triangles.data.cast("B"))
            answer = _mesh_answer(mesh)
        except MeshError as error:
            answer = _error_answer(error)
        except MemoryError:
            answer = _error_answer(too_much_memory(limits))
        os.write(pipe, json.dumps(answer).encode())
        status = 0
    finally:
        os._exit(status)


# --- in the server ----------------------------------------------------------------------------


def _death_answer(status: int, limits: MeshLimits) -> dict[str, Any]:
    """What to tell the caller of a child that ended without an answer."""
    killer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if killer in (signal.SIGXCPU, signal.SIGALRM):
        return _error_answer(took_too_long(limits))
    if killer == signal.SIGKILL:
        # Nobody of ours sends it to a child that still has a caller: the kernel ran out of memory.
        return _error_answer(too_much_memory(limits))
    crash = MeshError("parser_died", "Reading the file crashed its reader.", signal=killer)
    return _error_answer(crash)


class _Server:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._children: dict[int, tuple[_Child, MeshLimits]] = {}

    def serve(self) -> None:
        """Until the caller hangs up."""
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._control.fileno():
                    if not self._request_take():
                        self._children_kill()
                        return
                else:
                    self._pipe_read(key.fd)

    def _request_take(self) -> bool:
        line, descriptors, _, _ = socket.recv_fds(self._control, REQUEST_BYTES, 3)
        if not line:
            return False
        request = json.loads(line)
        limits = MeshLimits(**request["limits"])
        source, output, reply = descriptors
        reader_choose(request["format"], limits)
        ours, theirs = os.pipe()
        others = [ours, reply, self._control.fileno(), *self._children]
        others += [child.reply.fileno() for child, _ in self._children.values()]
        pid = os.fork()
        if pid == 0:
            _child_run(
                source, output, theirs, format=request["format"], limits=limits, others=others
            )
        for descriptor in (source, output, theirs):
            os.close(descriptor)
        self._children[ours] = (_Child(pid, socket.socket(fileno=reply)), limits)
        self._selector.register(ours, selectors.EVENT_READ)
        return True

    def _pipe_read(self, pipe: int) -> None:
        child, limits = self._children[pipe]
        if (piece := os.read(pipe, _ANSWER_BYTES)) and len(child.answer) < _ANSWER_BYTES:
            child.answer += piece
            return
        self._selector.unregister(pipe)
        os.close(pipe)
        del self._children[pipe]
        _, status = os.waitpid(child.pid, 0)
        answer = bytes(child.answer)
        if status != 0 or not answer:
            answer = json.dumps(_death_answer(status, limits)).encode()
        with child.reply:
            try:
                child.reply.sendall(answer)
            except OSError:
                # The caller has stopped waiting; the next request does not care.
                return

    def _children_kill(self) -> None:
        for child, _ in self._children.values():
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)


def main() -> None:
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as control:
        _Server(control).serve()


if __name__ == "__main__":
    main()

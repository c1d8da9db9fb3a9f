"""The room's main door: a path in, a mesh out, the file parsed elsewhere."""

import atexit
from pathlib import Path

from search.engine.mesh.client import ParserClient
from search.engine.mesh.sniff import HEAD_BYTES, format_sniff
from search.engine.mesh.types import DEFAULT_LIMITS, Mesh, MeshLimits

# A process has one parser server, as it has one memory: started by the first file, ended with it.
_client = ParserClient()
atexit.register(_client.close)


def mesh_load(
    path: Path, *, suffix: str | None = None, limits: MeshLimits = DEFAULT_LIMITS
) -> Mesh:
    """Load a file of any supported format.

    `suffix` (like ".stl") stands in for the name's. The file is parsed in a child process under
    `limits`; this process only reads its first bytes. From any thread, before or after a fork.
    Raises MeshError with one of: empty_file, not_a_mesh, unknown_format, truncated, malformed,
    no_triangles, bad_numbers, all_degenerate, too_many_triangles, too_much_memory, took_too_long,
    archive_unsafe, outside_reference, needs_extra, parser_died. OSError when the path is not
    readable.
    """
    with path.open("rb") as source:
        head = source.read(HEAD_BYTES)
        size = source.seek(0, 2)
        name = path.name if suffix is None else f"mesh{suffix}"
        format = format_sniff(head, name, size)
        return _client.parse(source, format=format, limits=limits)

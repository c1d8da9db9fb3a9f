"""What the steps of one part share, so that nothing is read, parsed or drawn twice in one run."""

from contextlib import ExitStack
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from catalog.files import local_path
from catalog.models import Part
from search import engines

if TYPE_CHECKING:
    from search.encode import Views
    from search.engine.mesh.types import Mesh


class Work:
    """One part on the bench: its mesh and its views, made when a step first asks for them."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._open = ExitStack()

    def __enter__(self) -> "Work":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @cached_property
    def mesh(self) -> "Mesh":
        """The file, parsed in the child process. Raises `MeshError`."""
        from search.engine.mesh.load import mesh_load

        path = self._open.enter_context(local_path(self.part.file))
        suffix = PurePosixPath(self.part.file.name).suffix
        return mesh_load(path, suffix=suffix, limits=engines.mesh_limits())

    @cached_property
    def views(self) -> "Views":
        """The part's views, at whatever size; as people see them: `views.at(render.size)`."""
        from search.encode import Views

        return Views(self.mesh)

    def save(self, **fields: Any) -> None:
        """Write these fields of the part, and no others."""
        for name, value in fields.items():
            setattr(self.part, name, value)
        self.part.save(update_fields=[*fields, "updated_at"])

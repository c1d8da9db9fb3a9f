"""What the engine raises: a stable code, its parameters, and one plain English sentence.

The rooms above translate the code for their readers; the engine knows no languages.
"""

from typing import ClassVar


class EngineError(Exception):
    """Something the caller's input or the machine did not allow.

    `code` is stable and machine-readable; `params` fill the reader's sentence.
    `transient` says that the same call may succeed later.
    """

    transient: ClassVar[bool] = False

    def __init__(self, code: str, sentence: str, **params: str | int | float) -> None:
        super().__init__(sentence)
        self.code = code
        self.params = params


class MeshError(EngineError):
    """A file that cannot become a mesh."""


class RenderError(EngineError):
    """A mesh that cannot become a picture."""


class PictureError(EngineError):
    """Bytes that cannot become a picture to search with."""


class EncoderError(EngineError):
    """An encoder that cannot be loaded, or whose weights are not the ones named."""


class SnapshotError(EngineError):
    """A snapshot that cannot be read or does not belong to the space asked for."""


class InspectionError(EngineError):
    """A photo or a part that cannot be inspected, or an inspection that took too long."""

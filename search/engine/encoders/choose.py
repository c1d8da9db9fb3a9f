"""Makes an encoder by its kind's name; the only place that knows them all.

Each branch imports its own heavy library, so that choosing `mini` loads no other.
"""

from typing import Any

from search.engine.encoders.base import PictureEncoder
from search.engine.errors import EncoderError


def encoder_make(kind: str, **options: Any) -> PictureEncoder:
    """`options` are those of the encoder's constructor, which may raise EncoderError.

    Raises EncoderError("unknown_encoder").
    """
    match kind:
        case "mini":
            from search.engine.encoders.mini import MiniEncoder

            return MiniEncoder(**options)
        case "openclip":
            from search.engine.encoders.openclip import OpenClipEncoder

            return OpenClipEncoder(**options)
        case "resnet50":
            from search.engine.encoders.resnet50 import ResNet50Encoder

            return ResNet50Encoder(**options)
        case _:
            raise EncoderError("unknown_encoder", f"There is no encoder named {kind}.", kind=kind)

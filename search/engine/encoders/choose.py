"""Makes an encoder by its kind's name; the only place that knows them all.

Each branch imports its own heavy library, so that choosing `mini` loads no other.
"""

from typing import Any

from search.engine.encoders.base import WordEncoder
from search.engine.errors import EncoderError


def encoder_make(kind: str, **options: Any) -> WordEncoder:
    """`options` are those of the encoder's constructor. Raises EncoderError("unknown_encoder")."""
    match kind:
        case "mini":
            from search.engine.encoders.mini import MiniEncoder

            return MiniEncoder(**options)
        case _:
            raise EncoderError("unknown_encoder", f"There is no encoder named {kind}.", kind=kind)

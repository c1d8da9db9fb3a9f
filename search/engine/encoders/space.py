"""Names the space an embedding lives in; vectors of different spaces are never compared.

Knows no encoder: an encoder describes itself with a Space, the index and the database compare keys.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Space:
    """Encoder, its weights, what was done to the picture before, and the dimension.

    Two encoders which agree on all four give comparable embeddings; a change of any makes a new
    space.
    """

    encoder: str
    weights_sha: str
    preprocessing: str
    d: int

    @property
    def key(self) -> str:
        """Short and stable, fit for a folder's name and a database column: "mini-1a2b3c4d-384"."""
        identity = "\n".join((self.encoder, self.weights_sha, self.preprocessing, str(self.d)))
        return f"{self.encoder}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}-{self.d}"


def weights_sha(checksums: Mapping[str, str]) -> str:
    """One SHA-256 (hex) for several files: file name -> its SHA-256; the order does not matter."""
    lines = "\n".join(f"{checksums[name]}  {name}" for name in sorted(checksums))
    return hashlib.sha256(lines.encode()).hexdigest()

"""Digest of code and libraries, by which a research run recognises results that it has stored."""

import functools
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("duckdb", "numpy", "polars")


def code_digest(*sources: Path | str) -> str:
    """Digest of source files, of texts, and of what else affects bits: libraries and processor."""
    digest = hashlib.blake2b("\0".join((*map(version, _LIBRARIES), _processor())).encode(), digest_size=16)
    for source in sources:
        digest.update(b"\0" + (source.encode() if isinstance(source, str) else source.read_bytes()))
    return digest.hexdigest()


@functools.cache
def _processor() -> str:
    """Instructions that numpy uses: with others, `exp` may differ in the last bit."""
    import numpy as np

    return json.dumps(np.show_config(mode="dicts")["SIMD Extensions"])

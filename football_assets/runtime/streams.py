"""Standard streams that take every text: what their encoding lacks is replaced; a closed one is the null device."""

import codecs
import io
import os
import sys
import unicodedata

_REPLACED = {
    "–": "-",
    "—": "-",
    "−": "-",
    "…": ".",
    "✓": "+",
    "×": "x",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
}
_HANDLER = "football"
# Of a terminal, of the C locale and of standard error. Another one was asked for with PYTHONIOENCODING.
_DEFAULT_HANDLERS = {"strict", "surrogateescape", "backslashreplace"}


def prepare_streams() -> None:
    """Open closed standard streams on the null device, and replace characters that their encoding lacks.

    Without the first, the next file that the process opens would take the number of standard output.
    """
    codecs.register_error(_HANDLER, _replace)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+" if name == "stdin" else "w"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _DEFAULT_HANDLERS:
            stream.reconfigure(errors=_HANDLER)


def discard_output() -> None:
    """Send to the null device what standard output still holds, where it cannot be written."""
    try:
        sys.stdout.flush()
    except OSError:
        _to_null_device(sys.stdout.fileno())


def _to_null_device(stream: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream)
    os.close(nothing)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_replacement, error.object[error.start : error.end])), error.end


def _replacement(character: str) -> str:
    """One character for one, so that tables stay aligned; the byte for what is part of a name that is not UTF-8."""
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _REPLACED.get(character) or plain[:1] or "?"

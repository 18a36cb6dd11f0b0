"""Make standard streams accept every text: characters that their encoding lacks are replaced."""

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
# Handlers of a terminal, of the C locale and of standard error. Any other one was set by PYTHONIOENCODING.
_DEFAULT_HANDLERS = {"strict", "surrogateescape", "backslashreplace"}


def prepare_streams() -> None:
    """Open closed standard streams on the null device, and replace characters that the encoding lacks.

    Otherwise the next file that the process opens would get the descriptor of a closed standard stream.
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
    """Flush standard output; redirect it to the null device if it cannot be written."""
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
    r"""Replace one character by one, so that tables stay aligned, and an undecodable byte of a file name by `\xNN`."""
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _REPLACED.get(character) or plain[:1] or "?"

"""Source formats: one reader each, a pure function from a file's bytes to its rows and refusals."""

from collections.abc import Callable

from football_assets.raw.formats.footballcsv import read_footballcsv, split_lines
from football_assets.raw.formats.openfootball import check_document, read_openfootball
from football_assets.raw.formats.reading import RECORD_CHARACTERS, Reading, Refusal, UnreadableFile, decode

READERS: dict[str, Callable[[bytes], Reading]] = {"json": read_openfootball, "csv": read_footballcsv}


def read_results(extension: str, data: bytes) -> Reading:
    """Read a landing file of a known extension. A file that cannot be read becomes one refusal."""
    try:
        return READERS[extension](data)
    except UnreadableFile as error:
        text = data[:RECORD_CHARACTERS].decode("utf-8", errors="replace").replace("\0", " ")
        return Reading(refusals=[Refusal(None, None, text, str(error))])


def sniff(data: bytes) -> str:
    """The extension that stands for the format of a file's content.

    Raises
    ------
    UnreadableFile
        The content is in none of the formats.
    """
    if decode(data).lstrip().startswith(("{", "[")):
        check_document(data)
        return "json"
    split_lines(data)
    return "csv"

"""Source formats: one reader each, a pure function from a file's bytes to its rows and refusals."""

from collections.abc import Callable

from football_assets.raw.formats import football_data, footballcsv, kaggle
from football_assets.raw.formats.lines import column_names
from football_assets.raw.formats.openfootball import check_document, read_openfootball
from football_assets.raw.formats.reading import RECORD_CHARACTERS, Reading, Refusal, UnreadableFile, decode


def read_csv(data: bytes) -> Reading:
    """Read a CSV file of results in the format that its first line says.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, or lacks a required column.
    """
    names = column_names(data)
    if kaggle.is_wide_header(names) or kaggle.is_scores_header(names):
        raise UnreadableFile(
            "The file is of the Kaggle competition and spans seasons and leagues: land its folder with `football land`."
        )
    if football_data.is_header(names):
        return football_data.read_football_data(data)
    return footballcsv.read_footballcsv(data)


READERS: dict[str, Callable[[bytes], Reading]] = {"json": read_openfootball, "csv": read_csv}


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
    names = column_names(data)
    if football_data.is_header(names):
        football_data.check_names(names)
    else:
        footballcsv.check_names(names)
    return "csv"

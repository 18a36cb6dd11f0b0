"""Decoding of files, and what is no results at all."""

import bz2
import codecs
import gzip
import lzma

import pytest

from football_assets.raw.formats.reader import read_results
from football_assets.raw.formats.records import UnreadableFile, decode


@pytest.mark.parametrize(
    "data",
    [
        "Fürth–Köln".encode(),
        b"\xef\xbb\xbf" + "Fürth–Köln".encode(),
        "Fürth–Köln".encode("cp1252"),
        "Fürth–Köln".encode("utf-16"),
        "Fürth–Köln".encode("utf-16-le"),
        "Fürth–Köln".encode("utf-16-be"),
        "Fürth–Köln".encode("utf-32"),
        codecs.BOM_UTF32_BE + "Fürth–Köln".encode("utf-32-be"),
    ],
)
def test_text_is_the_same_in_every_encoding(data: bytes) -> None:
    assert decode(data) == "Fürth–Köln"


def test_latin_1_bytes_that_windows_lacks_are_kept() -> None:
    assert decode(b"F\xfcrth \x81") == "Fürth \x81"


@pytest.mark.parametrize("end", ["\x1a", "\x1a\x1a", "\x1a" + "\0" * 2000, "\x1a\0\x1a\0"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_the_end_of_a_dos_file_and_its_padding_are_left_out(end: str, encoding: str) -> None:
    assert decode(f"Fürth\r\n{end}".encode(encoding)) == "Fürth\r\n"


def test_only_an_end_mark_at_the_end_is_left_out() -> None:
    assert decode(b"a\x1ab\n\x1a") == "a\x1ab\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\x1a\0\0", "empty"),
        (b"Date,\0Team\x1a", "binary"),
        (b"Date\x1a\0\0Team", "binary"),
        (b"Date,Team\n\0\0", "binary"),  # of an interrupted download
        (b" \r\n \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x1f\x8b\x08\x00\x00gzip", "binary"),
        (gzip.compress(b"Date", mtime=0), "compressed by gzip: unpack it"),
        (lzma.compress(b"Date"), "compressed by xz: unpack it"),
        (bz2.compress(b"Date"), "compressed by bzip2: unpack it"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "compressed by Zstandard: unpack it"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive: unpack it"),
        (b"SQLite format 3\x00\x10", "a SQLite database"),
        (b"PK\x03\x04xl/worksheets", "Excel workbook"),
        (b"PAR1", "Parquet"),
        (b"<!DOCTYPE html><html><body>404: Not Found</body></html>", "HTML"),
        (b"\n  <HTML>", "HTML"),
    ],
)
def test_a_file_that_is_no_text_says_so(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        decode(data)
    for extension in ("json", "csv"):
        reading = read_results(extension, data)
        assert reading.rows == []
        assert [reason in refusal.reason for refusal in reading.rejections] == [True]

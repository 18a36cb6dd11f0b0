"""Splitting lines of CSV into fields, and what a header must have."""

import pytest

from football_assets.raw.formats.csv_lines import check_columns, column_names, split_header, split_line
from football_assets.raw.formats.records import UnreadableFile


@pytest.mark.parametrize(
    ("line", "delimiter", "fields"),
    [
        ("a,b,,c", ",", ["a", "b", "", "c"]),
        ("a;b,c", ";", ["a", "b,c"]),
        ('"Alpha, the first",2', ",", ["Alpha, the first", "2"]),
        ('a; "b;c";d', ";", ["a", "b;c", "d"]),
        ('"say ""hi""",x', ",", ['say "hi"', "x"]),
        ("", ",", [""]),
    ],
)
def test_a_line_is_split_at_its_delimiter_outside_of_quotes(
    line: str, delimiter: str, fields: list[str]
) -> None:
    assert split_line(line, delimiter) == fields


def test_a_line_that_the_csv_module_cannot_read_is_split_at_every_delimiter() -> None:
    long = '"' + "x" * 200_000 + ",y"  # beyond the module's limit of a field
    assert [len(field) for field in split_line(long)] == [200_001, 1]


def test_names_of_columns_are_stripped_lower_case_and_without_a_byte_order_mark() -> None:
    assert split_header("ï»¿Div; Date ;HomeTeam", ";") == ["div", "date", "hometeam"]


def test_only_the_first_line_that_is_not_blank_is_the_header() -> None:
    assert column_names(b"\r\n ,,\nId,Score\n1,2-1\n") == ["id", "score"]
    assert column_names("ID,Köln\n".encode("utf-16")) == ["id", "köln"]


def test_a_file_without_text_has_no_header() -> None:
    with pytest.raises(UnreadableFile, match="empty"):
        column_names(b"")


def test_the_missing_columns_are_named_in_the_order_in_which_they_are_required() -> None:
    check_columns(["date", "ft", "x"], ("ft", "date"), "Date,FT")
    with pytest.raises(
        UnreadableFile, match=r"lacks the column\(s\) team 1, ft: its first line must be like 'Date,T'"
    ):
        check_columns(["date"], ("team 1", "date", "ft"), "Date,T")

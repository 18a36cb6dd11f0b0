"""Segments of the prediction log: every line is a record, a problem with its number, or was cut off."""

import pytest

from football_assets.storage.log_segments import Line, PredictionLogError, read_segment, segment_lines

ENDED = b'{"a":1}\n{"a":2}\n'


def test_each_line_is_a_record_with_its_number_and_bytes() -> None:
    assert list(segment_lines(ENDED)) == [
        Line(1, b'{"a":1}', {"a": 1}, None),
        Line(2, b'{"a":2}', {"a": 2}, None),
    ]
    assert list(segment_lines(b"")) == []


@pytest.mark.parametrize("content", [b"[1,2]", b"7", b'"text"', b"null"])
def test_a_line_that_is_no_object_is_a_problem_that_shows_its_start(content: bytes) -> None:
    _, line, after = segment_lines(b'{"a":1}\n' + content + b'\n{"a":3}\n')

    assert line == Line(2, content, None, f"it starts with {content!r}")
    assert (after.number, after.record) == (3, {"a": 3})


def test_a_problem_shows_at_most_twenty_bytes() -> None:
    (line,) = segment_lines(b"[" + b"1," * 50 + b"1]\n")

    assert line.problem == f"it starts with {b'[1,1,1,1,1,1,1,1,1,1'[:20]!r}"


@pytest.mark.parametrize("content", [b'{"a":', b"", b"\xff", b'{"a":1} {"a":2}'])
def test_a_line_that_is_no_json_is_a_problem(content: bytes) -> None:
    first, line = segment_lines(b'{"a":1}\n' + content + b"\n")

    assert first.record == {"a": 1}
    assert (line.number, line.content, line.record) == (2, content, None)
    assert line.problem


def test_a_last_line_without_an_end_was_cut_off_even_where_it_reads_as_an_object() -> None:
    *_, last = segment_lines(ENDED + b'{"a":3}')

    assert last == Line(3, b'{"a":3}', None, "it was cut off while it was written")


@pytest.mark.parametrize("cut", [b"", b'{"a":3}', b'{"a'])
def test_a_segment_is_read_without_a_line_that_was_cut_off(cut: bytes) -> None:
    assert list(read_segment(ENDED + cut)) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("tail", [b"", b'{"a":4}'])
def test_a_broken_line_that_ends_is_an_error_that_names_the_segment_and_the_line(tail: bytes) -> None:
    records = read_segment(ENDED + b"[3]\n" + tail, "segment 7")

    assert [next(records), next(records)] == [{"a": 1}, {"a": 2}]
    with pytest.raises(PredictionLogError) as error:
        next(records)
    assert str(error.value) == (
        "Line 3 of segment 7 is not a JSON object (it starts with b'[3]'): remove the line to read the others."
    )

"""Segments of the prediction log: every line is a record, a problem with its number, or was cut off."""

import gzip
from datetime import date

import pytest

from football_assets.storage.log_segments import (
    SEGMENTS,
    Line,
    PredictionLogError,
    SegmentName,
    compress_segment,
    is_whole,
    read_segment,
    segment_lines,
)

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


CHUNKS = [ENDED, ENDED[:5], ENDED[5:]]


def test_a_compressed_segment_reads_as_its_text_and_is_the_same_each_time() -> None:
    compressed = compress_segment(iter(CHUNKS))

    assert gzip.decompress(compressed) == ENDED * 2
    assert compressed == compress_segment(iter([ENDED * 2]))
    assert list(segment_lines(compressed)) == list(segment_lines(ENDED * 2))
    assert is_whole(compressed)
    assert is_whole(ENDED)


def test_a_large_segment_is_read_in_chunks_that_lose_no_line() -> None:
    text = b"".join(b'{"a":%d,"b":"%s"}\n' % (number, b"x" * (number % 900)) for number in range(6000))

    for content in (text, compress_segment(iter([text]))):
        lines = list(segment_lines(content))
        assert [line.number for line in lines] == list(range(1, 6001))
        assert b"".join(line.content + b"\n" for line in lines) == text


def test_of_a_compressed_segment_that_was_cut_off_the_whole_lines_are_read() -> None:
    text = b"".join(b'{"a":%d}\n' % (number * 7919 % 10007) for number in range(3000))
    compressed = compress_segment(iter([text]))
    for length in (5, 20, len(compressed) // 2, len(compressed) - 8, len(compressed) - 1):
        cut = compressed[:length]

        assert not is_whole(cut)
        ended = list(segment_lines(cut))
        contents = [line.content for line in ended if line.problem is None]
        assert contents == text.split(b"\n")[: len(contents)]
        assert [line.problem for line in ended[len(contents) :]] in (
            [],
            ["it was cut off while it was written"],
        )


def test_a_corrupt_segment_is_an_error() -> None:
    compressed = bytearray(compress_segment(iter([ENDED * 100])))
    compressed[-6] ^= 1  # of the checksum

    with pytest.raises(PredictionLogError, match="corrupt and cannot be decompressed"):
        is_whole(bytes(compressed))
    with pytest.raises(PredictionLogError, match="corrupt"):
        list(segment_lines(bytes(compressed)))


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
def test_a_segments_name_says_its_day_and_its_file_without_the_compression(ending: str) -> None:
    assert SegmentName.parse(f"{SEGMENTS}/2015-11-21/a-000000{ending}") == SegmentName(
        date(2015, 11, 21), "a-000000.jsonl"
    )


@pytest.mark.parametrize(
    "name", ["2015-11-21/a.txt", "a.jsonl", "someday/a.jsonl", "2015-11-21/x/a.jsonl.gz"]
)
def test_other_names_are_no_segments(name: str) -> None:
    assert SegmentName.parse(f"{SEGMENTS}/{name}") is None

"""The record of what was read: when two seasons are alike, and writers at the same time."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from football_assets.raw.countries import NO_COUNTRY
from football_assets.raw.landing import inventory
from football_assets.raw.read_record import (
    NO_OBJECTS,
    RECORD,
    CountryRead,
    country_states,
    last_read,
    record_read,
)
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket


def listed(bucket: Bucket) -> dict[str, str]:
    return {country: state.digest for country, state in country_states(inventory(bucket)).items()}


def test_a_country_is_another_when_an_object_comes_changes_moves_or_goes(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    seen = []
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    bucket.write("raw/a/2014-15/es.1.csv", b"one")
    seen.append(listed(bucket))
    bucket.write("raw/a/2013-14/eng.2.csv", b"one")
    seen.append(listed(bucket))
    bucket.write("raw/a/2013-14/eng.2.csv", b"two")
    seen.append(listed(bucket))
    bucket.delete("raw/a/2013-14/eng.2.csv")
    bucket.write("raw/b/2013-14/eng.cup.csv", b"two")
    seen.append(listed(bucket))
    bucket.delete("raw/b/2013-14/eng.cup.csv")

    assert len({state["eng"] for state in seen}) == len(seen)
    assert {state["es"] for state in seen} == {seen[0]["es"]}
    assert listed(bucket) == seen[0]


def test_an_object_that_names_no_country_counts_in_a_partition_of_its_own_and_nowhere_without_a_season(
    bucket_url: str,
) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    before = listed(bucket)
    bucket.write("raw/notes.txt", b"one")

    assert listed(bucket) == before

    bucket.write("raw/a/2014-15/README", b"one")

    assert listed(bucket).keys() - before.keys() == {NO_COUNTRY}
    assert listed(bucket)["eng"] == before["eng"]


def test_what_was_read_is_remembered_with_the_run_that_read_it(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    landed = country_states(inventory(bucket))

    assert last_read(bucket) == {}
    record_read(bucket, ["eng"], landed, "first")
    record_read(bucket, ["es"], landed, "second")

    assert last_read(bucket) == {
        "eng": CountryRead(1, landed["eng"].digest, "first"),
        "es": CountryRead(0, NO_OBJECTS.digest, "second"),
    }


@pytest.mark.parametrize(
    "damage", [b"", b"\0" * 40, b"[]", b'{"eng": {"objects"', b'{"eng": 7, "fr": {}}', b"[" * 100_000]
)
def test_a_record_that_cannot_be_parsed_is_replaced_by_the_next_reading(
    bucket_url: str, damage: bytes
) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    landed = country_states(inventory(bucket))
    bucket.write(RECORD, damage)

    assert last_read(bucket) == {}
    record_read(bucket, ["eng"], landed, "later")
    assert {country: read.run_id for country, read in last_read(bucket).items()} == {"eng": "later"}


def test_fields_of_a_later_release_are_ignored(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    entry = {"objects": 1, "digest": "ab", "run_id": "first"}
    bucket.write(RECORD, json.dumps({"eng": entry | {"read_at": "2030-01-01"}, "es": entry}).encode())

    assert last_read(bucket) == dict.fromkeys(["eng", "es"], CountryRead(1, "ab", "first"))


def test_runs_that_note_other_countries_at_the_same_time_lose_none(bucket_url: str) -> None:
    countries = [f"{letter}x" for letter in "abcdefghijkl"]

    def note(country: str) -> None:
        record_read(open_bucket(bucket_url), [country], {}, f"run of {country}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, countries))

    assert {country: read.run_id for country, read in last_read(open_bucket(bucket_url)).items()} == {
        country: f"run of {country}" for country in countries
    }

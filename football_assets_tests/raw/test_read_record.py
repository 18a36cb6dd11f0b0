"""The record of what was read: when two seasons are alike, and writers at the same time."""

from concurrent.futures import ThreadPoolExecutor

from football_assets.raw.landing import inventory
from football_assets.raw.read_record import NO_OBJECTS, SeasonRead, landed_seasons, last_read, record_read
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket


def listed(bucket: Bucket) -> dict[str, str]:
    return {season: state.digest for season, state in landed_seasons(inventory(bucket)).items()}


def test_a_season_is_another_when_an_object_comes_changes_moves_or_goes(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    seen = []
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    bucket.write("raw/a/2016-17/eng.1.csv", b"one")
    seen.append(listed(bucket))
    bucket.write("raw/a/2014-15/eng.2.csv", b"one")
    seen.append(listed(bucket))
    bucket.write("raw/a/2014-15/eng.2.csv", b"two")
    seen.append(listed(bucket))
    bucket.delete("raw/a/2014-15/eng.2.csv")
    bucket.write("raw/b/2014-15/eng.2.csv", b"two")
    seen.append(listed(bucket))
    bucket.delete("raw/b/2014-15/eng.2.csv")

    assert len({state["2014-15"] for state in seen}) == len(seen)
    assert {state["2016-17"] for state in seen} == {seen[0]["2016-17"]}
    assert listed(bucket) == seen[0]


def test_a_season_is_another_when_an_object_of_its_countries_changes_in_a_season_beside_it(
    bucket_url: str,
) -> None:
    bucket = open_bucket(bucket_url)
    for season in ("2014-15", "2015-16", "2016-17"):
        bucket.write(f"raw/a/{season}/eng.1.csv", b"one")
    before = listed(bucket)
    bucket.write("raw/a/2014-15/es.1.csv", b"one")
    assert listed(bucket)["2015-16"] == before["2015-16"]

    bucket.write("raw/a/2014-15/eng.2.csv", b"one")

    after = listed(bucket)
    assert [season for season in after if after[season] != before[season]] == ["2014-15", "2015-16"]
    assert landed_seasons(inventory(bucket))["2015-16"].objects == 1


def test_an_object_that_cannot_be_placed_counts_in_its_season_and_nowhere_without_one(
    bucket_url: str,
) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    before = listed(bucket)
    bucket.write("raw/notes.txt", b"one")

    assert listed(bucket) == before

    bucket.write("raw/a/2014-15/README", b"one")

    assert listed(bucket) != before


def test_what_was_read_is_remembered_with_the_run_that_read_it(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write("raw/a/2014-15/eng.1.csv", b"one")
    landed = landed_seasons(inventory(bucket))

    assert last_read(bucket) == {}
    record_read(bucket, ["2014-15"], landed, "first")
    record_read(bucket, ["2013-14"], landed, "second")

    assert last_read(bucket) == {
        "2013-14": SeasonRead(0, NO_OBJECTS.digest, "second"),
        "2014-15": SeasonRead(1, landed["2014-15"].digest, "first"),
    }


def test_runs_that_note_other_seasons_at_the_same_time_lose_none(bucket_url: str) -> None:
    seasons = [str(year) for year in range(2001, 2013)]

    def note(season: str) -> None:
        record_read(open_bucket(bucket_url), [season], {}, f"run of {season}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(note, seasons))

    assert {season: read.run_id for season, read in last_read(open_bucket(bucket_url)).items()} == {
        season: f"run of {season}" for season in seasons
    }

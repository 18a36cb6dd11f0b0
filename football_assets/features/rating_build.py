"""Rate the countries whose matches have changed. The asset `team_ratings` calls it; `ratings` does the work."""

from pathlib import Path

from football_assets.features import ratings
from football_assets.orchestration.increments import changed_countries, code_digest, country_keys
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import CountryTable, countries_made_from, country_versions, read_table_of

TABLE = "team_ratings"
_READ = "stg_matches"


def build_ratings(bucket: Bucket) -> CountryTable:
    """Ratings of the countries whose matches are not those that the table in the bucket was made from.

    Raises
    ------
    ObjectNotFound
        `stg_matches` was never written.
    """
    keys = country_keys([country_versions(bucket, _READ)], code_digest(Path(ratings.__file__)))
    countries = changed_countries(keys, countries_made_from(bucket, TABLE))
    rated = ratings.rate_matches(read_table_of(bucket, _READ, countries))
    return CountryTable(rated, countries, list(keys), keys)

"""The partition of a landing object."""

from football_assets.raw.countries import NO_COUNTRY, by_country_of, country_of, landed_countries
from football_assets.raw.landing import inventory
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import csv_of, put


def test_every_object_of_a_season_has_a_partition(bucket: Bucket) -> None:
    names = {
        "a/2014-15/eng.1.csv": "eng",
        "a/2014-15/de.cup.csv": "de",
        "a/2014-15/README": NO_COUNTRY,
        "a/2014-15/unknown-league.csv": NO_COUNTRY,
        "notes.txt": None,
    }
    for name in names:
        put(bucket, name, csv_of())
    listed = inventory(bucket)
    found = {item.info.name: country_of(item) for item in listed.objects}
    found |= {stray.info.name: country_of(stray) for stray in listed.strays}
    assert found == {f"raw/{name}": country for name, country in names.items()}
    assert landed_countries(listed) == ["de", "eng", NO_COUNTRY]
    assert len(by_country_of(listed)[NO_COUNTRY]) == 2

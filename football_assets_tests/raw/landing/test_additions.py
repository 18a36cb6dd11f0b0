"""Where files land whose rows only add measures to the matches of other files."""

from pathlib import Path

import pytest

from football_assets.raw.landing import land
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, read_season

RESULTS = csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley")
SPI = csv_of(
    "2014-08-16,Barclays Premier League,Fulham,Burnley,2,1,1.5,0.25",
    header="date,league,team1,team2,score1,score2,xg1,xg2",
)


@pytest.mark.parametrize("is_first", [True, False])
def test_results_and_measures_of_the_same_source_land_beside_each_other(
    bucket: Bucket, tmp_path: Path, is_first: bool
) -> None:
    results, measures = (
        tmp_path / "a" / "in" / "2014-15" / "eng.1.csv",
        tmp_path / "b" / "in" / "spi_matches.csv",
    )
    for file, content in ((results, RESULTS), (measures, SPI)):
        file.parent.mkdir(parents=True)
        file.write_text(content)
    landed = [
        name
        for path in ((results, measures) if is_first else (measures, results))
        for name in land(bucket, [path], TODAY).objects
    ]
    assert landed == ["raw/in/2014-15/eng.1.csv", "raw/in-2/2014-15/eng.1.csv"]
    (match,) = read_season(bucket, "2014-15", TODAY).matches.rows(named=True)
    assert (match["home_goals"], match["home_expected_goals"], match["away_expected_goals"]) == (2, 1.5, 0.25)

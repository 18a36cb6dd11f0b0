"""Files whose clubs are those of another country than their name says."""

from pathlib import Path

import pytest

from football_assets.domain.clubs import listed_clubs
from football_assets.errors import LandingError
from football_assets.raw.landing import land
from football_assets.raw.landing.foreign_clubs import MIN_CLUBS, country_of_clubs
from football_assets.raw.landing.validation import validate_objects
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put

GERMAN = ["Bayern Munich", "Hamburg", "FC Koln", "Mainz", "Hertha", "Schalke 04"]
ENGLISH = ["Arsenal", "Hull", "Leeds", "Stoke", "Derby", "Bury"]
PLAIN = csv_of(
    *(
        f"2014-08-{day},{home},2-1,1-0,{away}"
        for day, home, away in zip((15, 16, 17), GERMAN[::2], GERMAN[1::2], strict=True)
    )
)
REASON = "Its clubs are those of Germany, but its name is of another country: name it after its own league."


@pytest.mark.parametrize(
    ("country", "names", "other"),
    [
        ("eng", GERMAN, "de"),
        ("eng", [*GERMAN[:5], "Leeds"], "de"),  # one that both countries may have
        ("eng", [*GERMAN[:4], "Nowhere", "Elsewhere"], None),  # not nearly all
        ("eng", [*GERMAN[:4], *ENGLISH[:2]], None),
        ("de", GERMAN, None),
        ("xy", GERMAN, "de"),
        ("xy", ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta"], None),
    ],
)
def test_nearly_all_names_must_be_clubs_of_one_other_country(
    country: str, names: list[str], other: str | None
) -> None:
    assert country_of_clubs(country, names) == other


def test_the_clubs_of_no_country_are_those_of_another() -> None:
    for country, clubs in listed_clubs().items():
        assert country_of_clubs(country, [club.club for club in clubs]) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("eng.1.csv", PLAIN),
        (
            "en.1.json",
            json_of(*(listed("2014-08-16", *pair) for pair in zip(GERMAN[::2], GERMAN[1::2], strict=True))),
        ),
    ],
)
def test_a_file_of_another_country_does_not_land(
    bucket: Bucket, tmp_path: Path, name: str, content: str
) -> None:
    file = tmp_path / "results" / "2014-15" / name
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(LandingError, match="Its clubs are those of Germany"):
        land(bucket, [tmp_path], TODAY)
    (file.parent / "de.1.csv").write_text(PLAIN)
    result = land(bucket, [tmp_path], TODAY)
    assert result.objects == ["raw/results/2014-15/de.1.csv"]
    assert [(item.path, item.reason, item.is_wrong) for item in result.skipped] == [(file, REASON, True)]
    assert not result.is_complete


def test_an_object_of_another_country_is_not_valid(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", PLAIN)
    (found,) = validate_objects(bucket, ["raw/a/2014-15/eng.1.csv"], TODAY)
    assert found.problem == REASON


def test_a_few_names_prove_nothing(bucket: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "2014-15" / "eng.1.csv"
    file.parent.mkdir()
    few = GERMAN[: MIN_CLUBS - 2]
    file.write_text(
        csv_of(*(f"2014-08-16,{home},2-1,1-0,{away}" for home, away in zip(few[::2], few[1::2], strict=True)))
    )
    assert land(bucket, [tmp_path], TODAY).is_complete

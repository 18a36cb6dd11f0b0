"""What a country's rows were made from: any change of its input rows shows, and nothing of another country's does."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from football_assets.orchestration.increments import (
    by_country,
    changed_countries,
    code_digest,
    country_keys,
    footer,
    is_of,
    made_from,
    row_hashes,
)

MATCHES = pl.DataFrame(
    {
        "league_id": ["eng.1", "eng.2", "eng.1", "de.cup", "sco.1", "sco.1", "sco.1", "sco.1"],
        "day": [date(2020, 1, day) for day in range(1, 9)],
        "goals": pl.Series([1, 0, None, 2, 3, 0, 1, 1], dtype=pl.Int16),
    }
)


def keys(*tables: pl.DataFrame, code: str = "code") -> dict[str, str]:
    return country_keys([row_hashes(table) for table in tables], code)


def test_the_order_of_rows_says_nothing() -> None:
    assert keys(MATCHES) == keys(MATCHES.sample(fraction=1, shuffle=True, seed=3))
    assert list(keys(MATCHES)) == ["de", "eng", "sco"]


@pytest.mark.parametrize(
    "changed",
    [
        MATCHES.with_columns(goals=pl.when(pl.col("league_id") == "eng.2").then(1).otherwise("goals")),
        MATCHES.with_columns(goals=pl.col("goals").fill_null(0)),
        MATCHES.filter(pl.col("league_id") != "eng.2"),
        pl.concat([MATCHES, MATCHES.head(1)]),
        MATCHES.with_columns(league_id=pl.col("league_id").replace("eng.2", "eng.3")),
    ],
    ids=["corrected", "played", "deleted", "doubled", "moved to another league"],
)
def test_a_change_shows_in_its_own_country_alone(changed: pl.DataFrame) -> None:
    changed = changed.cast(MATCHES.schema)
    assert changed_countries(keys(changed), keys(MATCHES)) == ["eng"]


def test_two_rows_that_swap_a_value_show() -> None:
    swapped = MATCHES.with_columns(
        goals=pl.Series([1, 0, None, 2, 0, 3, 1, 1], dtype=pl.Int16)  # rows 4 and 5, both of sco.1
    )
    assert changed_countries(keys(swapped), keys(MATCHES)) == ["sco"]


def test_a_row_that_changes_from_one_table_to_another_shows() -> None:
    empty = MATCHES.clear()
    assert keys(MATCHES, empty) != keys(empty, MATCHES)


def test_other_code_or_types_make_all_again() -> None:
    every = ["de", "eng", "sco"]
    assert changed_countries(keys(MATCHES, code="newer"), keys(MATCHES)) == every
    assert changed_countries(keys(MATCHES.cast({"goals": pl.Int32})), keys(MATCHES)) == every


def test_all_is_made_again_where_nothing_was_noted_or_nothing_changed() -> None:
    every = ["de", "eng", "sco"]
    assert changed_countries(keys(MATCHES), {}) == every
    assert changed_countries(keys(MATCHES), keys(MATCHES)) == every


def test_a_country_is_made_again_if_one_of_the_tables_made_together_lacks_it_or_has_another() -> None:
    now = keys(MATCHES)
    assert changed_countries(now, now, {**now, "eng": "older"}) == ["eng"]
    assert changed_countries(now, {name: now[name] for name in ("de", "eng")}, now) == ["sco"]


def test_a_country_that_is_gone_leaves_the_others_as_they_are() -> None:
    rest = MATCHES.filter(~is_of(["de"]))
    assert changed_countries(keys(rest), keys(MATCHES)) == []


def test_rows_go_to_their_country_in_the_order_in_which_they_stand() -> None:
    parts = by_country(MATCHES)

    assert list(parts) == ["de", "eng", "sco"]
    assert pl.concat(parts.values()).equals(MATCHES[[3, 0, 1, 2, 4, 5, 6, 7]])


def test_a_country_is_not_taken_for_one_whose_name_begins_alike() -> None:
    table = pl.DataFrame({"league_id": ["de.1", "den.1"]})
    assert table.filter(is_of(["de"]))["league_id"].to_list() == ["de.1"]


def test_a_file_keeps_in_its_footer_what_it_was_made_from(tmp_path: Path) -> None:
    MATCHES.write_parquet(tmp_path / "noted.parquet", metadata=footer('it\'s "this"'))
    MATCHES.write_parquet(tmp_path / "silent.parquet")
    assert made_from(tmp_path / "noted.parquet") == 'it\'s "this"'
    assert made_from((tmp_path / "noted.parquet").read_bytes()) == 'it\'s "this"'
    assert made_from(tmp_path / "silent.parquet") is None


def test_the_code_is_the_content_of_its_files(tmp_path: Path) -> None:
    path = tmp_path / "model.sql"
    path.write_text("select 1")
    first = code_digest(path, "spec")
    assert first == code_digest(path, "spec") != code_digest(path, "other spec")
    path.write_text("select 2")
    assert code_digest(path, "spec") != first

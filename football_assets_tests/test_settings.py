"""Settings come from the environment, which is read on every call."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from football_assets.settings import Settings, get_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FOOTBALL_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_everything_lives_under_the_home_by_default(tmp_path: Path) -> None:
    settings = get_settings()

    assert settings.bucket_url == str(tmp_path / "football_home" / "bucket")
    assert settings.dagster_home == tmp_path / "football_home" / "dagster"
    assert settings.scratch == tmp_path / "football_home" / "scratch"
    assert settings.wandb_project is None


def test_each_field_is_an_environment_variable_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", "/srv/football")
    assert get_settings().bucket_url == "/srv/football/bucket"

    monkeypatch.setenv("FOOTBALL_BUCKET", "/mnt/matches")
    monkeypatch.setenv("FOOTBALL_PORT", "8080")
    settings = get_settings()

    assert (settings.bucket_url, settings.port) == ("/mnt/matches", 8080)
    assert settings.scratch == Path("/srv/football/scratch")


@pytest.mark.parametrize("port", ["0", "65536", "many"])
def test_a_port_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("FOOTBALL_PORT", port)

    with pytest.raises(ValidationError, match="port"):
        get_settings()


def test_every_field_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_blank_variable_is_unset_but_a_blank_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in Settings.model_fields:
        if name != "api_key":
            monkeypatch.setenv(f"FOOTBALL_{name.upper()}", " ")
    assert get_settings() == Settings.model_construct()
    assert get_settings().bucket_url == str(tmp_path / "football_home" / "bucket")

    monkeypatch.setenv("FOOTBALL_API_KEY", "")
    with pytest.raises(ValidationError, match="api_key"):
        get_settings()


@pytest.mark.parametrize(
    ("bucket", "url"),
    [
        ("~/matches", "{home}/matches"),
        ("file:///mnt/matches", "/mnt/matches"),
        ("matches", "{home}/matches"),
        ("gs://matches/part", "gs://matches/part"),
        ("s3://matches", "s3://matches"),
    ],
)
def test_the_bucket_is_an_absolute_folder_or_a_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bucket: str, url: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # which is the working directory, too
    monkeypatch.setenv("FOOTBALL_BUCKET", bucket)

    assert get_settings().bucket_url == url.format(home=tmp_path)


def test_further_keys_are_separated_by_commas_and_need_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_settings().keys == ()
    monkeypatch.setenv("FOOTBALL_API_KEY", "first key, with a comma")
    assert get_settings().keys == ("first key, with a comma",)
    monkeypatch.setenv("FOOTBALL_API_KEYS", " second key,third key, ")
    assert get_settings().keys == ("first key, with a comma", "second key", "third key")

    monkeypatch.setenv("FOOTBALL_API_KEYS", "second key,short")
    with pytest.raises(ValidationError, match="a key has less than 8 characters"):
        get_settings()
    monkeypatch.setenv("FOOTBALL_API_KEYS", "second key")
    monkeypatch.delenv("FOOTBALL_API_KEY")
    with pytest.raises(ValidationError, match="it needs FOOTBALL_API_KEY"):
        get_settings()


def test_files_of_keys_are_separated_as_in_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_settings().verify_keys is None
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", "/keys/a.pem:/keys/more: ")

    assert get_settings().verify_keys == (Path("/keys/a.pem"), Path("/keys/more"))


@pytest.mark.parametrize("key", ["", " ", "1234567", "1234567 ", " " * 8])
def test_a_short_key_is_refused_in_characters(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("FOOTBALL_API_KEY", key)
    with pytest.raises(ValidationError, match="the key has less than 8 characters"):
        get_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RETENTION_LOG_DAYS", "99999999"),
        ("RETENTION_RUN_DAYS", "99999999"),
        ("RETENTION_SCRATCH_HOURS", "999999999"),
        ("RETRAIN_WINDOW_DAYS", "inf"),
        ("RETRAIN_WINDOW_DAYS", "1e300"),
        ("MODEL_MAX_AGE_DAYS", "inf"),
        ("RATE_LIMIT", "inf"),
        ("RATE_LIMIT", "0.00001"),
        ("RATE_BURST", "99999999999"),
    ],
)
def test_a_number_that_no_time_or_server_can_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"FOOTBALL_{variable}", value)
    with pytest.raises(ValidationError, match=variable.lower()):
        get_settings()


def test_a_burst_of_more_than_a_day_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTBALL_RATE_LIMIT", "0.01")
    with pytest.raises(ValidationError, match=r"with FOOTBALL_RATE_LIMIT=0\.01 at most 864 requests"):
        get_settings()
    monkeypatch.setenv("FOOTBALL_RATE_BURST", "864")
    assert get_settings().rate_burst == 864


@pytest.mark.parametrize(
    "variable", ["OPENFOOTBALL_URL", "FOOTBALL_DATA_EXTRA_URL", "SERVE_API", "WEBHOOK_URL"]
)
@pytest.mark.parametrize("value", ["nonsense", "ftp://example.org", "file:///etc", "http://", "https:///x"])
def test_an_address_of_no_server_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"FOOTBALL_{variable}", value)
    with pytest.raises(ValidationError, match=variable.lower()) as error:
        get_settings()
    assert value not in str(error.value).replace("http:// or https://", "")
    assert "does not begin with http:// or https://" in str(error.value)
    for address in (" http://127.0.0.1:8080/hook?token=1 ", "HTTPS://example.org"):
        monkeypatch.setenv(f"FOOTBALL_{variable}", address)
        assert str(getattr(get_settings(), variable.lower())) in (address.strip(), "*" * 10)

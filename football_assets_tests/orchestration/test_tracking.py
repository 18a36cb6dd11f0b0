"""Weights & Biases: off by default, real records when it is configured, and no step fails because of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from football_assets.errors import FootballError
from football_assets.orchestration.tracking import is_tracking_on, track
from football_assets.settings import Settings
from football_assets_tests.builders.wandb_server import WandbServer, run_wandb_server, wait_for_record

KEY = "k" * 40
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "reliability.png"


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nobody is logged in; W&B reads the environment again in each test."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "FOOTBALL_WANDB_PROJECT", "FOOTBALL_WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    yield
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    """A W&B server that the environment names, with a key."""
    with run_wandb_server() as running:
        monkeypatch.setenv("WANDB_BASE_URL", running.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        yield running


def settings_at(home: Path, project: str | None = "football") -> Settings:
    return Settings(home=home, wandb_project=project)


def the_record(home: Path, *wanted: bytes) -> bytes:
    """What the one W&B run of a home left on disk."""
    (folder,) = (home / "scratch" / "wandb" / "wandb").glob("*run-*")
    return wait_for_record(folder, *wanted)


def test_tracking_is_off_by_default_and_leaves_nothing(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, None)

    assert not is_tracking_on(settings)
    with track(settings, "trained_lstm", "run-1", {}, pytest.fail) as tracking:
        tracking.log({"loss": 1.0})
        tracking.picture("curves", PICTURE)
        tracking.conclude({"score": 1})
        tracking.model(tmp_path, ["candidate"], {})
    assert tracking.where == "off"
    assert list(tmp_path.iterdir()) == []


def test_without_tracking_the_library_is_not_even_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from football_assets.settings import Settings;"
        "from football_assets.orchestration.tracking import track\n"
        f"with track(Settings(home=Path({str(tmp_path)!r})), 'a', 'b', {{}}, print) as t: t.log({{}})\n"
        "print('wandb' in sys.modules)"
    )

    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("project", "environment", "on"),
    [
        ("football", {}, False),
        ("football", {"WANDB_MODE": "disabled"}, False),
        ("football", {"WANDB_MODE": "disabled", "WANDB_API_KEY": "k"}, False),
        ("football", {"WANDB_API_KEY": ""}, False),
        (None, {"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, False),
        ("football", {"WANDB_API_KEY": "k"}, True),
        ("football", {"WANDB_MODE": "offline"}, True),
    ],
)
def test_tracking_needs_a_project_and_a_key_or_the_offline_mode(
    project: str | None,
    environment: dict[str, str],
    on: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert is_tracking_on(settings_at(tmp_path, project)) is on


def test_an_offline_run_is_kept_on_disk_with_all_that_links_it_to_dagster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "model.onnx").write_bytes(b"the weights")

    with track(
        settings_at(tmp_path), "registered_model", "dagster-8", {"seed": 4711}, pytest.fail, "dagster-7"
    ) as tracking:
        tracking.log({"validation_log_loss": 1.01})
        tracking.conclude({"test_rps": 0.21})
        tracking.picture("loss_curves", PICTURE)
        tracking.model(bundle, ["candidate"], {"verdict": "refused by the gate"})
    (bundle / "model.onnx").unlink()

    folder = Path(tracking.where)
    assert folder.name.startswith("offline-run-")
    assert folder.name.endswith("dagster-8-registered_model")
    the_record(
        tmp_path,
        *(b"football", b"dagster-7", b"dagster-8", b"asset_key", b"4711"),
        *(b"validation_log_loss", b"test_rps", b"loss_curves"),
        *(b"football-forecaster", b"candidate", b"refused by the gate", b"model.onnx"),
    )
    (picture,) = folder.glob("files/media/images/*.png")
    assert picture.read_bytes() == PICTURE.read_bytes()
    staged = [path.read_bytes() for path in (tmp_path / "scratch" / "wandb").rglob("staging/*")]
    assert staged == [b"the weights"]  # as it was, and still there for the upload
    assert not list((tmp_path / "scratch").rglob("*.pkl"))


def test_a_step_that_fails_ends_its_run_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")

    def step() -> None:
        with track(settings_at(tmp_path), "trained_lstm", "run-1", {}, pytest.fail) as tracking:
            tracking.log({"last_words": 1})
            raise FootballError("the step failed")

    with pytest.raises(FootballError, match="the step failed"):
        step()

    the_record(tmp_path, b"last_words")
    import wandb

    assert wandb.run is None


def test_figures_reach_the_server_and_dagster_gets_the_link(server: WandbServer, tmp_path: Path) -> None:
    with track(settings_at(tmp_path), "trained_lstm", "run-1", {}, pytest.fail) as tracking:
        assert tracking.where == f"{server.url}/tester/football/runs/run-1-trained_lstm"
        for loss in (1.01, 0.99):
            tracking.log({"validation_log_loss": loss})

    assert [point["validation_log_loss"] for point in server.history] == [1.01, 0.99]


def test_the_key_stays_in_the_environment(server: WandbServer, tmp_path: Path) -> None:
    with track(settings_at(tmp_path), "trained_lstm", "run-1", {}, pytest.fail):
        pass

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_wrong_key_is_a_warning_and_the_run_is_kept_on_disk(server: WandbServer, tmp_path: Path) -> None:
    server.refuses = True
    warnings: list[str] = []

    with track(settings_at(tmp_path), "trained_lstm", "run-1", {}, warnings.append) as tracking:
        tracking.log({"validation_log_loss": 1.01})

    (warning,) = warnings
    assert "permission denied" in warning
    assert "kept on disk for `wandb sync`" in warning
    assert Path(tracking.where).name.startswith("offline-run-")
    the_record(tmp_path, b"validation_log_loss")


def test_a_server_that_refuses_in_the_middle_is_a_warning_and_the_step_goes_on(
    server: WandbServer, tmp_path: Path
) -> None:
    warnings: list[str] = []
    reached = []

    with track(settings_at(tmp_path), "trained_lstm", "run-1", {}, warnings.append) as tracking:
        tracking.log({"first": 1.0})
        server.refuses = True
        tracking.log({"second": 2.0})
        tracking.picture("loss_curves", PICTURE)
        tracking.conclude({"best_epoch": 2})
        reached.append("the end")

    assert reached == ["the end"]
    assert "permission denied" in warnings[0]
    assert "nothing more is logged in this run" in warnings[0]
    the_record(tmp_path, b"first", b"second")

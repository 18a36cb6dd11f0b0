"""Size of the pods of runs on Kubernetes: tags that `K8sRunLauncher` reads and other launchers ignore."""

from collections.abc import Collection, Mapping
from typing import Any

from football_assets.domain.leagues import NAMES
from football_assets.settings import Settings

POD_TAG = "dagster-k8s/config"
GPU = "nvidia.com/gpu"
COUNTRY_MIB = 1536  # DuckDB, Polars and the interpreter
LEAGUE_MIB = 192  # the results of one league since 1993 and their features


def training_pod(settings: Settings) -> dict[str, Any]:
    """Return the tag of runs that train, as the variables FOOTBALL_TRAINING_… say."""
    return _pod(
        cpus=settings.training_cpus,
        memory=f"{settings.training_memory_gib}Gi",
        gpus=settings.training_gpus,
        image=settings.training_image,
    )


def feature_pod(countries: Collection[str]) -> dict[str, Any]:
    """Return the tag of a run that builds the features of countries: its memory grows with their leagues.

    Parameters
    ----------
    countries
        The partitions, like `eng`. One that the project does not know counts as one league.
    """
    leagues = sum(max(1, _leagues_of(country)) for country in countries)
    return _pod(cpus=2, memory=f"{COUNTRY_MIB + LEAGUE_MIB * leagues}Mi")


def _leagues_of(country: str) -> int:
    return sum(1 for league_id in NAMES if league_id.split(".")[0] == country)


def _pod(cpus: int, memory: str, gpus: int = 0, image: str | None = None) -> dict[str, Any]:
    amounts: Mapping[str, str] = {"cpu": str(cpus), "memory": memory, **({GPU: str(gpus)} if gpus else {})}
    container: dict[str, Any] = {"resources": {"requests": dict(amounts), "limits": dict(amounts)}}
    if image:
        container["image"] = image
    return {POD_TAG: {"container_config": container}}

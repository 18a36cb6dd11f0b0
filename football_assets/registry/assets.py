"""`registered_model`: publish the trained model as a version of the registry, and apply the promotion gate."""

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import AssetExecutionContext, AssetKey, MaterializeResult, MetadataValue, asset

from football_assets.orchestration.launch_config import launchpad_config
from football_assets.orchestration.metadata import OWNERS, tracked_value
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.config import GateConfig
from football_assets.registry.provenance import PROVENANCE, Provenance
from football_assets.registry.store import Manifest, Registry
from football_assets.registry.stored_version import StoredVersion
from football_assets.sequences.columns import RATED_TABLES
from football_assets.sequences.spec import FeatureSpec
from football_assets.storage.bucket import Bucket
from football_assets.storage.model_files import METRICS, MODEL_CARD
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.registry.bundle import BundleSources
    from football_assets.registry.promotion import Verdict

GROUP = "registry"

_OWN_TABLES = ("team_matches", "team_form", "team_ratings")

GateLaunchpad = launchpad_config(GateConfig)


@asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"onnx", "parquet"},
    tags={"grain": "model"},
    deps=[*_OWN_TABLES, *(table.name for table in RATED_TABLES)],
)
def registered_model(
    context: AssetExecutionContext,
    config: GateLaunchpad,  # type: ignore[valid-type]
    bucket: BucketResource,
    trained_lstm: Path,
    model_evaluation: Path,
    onnx_model: Path,
    sequence_tensors: Path,
) -> MaterializeResult[Any]:
    """Publish a version with all files that serving needs and a model card; the gate promotes or rejects it.

    The version must be significantly better than base rates, and on the same test matches not worse than Elo and the
    production model. A rejected version stays in the registry as candidate, and the production version stays.
    """
    from football_assets.orchestration.tracking import track, training_run
    from football_assets.registry.bundle import BundleSources, assemble_bundle
    from football_assets.registry.promotion import judge_and_promote
    from football_assets.sequences.state_table import build_team_state
    from football_assets.settings import get_settings

    sources = BundleSources(trained_lstm, model_evaluation, onnx_model, sequence_tensors)
    tables, provenance = _read_inputs(context, bucket.open(), sources)
    folder = bucket.scratch_folder("registered_model")
    state = build_team_state(**tables, spec=FeatureSpec.load(sequence_tensors))
    assemble_bundle(sources, state, folder)
    registry = Registry(bucket.open())
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    metadata = {"test": metrics["test"], "split": metrics["split"], "run_id": context.run_id}
    version = registry.publish(folder, metadata | {PROVENANCE: provenance.to_dict()})
    gate = GateConfig.model_validate(config.model_dump())  # type: ignore[attr-defined]
    verdict = judge_and_promote(registry, version, sequence_tensors, gate, Path(bucket.scratch))
    for line in (verdict.summary(), *verdict.decision.reasons):
        context.log.info("%s", line)
    card = (folder / MODEL_CARD).read_text(encoding="utf-8")
    judged = {"version": version, "decision": verdict.summary(), **verdict.decision.to_dict()}
    with track(
        get_settings(),
        "registered_model",
        context.run_id,
        judged,
        context.log.warning,
        training_run(trained_lstm),
    ) as tracking:
        alias = "production" if verdict.production == version else "candidate"
        stored = registry.open(version)
        for name, content in stored.signature_files().items():
            (folder / name).write_bytes(content)
        tracking.model(folder, [alias, f"version-{version}"], judged | {"test": metrics["test"]})
    shutil.rmtree(folder)
    shown = _metadata(verdict, stored.manifest, metrics, card)
    shown["signature"] = _signature(stored)
    return MaterializeResult(metadata=shown | {"wandb": tracked_value(tracking.where)})


def _read_inputs(
    context: AssetExecutionContext, bucket: Bucket, sources: "BundleSources"
) -> tuple[dict[str, pl.DataFrame], Provenance]:
    """Read the tables, and the data versions of the tables and folders.

    Other runs may materialize an upstream asset while this step runs. A folder is named after the digest of its
    content, which its materialization has: its data version is that of the folder that was loaded. Tables are read
    here, since what an IO manager returns has no data version, and again if a materialization was recorded meanwhile.
    Dagster records it after the IO manager has written the table, so the content of a table may be newer than its data
    version. A data version is None if it is not known.
    """
    from football_assets.orchestration.data_versions import data_version_of, read_with_data_versions
    from football_assets.orchestration.io_managers import DIGEST
    from football_assets.runtime.code_commit import code_commit
    from football_assets.settings import get_settings

    folders = {
        field.name: data_version_of(
            context.instance, AssetKey(field.name), DIGEST, getattr(sources, field.name).name
        )
        for field in fields(sources)
    }
    keys = [AssetKey(name) for name in (*_OWN_TABLES, *(table.name for table in RATED_TABLES))]
    tables, versions = read_with_data_versions(
        context.instance, keys, lambda: _read_tables(bucket), context.log.warning
    )
    inputs = dict(sorted({**folders, **versions}.items()))
    return tables, Provenance.of_run(context.run_id, code_commit(get_settings()), inputs)


def _read_tables(bucket: Bucket) -> dict[str, pl.DataFrame]:
    from football_assets.sequences.rating_context import read_rated_table
    from football_assets.sequences.state_table import rated_columns_read
    from football_assets.storage.tables import read_table

    rated = rated_columns_read()
    return {name: read_table(bucket, name) for name in _OWN_TABLES} | {
        name: read_rated_table(bucket, name, columns) for name, columns in rated.items()
    }


def _metadata(verdict: "Verdict", manifest: Manifest, metrics: dict[str, Any], card: str) -> dict[str, Any]:
    from football_assets.registry.promotion import PromotionOutcome

    comparisons = pl.DataFrame(
        [
            {
                "reference": item.reference,
                "matches": item.matches,
                "candidate": f"{item.candidate_log_loss:.4f}",
                "log loss": f"{item.reference_log_loss:.4f}",
                "difference": f"{item.difference:+.4f}",
                "interval": f"{item.lower:+.4f} to {item.upper:+.4f}",
                "rule": item.rule,
                "passed": "yes" if item.passed else "no",
            }
            for item in verdict.decision.comparisons
        ]
    )
    files = pl.DataFrame(
        [
            {"file": name, "bytes": entry.bytes, "sha256": entry.sha256[:16]}
            for name, entry in manifest.files.items()
        ]
    )
    return {
        "version": verdict.version,
        "decision": verdict.summary(),
        "promoted": verdict.outcome is PromotionOutcome.PROMOTED,
        "accepted": verdict.decision.accepted,
        "production_version": MetadataValue.text(
            "none" if verdict.production is None else str(verdict.production)
        ),
        "reasons": MetadataValue.md("\n".join(f"- {reason}" for reason in verdict.decision.reasons)),
        "comparisons": MetadataValue.md(as_markdown(comparisons)),
        "test_log_loss": metrics["test"]["log_loss"],
        "test_rps": metrics["test"]["rps"],
        "content": manifest.content,
        "files": MetadataValue.md(as_markdown(files)),
        "bytes": sum(entry.bytes for entry in manifest.files.values()),
        "model_card": MetadataValue.md(card),
        PROVENANCE: MetadataValue.json(manifest.metadata.get(PROVENANCE, {})),
    }


def _signature(stored: StoredVersion) -> str:
    """Describe the signature of a version."""
    signature = stored.signature()
    return f"{signature.status} {signature.signed_by or ''}".rstrip()


assets = [registered_model]

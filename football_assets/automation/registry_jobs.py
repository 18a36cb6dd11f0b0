"""The job that follows the registry."""

from dagster import AssetCheckKey, AssetKey, AssetSelection, define_asset_job, in_process_executor

SERVING = AssetKey("serving_deployment")
FIXTURES = AssetKey("fixture_predictions")
DRIFT = AssetKey("drift_report")
VERSIONS_CHECK = AssetCheckKey(AssetKey("onnx_model"), "registered_versions_are_whole")

follow_registry = define_asset_job(
    "follow_registry",
    # By expression: an asset that a home does not have is no error.
    AssetSelection.from_string(
        " or ".join(f'key:"{key.to_user_string()}"' for key in (SERVING, FIXTURES, DRIFT))
    )
    | AssetSelection.checks(VERSIONS_CHECK),
    description="Checks the versions in the registry, verifies that Serve answers from production, and materializes "
    "the fixture predictions and the drift report with that version.",
    executor_def=in_process_executor,
)

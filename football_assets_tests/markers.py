"""Which tests have which marker, by folder, module or test; docs/contributing/testing.md says what each marker means.

`make test-fast` runs the tests that have none. `--durations=50` shows what else is slow.
"""

from collections.abc import Collection

# They run the whole graph, train a network or build the features with dbt, directly or by `getfixturevalue`.
SLOW_FIXTURES = frozenset({"bundle", "client", "demo_home", "features", "folders", "guarded"})

MARKED: dict[str, tuple[str, ...]] = {
    "end_to_end": ("end_to_end/",),
    "ray": (
        "end_to_end/test_loop.py",
        "end_to_end/test_serving.py",
        "runtime/test_ray_private.py::test_a_replica_imports_the_classes_of_proxies_that_it_would_read_from_the_head",
        "serve/test_pod.py::test_ray_returns_results_up_to_the_size_with_the_reply_and_stores_larger_ones",
        "training/parallel/test_distributed.py",
        "training/parallel/test_worker_shards.py::test_workers_on_two_machines_fetch_their_own_shards_alone_and_learn_what_one_learns",
        "tuning/test_assets.py",
        "tuning/test_sweep.py",
    ),
    "browser": ("end_to_end/test_loop.py", "serve/test_page.py"),
    "slow": (
        "automation/test_jobs.py::test_a_training_waits_for_the_pool_though_its_run_is_one_process",
        "automation/test_new_results_sensor.py",
        "automation/test_outdated.py",
        "automation/test_registry_sensor.py",
        "automation/test_wandb_registry_sensor.py",
        "builders/test_ast_parsing.py",
        "builders/test_replay.py",
        "builders/test_sensor_daemon.py",
        "ci/test_portability.py",
        "cli/test_backtests.py",
        "cli/test_challenge.py::test_a_submission_has_the_rows_of_the_test_and_knows_none_of_its_results",
        "cli/test_cli.py::test_careless_arguments_are_told_what_is_wrong",
        "cli/test_cli.py::test_output_that_nobody_reads_or_keeps_ends_without_a_traceback",
        "cli/test_context.py",
        "cli/test_demo.py",
        "cli/test_extras.py::test_a_command_without_its_extra_ends_with_one_sentence_that_names_it",
        "cli/test_graph.py",
        "cli/test_predict.py::test_a_forecast_is_printed_in_any_encoding",
        "cli/test_results.py::test_a_full_disk_ends_a_landing_in_one_line_and_leaves_whole_objects",
        "cli/test_restore.py",
        "cli/test_scratch_home.py",
        "comparison/test_challenge.py::test_forecasts_are_means_over_seeds_of_networks_that_know_no_later_result",
        "comparison/test_comparison.py",
        "comparison/test_dixon_coles.py",
        "comparison/test_rolling.py",
        "deployment/test_assets.py",
        "deployment/test_serve_api.py",
        "deployment/test_wandb_registry.py",
        "deploy/",
        "export/test_assets.py",
        "export/test_onnx_export.py::test_an_int8_variant_that_loses_too_much_is_not_written_and_nothing_is_logged",
        "export/test_onnx_graph.py",
        "export/test_quantisation.py",
        "features/test_assets.py",
        "features/test_dbt_build.py",
        "features/test_dbt_project.py",
        "features/test_dbt_seeds.py",
        "forecasting/test_assets.py",
        "forecasting/test_checks.py::test_missing_stale_and_broken_forecasts_fail_the_checks",
        "monitoring/test_assets.py",
        "monitoring/test_drift.py::test_what_a_client_invents_is_reported_apart_and_never_a_reason_to_train",
        "monitoring/test_report.py",
        "orchestration/test_gcs_resource.py",
        "orchestration/test_in_process_runs.py",
        "orchestration/test_io_managers.py",
        "orchestration/test_kubernetes_launcher.py",
        "orchestration/test_run_launcher.py",
        "orchestration/test_tracking.py",
        "raw/matching/test_merging.py::test_a_file_landed_twice_under_two_names_is_merged_away",
        "raw/matching/test_merging.py::test_files_of_a_season_give_the_same_tables_in_whatever_order_they_land",
        "raw/matching/test_merging.py::test_names_of_sources_decide_between_scores_not_which_matches_there_are",
        "raw/matching/test_merging.py::test_nothing_is_lost_and_the_same_objects_give_the_same_tables",
        "raw/test_neighbours.py",
        "registry/test_aliases.py::test_promotions_of_several_processes_follow_one_another",
        "registry/test_assets.py",
        "registry/test_bundle.py",
        "registry/test_signing.py::test_a_signature_by_the_command_line_of_model_signing_is_accepted_unless_it_leaves_out_a_file",
        "registry/test_signing.py::test_the_command_line_of_model_signing_verifies_our_signature",
        "registry/test_versions_signed.py",
        "registry/test_versions.py::test_processes_that_publish_at_once_get_versions_of_their_own_and_readers_see_whole_ones",
        "runtime/test_code_location.py",
        "runtime/test_health.py::test_a_code_location_that_does_not_answer_is_not_healthy",
        "runtime/test_health.py::test_a_daemon_without_a_heartbeat_in_its_own_dagster_home_is_not_healthy",
        "runtime/test_processes.py",
        "runtime/test_telemetry.py::test_every_way_into_the_project_turns_usage_data_off",
        "sequences/test_encoder.py::test_what_happens_on_a_day_and_after_it_moves_no_history_of_that_day_or_earlier",
        "sequences/test_tensors_of_countries.py",
        "serve/test_openapi.py::test_whatever_is_asked_is_answered_as_the_openapi_document_says",
        "serve/test_app.py::test_serving_loads_nothing_that_trains",
        "serve/test_pod.py",
        "serve/test_scrape.py",
        "serve/test_haproxy.py",
        "serve/test_haproxy_rates.py",
        "serve/test_logs.py::test_a_log_on_a_full_disk_fails_no_request",
        "serve/test_logs.py::test_every_record_is_in_the_file_at_once_with_its_level_and_a_readable_traceback",
        "serve/test_metric_slots.py::test_a_killed_process_keeps_its_counts_and_loses_its_live_gauges",
        "serve/test_metric_slots.py::test_a_replacement_carries_on_the_counts_in_the_same_files",
        "serve/test_metric_collector.py::test_every_process_renders_the_totals_of_all",
        "serve/test_monitoring.py",
        "serve/test_monitoring_prometheus.py",
        "serve/test_prediction_log.py::test_segments_wait_for_the_bucket_and_are_uploaded_once",
        "serve/test_prediction_log.py::test_a_writer_killed_while_writing_has_every_acknowledged_record_in_the_bucket",
        "serve/test_service_on_gcs.py",
        "serve/test_service_restored.py",
        "storage/test_bucket.py::test_no_increment_of_several_processes_is_lost",
        "storage/test_gcs.py",
        "storage/test_gcs_listing.py",
        "storage/test_gcs_versions.py",
        "test_packaging.py::test_the_wheel_runs_the_demo_as_the_images_do",
        "test_project.py::test_deploy_test_collects_both_proofs",
        "storage/test_updates.py::test_many_writers_at_a_time_lose_no_update",
        "training/test_assets.py",
        "orchestration/test_vertex.py",
        "training/test_checkpoints.py",
        "training/test_places.py",
        "training/test_remote.py",
        "training/test_fit.py",
        "test_architecture.py",
        "test_collection.py",
        "test_packaging.py",
        "test_project.py::test_loading_the_code_location_imports_no_heavy_library",
        "training/test_plots.py::test_drawing_opens_no_display",
    ),
}


def markers_of(test: str, fixtures: Collection[str] = ()) -> list[str]:
    """Return the markers of a test, given as `folder/test_module.py::test_name[parameters]` below the tests' folder.

    A test that uses a fixture of `SLOW_FIXTURES`, directly or through another fixture, is slow.
    """
    marked = {marker for marker, places in MARKED.items() if any(_is_at(test, place) for place in places)}
    if SLOW_FIXTURES.intersection(fixtures):
        marked.add("slow")
    return [marker for marker in MARKED if marker in marked]


def _is_at(test: str, place: str) -> bool:
    if place.endswith("/"):
        return test.startswith(place)
    module, name = test.split("[")[0].split("::", 1)
    return place in (module, f"{module}::{name}")

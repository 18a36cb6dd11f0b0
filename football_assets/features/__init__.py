"""Features of matches, as of kick-off: dbt models in DuckDB (`dbt_features/`) and team ratings."""

"""The bucket and what lies in it: objects, tables, artifacts, log segments and model files. Without Dagster."""

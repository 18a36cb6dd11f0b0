"""Code versions of the Python assets, which Dagster stores with each materialization. Those of dbt models are digests.

Raise a version when a change of code gives other values for the same inputs. The UI then shows the asset and what is
built from it as outdated, and `new_results_sensor` rebuilds them. The versions are kept by hand: a digest of modules
would also change with a comment, a renamed variable or a faster query, and each release would rebuild all countries and
train a model. `test_code_versions.py` fails when the values of raw tables and ratings change and the version does not.
"""

RAW_TABLES_CODE = "3"
TEAM_RATINGS_CODE = "1"
MARKET_RATINGS_CODE = "1"
SHOT_RATINGS_CODE = "1"
SEQUENCE_TENSORS_CODE = "2"
TRAINED_LSTM_CODE = "3"
MODEL_EVALUATION_CODE = "2"
ONNX_MODEL_CODE = "2"
FIXTURE_PREDICTIONS_CODE = "1"

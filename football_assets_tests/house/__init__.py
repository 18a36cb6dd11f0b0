"""The rules of the house that no other tool checks, run by `make lint` and by `test_architecture.py`."""

# Every chore of the project. A bare machine needs Python 3.11 with pip, and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo up serve test test-fast lint format bench bench-scale bench-serve faults loop deploy-test mutants changelog clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## make .venv with the pinned environment; the other chores do it too

demo: $(READY) ## land the bundled sample, run the whole graph, forecast the fixtures not yet played
	@$(BIN)/football demo

up: $(READY) ## open the Dagster UI on http://127.0.0.1:3000 and forecasts on http://127.0.0.1:8000
	@$(BIN)/football up

serve: $(READY) ## answer forecasts over HTTP on http://127.0.0.1:8000
	@$(BIN)/football serve

test: $(READY) ## run every test, with coverage
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

test-fast: $(READY) ## run the quick tests: without Ray, a browser, the whole graph and what takes seconds
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not end_to_end and not ray and not browser and not slow"

lint: $(READY) ## check style, format, spelling, layers, the house's rules and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python -m football_assets_tests.house
	@$(BIN)/mypy

format: $(READY) ## let ruff fix and format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## measure landing, training and loading against a naive implementation
	@$(BIN)/python -m benchmarks.speed.bench

bench-scale: $(READY) ## measure landing files to tensors at ten times the data
	@$(BIN)/python -m benchmarks.speed.bench_scale

bench-serve: $(READY) ## measure the HTTP endpoint beside a plain server
	@$(BIN)/python -m benchmarks.speed.bench_serve

faults: $(READY) ## kill, swap, saturate, scale, slow down and end the HTTP endpoint, and see what it does
	@$(BIN)/python -m benchmarks.speed.faults

loop: $(READY) ## land results and watch a new model be judged, served and watched, with no hand touching it
	@$(BIN)/python -m football_assets_tests.end_to_end.loop

deploy-test: $(READY) ## render and validate deploy/, run its pods and processes without a cluster; KUBERAY_SCHEMAS="folder"
	@$(BIN)/python -m pytest -rs -s football_assets_tests/deploy football_assets_tests/deploy/proof_of_processes.py football_assets_tests/deploy/proof_of_pods.py

mutants: $(READY) ## change the code in thousands of places and see whether the tests notice; MODULES="path…" for some
	@$(BIN)/python -m benchmarks.mutants $(MODULES)

changelog: $(READY) ## write CHANGELOG.md from the commits
	@$(BIN)/git-cliff --config cliff.toml --output CHANGELOG.md

clean: ## remove the environment, caches and build folders; football_home stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage dbt_features/target dbt_features/logs

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned environment into $(VENV): some minutes, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

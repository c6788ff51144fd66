# Each target sets up what it needs, in .venv, .sam and tests/e2e/fhir_kit/node_modules, on a machine that has make and
# Python 3.13 (or lets uv fetch it).

PORT ?= 8000
SEED ?= demo
ENV ?= dev
ARGS ?=
# as many tests at once as there are cores, at most four
PARALLEL ?= --numprocesses=auto --maxprocesses=4 --dist=worksteal
export PORT SEED

PIP_VERSION := 26.3
SAM_VERSION := 1.170.0
PIP := python -m pip --quiet --quiet --disable-pip-version-check --no-input
VENV := .venv/.ready
SAM := .sam/.ready
KIT := tests/e2e/fhir_kit/node_modules/.ready
# sam build runs the python3.13 of the PATH; validation wants a region, and nothing else of AWS
RUN_SAM := PATH="$(CURDIR)/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-west-3} .sam/bin/sam

.PHONY: help run test test-long coverage check bench build deploy requirements clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

run: $(VENV) ## start everything on this machine (PORT=8000, SEED=demo|none)
	exec env PYTHONPATH=functions .venv/bin/python -m infra.local

test: $(VENV) $(KIT) ## run the tests (ARGS="-k name" narrows them)
	.venv/bin/pytest $(PARALLEL) $(ARGS)

test-long: $(VENV) ## run the tests that take minutes
	.venv/bin/pytest $(PARALLEL) -m long $(ARGS)

coverage: $(VENV) $(KIT) ## run the tests and say which lines no test reaches
	.venv/bin/pytest --cov --cov-report=term $(ARGS)

check: $(VENV) $(SAM) ## format, lint, types, dependency rule, template, package
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	PYTHONPATH=functions .venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml
	$(RUN_SAM) validate
	$(RUN_SAM) validate --lint
	$(MAKE) --no-print-directory build

bench: $(VENV) ## measure cold starts, warm calls and AWS trips
	PYTHONPATH=functions .venv/bin/python -m tests.bench $(ARGS)

build: $(VENV) $(SAM) ## make the package of the functions, with byte code, in .aws-sam/build
	$(RUN_SAM) build
	.venv/bin/python -m infra.package .aws-sam/build

deploy: build ## deploy to AWS (ENV=dev|preprod|prod, settings in samconfig.toml)
	$(RUN_SAM) deploy --config-env $(ENV)

requirements: $(VENV) ## write functions/requirements.txt anew from pyproject.toml
	.venv/bin/uv pip compile pyproject.toml --output-file functions/requirements.txt --python-version 3.13 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

clean: ## remove what the targets made
	rm -rf .venv .venv-uv .sam $(dir $(KIT)) .aws-sam build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV): pyproject.toml functions/requirements.txt
	.venv/bin/python -c "" 2>/dev/null || { python=$$(sh infra/find-python.sh) && "$$python" -m venv --clear .venv; }
	.venv/bin/$(PIP) install pip==$(PIP_VERSION)
	.venv/bin/$(PIP) install --require-hashes --requirement functions/requirements.txt
	.venv/bin/$(PIP) install --group dev
	touch $@

# SAM CLI's pins quarrel with those of the tests: it lives in an environment of its own
$(SAM): Makefile
	.sam/bin/python -c "" 2>/dev/null || { python=$$(sh infra/find-python.sh) && "$$python" -m venv --clear .sam; }
	.sam/bin/$(PIP) install aws-sam-cli==$(SAM_VERSION)
	touch $@

# a FHIR client in JavaScript for the tests; node and npm come with the environment
$(KIT): tests/e2e/fhir_kit/package.json $(VENV)
	cd $(dir $<) && "$(CURDIR)/.venv/bin/npm" install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

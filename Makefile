# Each target sets up what it needs, in .venv, .sam, .audit, .wheels and two folders of node_modules, on a machine that has
# make and Python 3.13 (or lets uv fetch it).

PORT ?= 8000
SEED ?= demo
ENV ?= dev
STACK ?= dmp-$(ENV)
ARCH ?= arm64
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
AUDIT := .audit/.ready
NAG := infra/checks/nag/node_modules/.ready
WHEELS := .wheels/.ready
BUILD = .aws-sam/$(ARCH)
# what containers on this machine run
OWN_ARCH := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
# sam build runs the python3.13 of the PATH; validation wants a region, and nothing else of AWS
RUN_SAM := PATH="$(CURDIR)/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-west-3} .sam/bin/sam

NPM_INSTALL = cd $(dir $<) && "$(CURDIR)/.venv/bin/npm" install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: help run test test-long coverage check approve bench build sam-local test-sam-local deploy kept-keys deploy-firewall admin smoke requirements clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' Makefile

run: $(VENV) ## start everything on this machine (PORT=8000, SEED=demo|none)
	exec env PYTHONPATH=functions .venv/bin/python -m infra.local

test: $(VENV) $(KIT) $(AUDIT) $(SAM) $(WHEELS) ## run the tests (ARGS="-k name" narrows them)
	.venv/bin/pytest $(PARALLEL) $(ARGS)

test-long: $(VENV) $(SAM) $(AUDIT) $(NAG) ## run the tests that take minutes
	.venv/bin/pytest $(PARALLEL) -m long $(ARGS)

coverage: $(VENV) $(KIT) $(AUDIT) $(SAM) $(WHEELS) ## run the tests and say which lines no test reaches
	.venv/bin/pytest --cov --cov-report=term $(ARGS)

check: $(VENV) $(SAM) $(WHEELS) $(AUDIT) $(NAG) ## every static bar, offline once set up: code, package, template, policies, secrets
	.venv/bin/python -m infra.checks

approve: $(VENV) $(AUDIT) ## take down what the templates say as judged, if no own rule objects
	.venv/bin/python -m infra.checks.approve

bench: $(VENV) ## measure cold starts, warm calls and AWS trips
	PYTHONPATH=functions .venv/bin/python -m tests.bench $(ARGS)

# all functions have the same code: one is built, and the package is made of it
build: $(VENV) $(SAM) $(WHEELS) ## make the package of the functions in .aws-sam (ARCH=arm64|x86_64)
	PIP_NO_INDEX=1 PIP_FIND_LINKS="$(CURDIR)/.wheels" $(RUN_SAM) build Authorizer --build-dir $(BUILD) \
		--parameter-overrides Architecture=$(ARCH) >/dev/null
	.venv/bin/python -m infra.package $(BUILD) $(ARCH)

sam-local: $(VENV) $(SAM) ## serve the built application with SAM CLI and containers (PORT=8000, SEED=demo|none)
	$(MAKE) --no-print-directory build ARCH=$(OWN_ARCH)
	exec env PYTHONPATH=functions .venv/bin/python -m infra.sam_local

test-sam-local: $(VENV) $(SAM) ## run the main job through SAM CLI and containers
	$(MAKE) --no-print-directory build ARCH=$(OWN_ARCH)
	.venv/bin/pytest -m sam_local -rs tests/sam_local $(ARGS)

deploy: ## deploy to AWS after a look at the changes (ENV=dev|preprod|prod, settings in samconfig.toml)
	@sed -n '/^\[$(ENV)\./,/^\[.*overrides/s/^stack_name = "\(.*\)"/\1/p' samconfig.toml | grep -Eqx '[a-z][a-z0-9-]{0,26}' \
		|| { echo "samconfig.toml: the stack of $(ENV) needs a name of 27 small letters, digits and hyphens at most"; exit 1; }
	@[ $(ENV) != prod ] || [ -z "$$(git status --porcelain)" ] || { echo "prod is deployed from a committed tree"; exit 1; }
	$(MAKE) --no-print-directory kept-keys
	$(MAKE) --no-print-directory build
	$(RUN_SAM) deploy --template-file $(BUILD)/deploy.yaml --config-file "$(CURDIR)/samconfig.toml" --config-env $(ENV)

kept-keys: $(VENV) ## whether a deployment would trust again a key that an operator had refused (ENV=dev|preprod|prod)
	@PYTHONPATH=functions .venv/bin/python -m infra.admin.redeployment $(ENV)

deploy-firewall: $(SAM) ## deploy what CloudFront is guarded by, in us-east-1 (ENV=dev|preprod|prod)
	$(RUN_SAM) deploy --template-file infra/firewall.yaml --config-file "$(CURDIR)/samconfig.toml" --config-env $(ENV)-firewall

admin: $(VENV) ## do what an operator does (ARGS="--stack dmp-dev fsck"; ARGS=--help lists it)
	@PYTHONPATH=functions .venv/bin/python -m infra.admin $(ARGS)

smoke: $(VENV) ## check a deployed account (STACK=dmp-dev), or the local stack (LOCAL=1, PORT=8000)
	PYTHONPATH=functions .venv/bin/python -m infra.smoke $(if $(LOCAL),--local http://127.0.0.1:$(PORT),--stack $(STACK)) $(ARGS)

requirements: $(VENV) ## write functions/requirements.txt anew from pyproject.toml
	.venv/bin/uv pip compile pyproject.toml --output-file functions/requirements.txt --python-version 3.13 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

clean: ## remove what the targets made
	rm -rf .venv .venv-uv .sam .sam-local .audit .wheels $(dir $(KIT)) $(dir $(NAG)) .aws-sam build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

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

# what `sam build` installs, so that a build asks no registry and installs the same everywhere: it looks for wheels of this
# machine first, then of Lambda's; on Linux these are the same
HOST_WHEELS := $(if $(filter-out Linux,$(shell uname -s)),"")
$(WHEELS): functions/requirements.txt $(VENV)
	rm -rf $(dir $@)
	for platform in $(HOST_WHEELS) --platform=manylinux2014_aarch64 --platform=manylinux2014_x86_64; do \
		.venv/bin/$(PIP) download --require-hashes --only-binary=:all: --python-version=3.13 $$platform --dest $(dir $@) \
			--requirement functions/requirements.txt || exit; \
	done
	touch $@

# the auditors' pins quarrel too
$(AUDIT): infra/checks/requirements.txt
	.audit/bin/python -c "" 2>/dev/null || { python=$$(sh infra/find-python.sh) && "$$python" -m venv --clear .audit; }
	.audit/bin/$(PIP) install --requirement $<
	touch $@

# cdk-nag, which judges the template by HIPAA, NIST 800-53 and PCI DSS
$(NAG): infra/checks/nag/package.json $(VENV)
	$(NPM_INSTALL)
	touch $@

# a FHIR client in JavaScript for the tests; node and npm come with the environment
$(KIT): tests/e2e/fhir_kit/package.json $(VENV)
	$(NPM_INSTALL)
	touch $@

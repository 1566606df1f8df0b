# The doors. Each sets up what it needs first: Python 3.11 or newer with pip is all that must be there.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
GENERATORS := $(VENV)/generators
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO   := data/demo
SBOM   := build/sbom.json
# Many processes are started, by serving and by tests: what one has compiled the others read.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup dev run test branches check bench docs screenshots lock sbom clean

help:                         ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime       ## create .venv and install what serving needs

dev: $(VENV)/.dev             ## install what tests and checks need on top

$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime $(GENERATORS)/.installed requirements-dev.txt
	$(PIP) --require-hashes -r requirements-dev.txt
	touch $@

$(GENERATORS)/.installed: requirements-generators.txt
	test -x $(GENERATORS)/bin/python || $(PYTHON) -m venv $(GENERATORS)
	$(GENERATORS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

run: setup                    ## everything, with a demo that plays traffic; Ctrl-C ends it
	$(BIN)/handbill demo --data $(DEMO) --stay

test: dev                     ## every test, in one process more than there are cores
	$(BIN)/python -m pytest -n auto --dist worksteal

branches: dev                 ## the same, and which branches of what guards money no test takes
	$(BIN)/python -m pytest -n auto --dist worksteal --cov

check: dev                    ## format, lint, types, import contracts, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/handbill openapi --check docs/api/openapi.json

bench: dev                    ## every figure beside its limit; NAMES=soak, neighbours, attack: the long ones
	$(BIN)/python -m bench $(NAMES)

docs: setup                   ## write the generated documents again
	$(BIN)/handbill openapi --write docs/api/openapi.json

screenshots: dev              ## pictures of every page of the demo; needs Chromium and some minutes
	PYTHONPATH=tests $(BIN)/python -m pages.screenshots

lock: dev                     ## resolve the newest versions again, with hashes
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header \
	    --python-version 3.11 --group build pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header \
	    --python-version 3.11 --group build --group dev -c requirements.txt pyproject.toml \
	    -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header \
	    --python-version 3.11 --group generators -o requirements-generators.txt

sbom: dev                     ## write the bill of materials of what serving needs (CycloneDX)
	mkdir -p $(dir $(SBOM))
	$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application \
	    --output-reproducible --validate --output-format JSON --output-file $(SBOM) requirements.txt

clean:                        ## remove the environment and what was built; data/ is yours and stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

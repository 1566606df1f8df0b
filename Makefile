# The doors. Every target sets up its own environment first; nothing else need be installed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: setup run test check bench docs lock clean

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: setup                    ## everything, with a demo that plays traffic; Ctrl-C stops it
	$(BIN)/handbill demo --data data/demo --stay

test: setup                   ## every test
	$(BIN)/python -m pytest

check: setup                  ## format, lint, types, import contracts, generated files up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/handbill openapi --check docs/api/openapi.json

bench: setup                  ## every figure beside its limit
	$(BIN)/python -m bench

docs: setup                   ## write the generated documents
	$(BIN)/handbill openapi --write docs/api/openapi.json

lock: setup                   ## resolve the newest versions again, with hashes
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header \
	    --group dev pyproject.toml -o requirements.txt

clean:
	rm -rf $(VENV) data build dist

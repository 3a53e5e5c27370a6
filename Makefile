# Two commands do everything: `make serve` and `make test`. Both install what they need first.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)

ROOMS := $(patsubst %/__init__.py,%,$(filter-out tests/%,$(wildcard */__init__.py))) server.py services.py settings.py

# What is compiled once is compiled for every process that a test starts.
test soak check: export PYTHONDONTWRITEBYTECODE =

.PHONY: help serve test soak check bench audit studio install clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 12

serve: install  ## Install, start Redis and the bundled models, serve the API and the page (HOST, PORT, DATA_DIR)
	@exec $(BIN)/python -m server

test: $(VENV)/.test  ## Install, run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" --reruns 1 -rR

soak: $(VENV)/.test  ## Everything, the slow proofs too
	@$(BIN)/python -m pytest --timeout 600

check: $(VENV)/.dev  ## Format, lint, types, the examples in docstrings, the rules of the house
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy .
	@$(BIN)/python -m pytest --doctest-modules $(ROOMS) tests/test_*.py

audit: install  ## Check the action log: names its first entry that was altered or is missing
	@$(BIN)/python -m server audit

studio: $(VENV)/.studio  ## Serve the graph to LangGraph Studio
	@exec $(BIN)/langgraph dev --no-browser --no-reload

install: $(VENV)/.installed  ## Create the environment with every dependency and bundled model

clean:  ## Remove the environment (data in .data stays)
	rm -rf $(VENV)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 with venv is needed: install it, or name it with PYTHON=."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# OpenCV of paddlex links libGL, which servers do not have: the headless build of the same version takes its place.
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt bundled.txt
	$(PIP) --constraint constraints.txt --editable .
	$(PIP) --no-deps --force-reinstall --constraint constraints.txt opencv-python-headless
	rm -rf $(VENV)/bundled
	$(PIP) --no-deps --ignore-requires-python --require-hashes --target $(VENV)/bundled --requirement bundled.txt
	@touch $@

$(VENV)/.test: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --editable '.[test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	$(PIP) --constraint constraints.txt --editable '.[test,dev]'
	@touch $@

$(VENV)/.studio: $(VENV)/.installed
	$(PIP) --constraint constraints.txt --editable '.[studio]'
	@touch $@

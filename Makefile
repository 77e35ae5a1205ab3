# `make tune` generates a tune, `make test` runs the tests, `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

RUN := $(BIN)/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help tune test check bench bench-quality torture fuzz wheel docs clean

help:
	@echo "make tune    generate a tune into tune.abc and draw it"
	@echo "make test    run all tests"
	@echo "make check   check format, style and types"
	@echo "make bench   measure how fast pieces are generated"
	@echo "make bench-quality DATA=FOLDER   measure how good models become; resumes an interrupted run"
	@echo "make torture BUDGET=600 SEED=1   try kills, signals and the like; resumes an interrupted run"
	@echo "make fuzz BUDGET=600 SEED=1      read changed files and checkpoints; resumes too"
	@echo "make wheel   build the package into dist/"
	@echo "make docs    write the completion scripts, the man pages and the README's tune"
	@echo "make clean   remove everything that was built"

tune: $(VENV)/ready
	$(BIN)/composer gen abc --checkpoint composer/pretrained/abc.safetensors --output tune.abc --force
	$(BIN)/composer show tune.abc

test: $(VENV)/ready-to-develop
	$(RUN) -m pytest

# Scripts import their neighbors by name, so each folder is checked alone. They need not annotate everything.
SCRIPTS := $(addprefix tests/bench/,agreement cards generated notation readers speed) tests/torture
MYPY = MYPYPATH=$(CURDIR):$(CURDIR)/plugins $(abspath $(BIN))/python -m mypy --config-file= --check-untyped-defs \
	--explicit-package-bases --ignore-missing-imports --exclude test_ --cache-dir $(CURDIR)/.mypy_cache/scripts

check: $(VENV)/ready-to-develop
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	for folder in $(SCRIPTS); do (cd $$folder && $(MYPY) .) || exit 1; done
	cd tests/bench && $(MYPY) -p quality

# the developer's own defaults would change results
test bench bench-quality torture fuzz docs: export COMPOSER_CONFIG =

bench: $(VENV)/ready-to-develop
	$(RUN) tests/bench

# Ask for DATA before installing anything.
ifeq ($(strip $(DATA)),)
bench-quality:
	@echo "error: DATA is missing"; \
		echo "hint: make bench-quality DATA=FOLDER [QUALITY='--only NAME --seeds 1,2,3 --output FOLDER'];" \
			"see CONTRIBUTING.md for what FOLDER holds"; exit 1
else
bench-quality: $(VENV)/ready-to-measure
	PYTHONPATH=tests/bench $(RUN) -m quality "$(DATA)" $(QUALITY)
endif

BUDGET ?= 600
SEED ?= 1

torture: $(VENV)/ready-to-develop
	$(RUN) tests/torture torture --budget $(BUDGET) --seed $(SEED)

fuzz: $(VENV)/ready-to-develop
	$(RUN) tests/torture fuzz --budget $(BUDGET) --seed $(SEED)

wheel: $(VENV)/ready-to-develop
	$(RUN) -m build --no-isolation --wheel .

docs: $(VENV)/ready-to-develop
	$(RUN) -m composer.cli.docs.build .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis tune.abc

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is not Python 3.11 or newer"; \
		  echo "hint: name a newer one: make PYTHON=python3.12 tune"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt $(PIP_FLAGS) hatchling editables
	$(PIP) install -c constraints.txt $(PIP_FLAGS) --no-build-isolation -e .
	@touch $@

$(VENV)/ready-to-develop: $(VENV)/ready
	$(PIP) install -c constraints.txt $(PIP_FLAGS) --no-build-isolation -e '.[dev]'
	@touch $@

$(VENV)/ready-to-measure: $(VENV)/ready
	$(PIP) install -c constraints.txt $(PIP_FLAGS) --no-build-isolation -e '.[bench]'
	@touch $@

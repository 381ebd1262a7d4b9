# Deskhand. `make` lists the targets; `make demo` and `make test` are all the set-up there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2

.PHONY: help demo test check fix run bench bench-desktop bench-ml chaos build worker words screenshots lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml packaging/locks/dev.txt packaging/setup.sh
	@PYTHON=$(PYTHON) packaging/setup.sh $(VENV)
	@touch $@

demo: $(READY) ## hub and worker on loopback: train, ask, answer, predict, survive a kill
	@$(BIN)/python -m hub demo $(ARGS)

test: $(READY) ## every test, two at a time (JOBS=0: one); real sockets, processes, a real tray
	@packaging/system.sh session
	$(BIN)/pytest -n $(JOBS) $(ARGS)

check: $(READY) ## format, lint, types, layers and the quick tests, in less than a minute
	@packaging/check.sh $(BIN)

fix: $(READY) ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

run: $(READY) ## a hub and the tray app on this machine (headless where there is no display)
	@$(BIN)/python packaging/run.py

bench: $(READY) ## durable jobs a second, latency, start and idle size
	$(BIN)/python -m tests.benchmarks.queue $(ARGS)
	$(BIN)/python -m tests.benchmarks.footprint

bench-desktop: $(READY) ## the tray app beside Vorta: start, memory, idle work, growth, sizes
	$(BIN)/python -m tests.benchmarks.desktop $(ARGS)

bench-ml: $(READY) ## scores x seconds x memory beside scikit-learn, AutoGluon and FLAML
	$(BIN)/python -m tests.benchmarks.ml $(ARGS)

chaos: $(READY) ## random kills of hub, worker and child (KILLS=200 SEED=1)
	DESKHAND_CHAOS_KILLS=$(or $(KILLS),200) DESKHAND_CHAOS_SEED=$(SEED) $(BIN)/pytest -q -m chaos --timeout 3600 tests/chaos

build: $(READY) ## wheel, source archive and a .deb, which is installed aside and tried (ML=1: both .debs)
	$(BIN)/python -m hatchling build
	$(BIN)/python packaging/pack_deb.py
	$(if $(ML),$(BIN)/python packaging/pack_deb.py --ml)

worker: $(READY) ## self-contained worker for this system in dist/, for a hub's downloads folder
	$(BIN)/python packaging/pack_worker.py

words: $(READY) ## bring the windows' catalogues of words up to date
	$(BIN)/python packaging/words.py

screenshots: $(READY) ## every state of every window, light, dark and at 200 %, in .screenshots/
	$(BIN)/python -m tests.desktop.gui.screenshots .screenshots --sheets docs/img $(ARGS)

lock: $(READY) ## write the hash-locked requirements anew
	packaging/lock.sh $(BIN)

clean: ## remove what the targets made
	rm -rf $(VENV) dist .benchmarks .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

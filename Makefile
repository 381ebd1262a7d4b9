# Deskhand. `make` lists the targets; `make demo` and `make test` are all the set-up there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2
RUNGS := chaos-protocol chaos-simulation chaos-power chaos-processes chaos-coding chaos-fleet chaos-disks chaos-fuzz chaos-soak chaos-mutants

.PHONY: help demo demo-fleet test test-agents check fix run bench bench-desktop bench-ml bench-code bench-probes bench-plan bench-scale bench-stats chaos $(RUNGS) build worker words examples screenshots screenshots-web lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml packaging/locks/dev.txt packaging/setup.sh
	@PYTHON=$(PYTHON) packaging/setup.sh $(VENV)
	@touch $@

demo: $(READY) ## hub and worker on loopback: train, ask, answer, predict, survive a kill
	@$(BIN)/python -m hub demo $(ARGS)

demo-fleet: $(READY) ## 500 jobs through a broker to nodes that come and go with the work
	@packaging/system.sh session
	@$(BIN)/python -m hub demo fleet $(ARGS)

test: $(READY) ## every test, two at a time (JOBS=0: one); real sockets, processes, a real tray
	@packaging/system.sh session
	$(BIN)/pytest -n $(JOBS) --dist worksteal $(ARGS)

test-agents: $(READY) ## five real coding agents from npm in the worker's own sandbox (1.3 GB, once)
	$(BIN)/pytest -m agents -p no:xdist -s tests/npm_agents $(ARGS)

check: $(READY) ## format, lint, types, layers and the quick tests, in less than a minute
	@packaging/check.sh $(BIN)

fix: $(READY) ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

run: $(READY) ## a hub and the tray app on this machine (headless where there is no display)
	@$(BIN)/python packaging/run.py

bench: $(READY) ## every figure beside its peers, and docs/benchmarks.md (ARGS="queue --quick": one part)
	@packaging/system.sh session
	$(BIN)/python -m tests.benchmarks $(if $(ARGS),$(ARGS),--page docs/benchmarks.md)

bench-desktop: $(READY) ## the tray app beside Vorta: start, memory, idle work, growth, sizes
	$(BIN)/python -m tests.benchmarks.desktop $(ARGS)

bench-code: $(READY) ## coding jobs: what a sandbox, the gateway and git cost
	$(BIN)/python -m tests.benchmarks.coding.sandbox $(ARGS)
	$(BIN)/python -m tests.benchmarks.coding.builtin_agent
	$(BIN)/python -m tests.benchmarks.coding.gateway
	$(BIN)/python -m tests.benchmarks.coding.repositories

bench-probes: $(READY) ## model calls a second, CPU a call and memory beside inspect_ai and a plain client
	$(BIN)/python -m tests.benchmarks.probes $(ARGS)

bench-plan: $(READY) ## plans: what planning, steps and composing cost without model time
	$(BIN)/python -m tests.benchmarks.plans $(ARGS)

bench-scale: $(READY) ## where one hub ends, and many begin (PAGE=docs/scale.md: write its tables anew)
	$(BIN)/python -m tests.benchmarks.scale $(if $(PAGE),--page $(PAGE)) $(ARGS)
	$(BIN)/python -m tests.benchmarks.many_hubs $(if $(PAGE),--page $(PAGE))

bench-stats: $(READY) ## statistics of a run: seconds, memory, and how often intervals hold the truth
	$(BIN)/python -m tests.benchmarks.statistics.runs
	$(BIN)/python -m tests.benchmarks.statistics.coverage $(ARGS)

bench-ml: $(READY) ## scores x seconds x memory beside scikit-learn, AutoGluon and FLAML
	$(BIN)/python -m tests.benchmarks.ml $(ARGS)

SIZES = $(if $(EXAMPLES),--examples $(EXAMPLES)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(IMAGES),--images $(IMAGES)) \
  $(if $(KILLS),--kills $(KILLS)) $(if $(ASKED),--asked $(ASKED)) $(if $(DISKS),--jobs $(DISKS)) $(if $(FRAMES),--frames $(FRAMES)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

chaos: $(READY) ## the whole ladder (SEEDS= IMAGES= KILLS= FRAMES= MINUTES= for its size, SEED= to replay)
	@packaging/system.sh session
	@$(BIN)/python -m tests.chaos $(SIZES)

chaos-protocol: $(READY) ## T0: the protocol's ends against a model (EXAMPLES=1000)
chaos-simulation: $(READY) ## T1: whole worlds in virtual time (SEEDS=300)
chaos-power: $(READY) ## T2: what power cuts leave on a disk (IMAGES=2000)
chaos-processes: $(READY) ## T3: real programs, lines and clocks fail (KILLS=60)
chaos-coding: $(READY) ## T3: hub, worker, job or agent are killed in mid-question (ASKED=50)
chaos-fleet: $(READY) ## T3: nodes of the fleet, their broker and their hub are killed (KILLS=50)
chaos-disks: $(READY) ## T3: disks fail and are full under real programs (DISKS=40)
chaos-fuzz: $(READY) ## T4: frames, events and requests of nobody's (FRAMES=20000)
chaos-soak: $(READY) ## T5: a long day, then drift and growth (MINUTES=2)
chaos-mutants: $(READY) ## T6: planted bugs, each found by its rung
$(RUNGS):
	@packaging/system.sh session
	@$(BIN)/python -m tests.chaos $(@:chaos-%=%) $(SIZES)

build: $(READY) ## wheel, source archive and a .deb, which is installed aside and tried (ML=1: both .debs)
	$(BIN)/python -m hatchling build
	$(BIN)/python packaging/pack_deb.py
	$(if $(ML),$(BIN)/python packaging/pack_deb.py --ml)

worker: $(READY) ## self-contained worker for this system in dist/, for a hub's downloads folder
	$(BIN)/python packaging/pack_worker.py

words: $(READY) ## bring the windows' catalogues of words up to date
	$(BIN)/python packaging/words.py

examples: $(READY) ## play the tasks of docs/examples/ and write down how they went
	$(BIN)/python -m tests.examples $(ARGS)

screenshots: $(READY) ## every state of every window, light, dark and at 200 %, in .screenshots/
	$(BIN)/python -m tests.desktop.gui.screenshots .screenshots --sheets docs/img $(ARGS)

screenshots-web: $(READY) ## every page of the dashboard, desktop and phone, light and dark, into docs/img
	@packaging/system.sh session
	$(BIN)/python -m tests.browser.screenshots docs/img

lock: $(READY) ## write the hash-locked requirements anew
	packaging/lock.sh $(BIN)

clean: ## remove what the targets made
	rm -rf $(VENV) dist .benchmarks .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

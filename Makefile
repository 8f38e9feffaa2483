# Each target installs what it needs first; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test parts soak bench lint format types imports clean

# Arguments for the program behind a target: make demo ARGS="--faults", make test ARGS="tests/unit -k bins"
ARGS ?=

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15

demo: ## run everything on embedded parts: no root, no Docker; console on 127.0.0.1:8080
	@.ci/venv demo && exec .venv/bin/subak demo $(ARGS)

test: ## set up what the tests need and run them all
	@.ci/venv test && .venv/bin/python -m tests.support.install && exec .venv/bin/python -m pytest $(ARGS)

parts: ## install the brokers, databases and browser that tests need (root and npm help)
	@.ci/venv test && exec .venv/bin/python -m tests.support.install

soak: parts ## random faults under load until one loses or doubles something: make soak ARGS="--faults 200 --seed 1"
	@exec .venv/bin/python -m tests.acceptance.soak $(ARGS)

bench: parts ## figures of this machine: throughput, latency, memory, each with its ratio to the limit
	@exec .venv/bin/python -m tests.benchmarks.bench $(ARGS)

lint: ## check style
	@.ci/venv dev && .venv/bin/ruff check $(ARGS) && exec .venv/bin/ruff format --check $(ARGS)

format: ## put code into style
	@.ci/venv dev && .venv/bin/ruff check --fix $(ARGS) && exec .venv/bin/ruff format $(ARGS)

types: ## check types
	@.ci/venv dev && exec .venv/bin/mypy $(ARGS)

imports: ## check that imports only point one way
	@.ci/venv dev && exec .venv/bin/lint-imports $(ARGS)

clean: ## remove what was made here (.venv, the demo's data, caches)
	@rm -rf .venv .subak .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: fuzz
fuzz: ## damage a million messages of all dialects: make fuzz ARGS="--payloads 100000 --seed 7"
	@.ci/venv test && exec .venv/bin/python -m tests.fuzz.run $(ARGS)

.PHONY: bench-queries
ROWS ?= 3000000
bench-queries: ## how long Grafana's queries take on many bins: make bench-queries ROWS=100000000 ARGS="--level apache"
	@.ci/venv test && exec .venv/bin/python -m tests.benchmarks.queries --rows $(ROWS) $(ARGS)

.PHONY: bench-signals
bench-signals: ## cost of the signal measures, beside atspm
	@.ci/venv test && exec .venv/bin/python -m tests.benchmarks.signals $(ARGS)

.PHONY: bench-camera
bench-camera: ## what a camera costs, and how well it counts: clip x detector
	@.ci/venv test && .venv/bin/python -m tests.benchmarks.camera && exec .venv/bin/python -m tests.benchmarks.camera_table $(ARGS)

# Works with GNU make 3.81 (macOS) and later. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# Processes that share the tests out: tests wait more than they compute, so a few more than cores. 0 is for none but
# pytest's own, which also a plain `pytest` is.
WORKERS ?= 3

.PHONY: help demo demo-once demo-clean test check bench clean install install-test

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# `exec` leaves no shell between make and the program, so that Ctrl-C and SIGTERM reach it and make waits for it.
demo: install ## Run the demo: local servers, ten contacts, a live table; Ctrl-C stops, the data stays
	@exec $(BIN)/onward demo

demo-once: install ## Run the demo unattended and check it (JSON=FILE writes the summary there)
	@exec $(BIN)/onward demo --once $${JSON:+--json "$$JSON"}

demo-clean: install ## Forget the demo's data
	@exec $(BIN)/onward demo --forget

test: check ## Run everything the project tests (WORKERS=0 one after another)
	@echo "onward: tests" >&2
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist load --maxschedchunk 8 --max-worker-restart 0

check: install-test ## Linter, formatter, types and the imports between the rooms
	@echo "onward: ruff, mypy, import-linter" >&2
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: install-test ## Run the benchmarks (ARGS=... is passed on)
	@exec $(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove .venv and everything built; the demo's data stays (see demo-clean)
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: ## Make .venv with what the demo needs (done by itself where needed)
	@PYTHON='$(PYTHON)' sh tools/install.sh embedded

install-test: ## Make .venv with what the tests need (done by itself where needed)
	@PYTHON='$(PYTHON)' sh tools/install.sh embedded,test
	@$(BIN)/python tools/browser.py >/dev/null

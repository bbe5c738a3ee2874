# One command does everything: `make demo` or `make test`. What a step has done already is not done again.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test quick fuzz venv lint docs bench sample clean system

VENV := .venv
BIN := $(VENV)/bin
WINDOW := tools/with-display
# Two processes, each window module in one of them (tests/conftest.py); PYTEST_ARGS='-n 0 -k words' runs some tests in one.
PYTEST := -m pytest -n 2 --dist loadscope
PYTEST_ARGS ?=
DATA ?=
BENCH_ON_DATA := benchmarks/bench_stars.py benchmarks/bench_fill.py

help:  ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: system $(VENV)/.made  ## napari on a sample galaxy with its maps predicted; without a display, demo.png
	@if [[ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]]; then \
	    exec $(BIN)/galaxy-maps demo; \
	else \
	    $(WINDOW) $(BIN)/galaxy-maps demo --screenshot demo.png && echo "There is no display here: the window is in demo.png."; \
	fi

test: system $(VENV)/.made  ## Every test, the window's in a real one (under Xvfb where there is no display)
	@OMP_NUM_THREADS=1 $(WINDOW) $(BIN)/python $(PYTEST) $(PYTEST_ARGS)

quick: $(VENV)/.made  ## The tests that are neither slow nor open a window, in about a minute
	@OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) --dist loadfile -m 'not slow and not window and not realdata' $(PYTEST_ARGS)

fuzz: $(VENV)/.made  ## Damaged files by the thousand: COUNT=30000 of them, others each time (SEED=N: the same)
	@GALAXY_MAPS_FUZZ=$(or $(COUNT),30000) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --timeout 36000 tests/fuzz $(if $(SEED),--hypothesis-seed=$(SEED)) $(PYTEST_ARGS)

venv: $(VENV)/.made  ## The virtual environment .venv, from constraints.txt

lint: $(VENV)/.made  ## ruff, mypy and the napari manifest
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/npe2 validate napari-galaxy-maps

docs: $(VENV)/.docs  ## The documentation as web pages, in build/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/docs 2>&1 | { grep -v '^INFO' || true; }
	@echo "Open build/docs/index.html."

bench: system $(VENV)/.made  ## Every benchmark (see benchmarks/README.md); DATA=folder for those on real data
	@for file in benchmarks/bench_*.py; do \
	    if [[ " $(BENCH_ON_DATA) " != *" $$file "* ]]; then echo "== $$file"; $(WINDOW) $(BIN)/python $$file; \
	    elif [[ -n "$(DATA)" ]]; then echo "== $$file $(DATA)"; $(WINDOW) $(BIN)/python $$file "$(DATA)"; \
	    else echo "== $$file is left out: it needs the real data (make bench DATA=folder)"; fi; \
	done

sample: $(VENV)/.made  ## Make the sample galaxies again
	@$(BIN)/python sample_data/make_sample_galaxies.py

clean:  ## Remove what make has made, .venv included
	@rm -rf $(VENV) build demo.png

system:  # takes milliseconds when all is there
	@tools/system-packages

# The stamp lies inside .venv: one that somebody removed is made again.
$(VENV)/.made: constraints.txt pyproject.toml tools/make-venv
	@tools/make-venv $(VENV)
	@touch $@

$(VENV)/.docs: $(VENV)/.made
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

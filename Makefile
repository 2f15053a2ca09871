# What a developer types, in an environment with `python -m pip install -e ".[test,lint]"`.
PYTHON ?= python
SECONDS ?= 60
KILLS ?= 20
HARNESS = PYTHONPATH=.:tests $(PYTHON) -m
HEADERS = $(shell find spikenn_cy benchmarks -name '*.h')

.PHONY: help build test quick lint format types docs bench fuzz kill plant sanitize load release clean

help: ## list these
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read name what; do printf '%-10s%s\n' "$$name" "$$what"; done

build: ## compile what has changed, with all processors
	$(PYTHON) setup.py --quiet build_ext --inplace

test: ## all tests but those that look at a clock
	$(PYTHON) -m pytest

quick: ## tests of every room of the package, in a minute
	$(PYTHON) -m pytest -m quick

lint: ## look for what tools find in Python, Cython and C
	ruff check .
	ruff format --check .
	cython-lint spikenn_cy
	clang-format --dry-run --Werror $(HEADERS)

format: ## let tools mend what they can
	ruff check --fix .
	ruff format .
	clang-format -i $(HEADERS)

types: ## check the types of the package
	mypy

docs: ## build the site into build/site (extra docs)
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet --site-dir build/site

bench: ## hold cost to its laws, and measure each goal once, on a machine that does nothing else
	$(PYTHON) -m pytest -m bench
	$(PYTHON) -m benchmarks.targets --quick

fuzz: ## attack with damaged files: make fuzz SECONDS=3600 SEED=7
	$(HARNESS) fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

kill: ## kill every command KILLS times, go on with it, and compare all bytes
	$(HARNESS) harness.kill --kills $(KILLS) $(if $(SEED),--seed $(SEED))

plant: ## plant faults in a copy, one after the other, and list those that no test sees
	$(HARNESS) harness.plant

sanitize: ## run kernels and damaged files under sanitizers, in a copy
	$(HARNESS) harness.sanitize --seconds $(SECONDS)

load: ## do mixed work for SECONDS and watch what may grow
	$(HARNESS) harness.load --seconds $(SECONDS)

release: ## look whether this commit can be released, with its wheel on every Python here
	$(PYTHON) .ci/release

clean: ## remove what was built, and what tools keep
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .asv
	find spikenn_cy '(' -name '*.so' -o -name '*.c' -o -name '*.html' ')' -delete
	find benchmarks docs spikenn_cy tests -name __pycache__ -prune -exec rm -rf '{}' +

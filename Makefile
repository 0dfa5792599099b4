# Every target makes its own environment first if it is missing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow lint docs site bench cluster

demo: .venv/installed
	$(BIN)/scribblebench make-dataset --shrink 0.5
	$(BIN)/scribblebench run --grid shrink
	$(BIN)/scribblebench report

# A file's tests stay in one process: they share what is costly to make.
test: .venv/installed
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

slow: .venv/installed
	$(BIN)/pytest -m slow

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: .venv/installed
	$(BIN)/python docs/methods.py
	$(BIN)/python docs/cards.py

# The documents with the API's pages, for a browser: site/index.html. A broken link fails.
site: .venv/installed
	$(BIN)/python -m pip install -q -e '.[docs]'
	$(BIN)/python -m mkdocs build --strict

# Ratios to peers and floors, a quarter of an hour on two free cores; VOC=DIR measures on its photographs.
bench: .venv/installed
	$(BIN)/python benchmarks/all.py $(if $(VOC),--data-dir $(VOC))

# A Slurm of two nodes on this machine: needs Debian and root, ten minutes.
cluster: .venv/installed
	$(BIN)/python tests/cluster/cluster.py

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -e '.[dev]'
	touch $@

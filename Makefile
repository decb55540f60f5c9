# Everything that a fresh machine needs is set up by the first target that needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: reproduce test storm lint docs docs-open bench clean

reproduce: $(READY)
	$(BIN)/synaptree reproduce --preset quick

test: $(READY)
	bash tools/chromium.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pytest -n 2 --dist worksteal

# Random kills and full disks for three minutes; its last result stands in docs/cluster.md.
storm: $(READY)
	$(BIN)/pytest -s tests/storm/storm.py

lint: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/pyright
	$(BIN)/python tools/prose.py

# The documentation as a site, in site/html; nothing is fetched while it is built.
docs: $(READY)
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -d site/.doctrees docs site/html

docs-open: docs
	$(BIN)/python -m webbrowser -t "file://$(CURDIR)/site/html/index.html"

bench: $(READY)
	$(BIN)/python benchmarks/results.py

# torch first and by itself: the constraints pin the build that was tested.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "synaptree needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $(READY)

clean:
	rm -rf $(VENV) runs site .pytest_cache .ruff_cache .hypothesis

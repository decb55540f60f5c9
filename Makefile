# Everything that a fresh machine needs is set up by the first target that needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: reproduce test storm lint bench clean

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
	rm -rf $(VENV) runs .pytest_cache .ruff_cache .hypothesis

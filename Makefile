# Each target sets itself up in .venv, and is quick when repeated.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help demo test docs package conformance lint clean

help:
	@echo "make demo   train, sample, export and serve on the built-in corpus (minutes)"
	@echo "make test   the whole test suite"
	@echo "make docs   the documentation's site, in site"
	@echo "make conformance TARGET=host:port MODEL=textvae   does a server answer as it should?"
	@echo "make lint   ruff check, ruff format --check and ty check"
	@echo "make package   the wheel and the sdist, in dist; the wheel installed and imported"
	@echo "make clean  remove what the targets made"

$(INSTALLED): setup.py
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, not {v[0]}.{v[1]}. Try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,classify,eval,docs,playground,plot,jax,serving,tune]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/python examples/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The variable silences an advertisement of Material's.
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --config-file docs/site/mkdocs.yml

package: $(INSTALLED)
	rm -rf build dist
	$(BIN)/python -m build --outdir dist
	$(PYTHON) -m venv build/fresh
	build/fresh/bin/python -m pip install --quiet dist/*.whl
	cd build/fresh && bin/python -c 'import keras_textvae as k; print("installed:", k.__file__); print(*k.TextSpace.from_preset("short-english").sample(3), sep="\n")'

conformance: $(INSTALLED)
	$(BIN)/python -m pytest -s tests/conformance --cases=2000 --repeat=100 \
	  $(if $(TARGET),--target=$(TARGET)) $(if $(MODEL),--model=$(MODEL))

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/ty check

clean:
	rm -rf $(VENV) runs *.egg-info build dist site .pytest_cache .ruff_cache .hypothesis

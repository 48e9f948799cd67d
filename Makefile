# Two commands: `make demo` makes everything from nothing; `make test` proves it.
# Needs git, make and any Python 3. uv (and through it Python 3.13) is brought into .uv/ where absent.

PYTHON3 ?= python3
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin
READY := .venv/.ready
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: demo test check bench lock clean format
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/desist demo --out build/demo

test: $(READY)
	$(THREADS) $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks --out build/bench.json

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins and hashes for every platform, and no addresses.
lock: $(UV)
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.13 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade --quiet --output-file requirements.lock

$(READY): requirements.lock pyproject.toml .python-version | $(UV)
	$(UV) venv --quiet --clear --python 3.13 .venv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode --requirements requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.uv/bin/uv:
	$(PYTHON3) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) \
	  || $(PYTHON3) -m pip install --quiet --disable-pip-version-check --target .uv uv==$(UV_VERSION)

clean:
	rm -rf build .venv .uv .mypy_cache .ruff_cache

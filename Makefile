# make demo   train a style, export it, stylize a photo (5 minutes on 2 cores)
# make test   all tests
# make check  ruff and mypy
# make styles PAINTINGS=folder PHOTOS=folder   train the styles that come with nst anew; with
#             TEST=folder measure them on other photos
# make bench  measure the speed of training, networks, videos, the webcam loop and the web page
# Each makes its own .venv first. PYTHON=python3.12 chooses another Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TYPES := .cache/types
PACKAGES := configs export infer models train

.PHONY: demo styles test check bench clean
.DEFAULT_GOAL := test

demo: $(INSTALLED)
	$(BIN)/python demo/run.py

styles: $(INSTALLED)
	@test -n "$(PAINTINGS)" -a -n "$(PHOTOS)" || \
		{ echo "name two folders: make styles PAINTINGS=folder PHOTOS=folder" >&2; exit 2; }
	for tier in realtime quality; do \
		$(BIN)/python demo/styles.py --tier $$tier --paintings "$(PAINTINGS)" --photos "$(PHOTOS)" \
			$(if $(TEST),--test "$(TEST)") || exit; \
	done

# A process per core, of one thread: most of the time goes into tracing graphs, which takes one.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p $(TYPES)/nst
	@for package in $(PACKAGES); do ln -sfn ../../../$$package $(TYPES)/nst/$$package; done
	MYPYPATH=$(TYPES) $(BIN)/mypy -p nst
	MYPYPATH=$(TYPES):tests/helpers:tests/benchmarks:demo $(BIN)/mypy tests demo

bench: $(INSTALLED)
	$(BIN)/python tests/benchmarks/training_speed.py
	$(BIN)/python tests/benchmarks/optimize_speed.py
	$(BIN)/python tests/benchmarks/network_speed.py
	$(BIN)/python tests/benchmarks/video_throughput.py
	PYTHONPATH=tests/helpers $(BIN)/python tests/benchmarks/live_loop.py
	PYTHONPATH=tests/helpers $(BIN)/python tests/benchmarks/browser_speed.py

clean:
	rm -rf $(VENV) .cache build dist *.egg-info

# uv installs torch and the rest in well under a minute; pip does it where uv is not to be had.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nst needs Python 3.11 or newer: make PYTHON=python3.12" >&2; exit 2; }
	@if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV) && \
		uv pip install --quiet --python $(BIN)/python -e '.[train]' --group dev; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		if $(BIN)/python -m pip install --quiet uv; then \
			$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[train]' --group dev; \
		else \
			$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
			$(BIN)/python -m pip install --quiet -e '.[train]' --group dev; \
		fi; \
	fi
	@touch $@

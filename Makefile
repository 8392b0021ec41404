# make run     set up all that is needed and serve on http://127.0.0.1:8000 (PORT=, DATA=)
# make test    all tests, with all that they need
# make check   format, lint, types, import rules
# make bench   how fast it is, beside what else could be used
# make soak    half an hour of a site in use (MINUTES=30), after make test: memory stays flat, no byte is lost
# make faults  200 random kills (CYCLES=) while people use a site: nothing is left without an owner
# make clean   remove what the others have built; data in var/ stays
PYTHON ?= python3
PORT ?= 8000
DATA ?= var

.PHONY: help run test check bench soak faults clean
help:
	@sed -n 's/^# make/make/p' Makefile

run test check bench:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer." >&2; exit 1; }
	@exec $(PYTHON) -m deploy.launcher $@ --port "$(PORT)" --data "$(DATA)"

soak:
	@exec .venv/bin/python -m tests.soak $(or $(MINUTES),30)

faults:
	@FAULT_CYCLES=$(or $(CYCLES),200) exec .venv/bin/python -m pytest -q -s tests/faults/test_random_kills.py

clean:
	rm -rf build frontend/node_modules playground/static/build test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .venv

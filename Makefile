# Two commands on a fresh machine (Python 3.11, make, gcc): `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := # whoever sets it: each of the tests' many processes would compile the program anew

.PHONY: help install dev demo test test-long chromium dovecot check bench golden messages lock
help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## the program in .venv/bin/tansiq
dev: $(VENV)/.dev ## the same and what the tests need

$(VENV)/.installed: requirements.lock pyproject.toml $(wildcard src/tansiq/locale/*/LC_MESSAGES/*.po)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	$(BIN)/python -m tansiq.core.language
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

demo: install ## the main job on 200,000 lines of sample data, then the federation in the browser
	$(BIN)/tansiq demo

test: dev check chromium dovecot ## everything but the long ones
	$(BIN)/python -m pytest -n 3 -m "not long" --ignore tests/e2e
	$(BIN)/python -m pytest -n 2 -m "not long" tests/e2e # apart: the browser's event loop stays in its process

test-long: dev chromium dovecot ## hundreds of kills, large files, every page in the browser, all of it on PostgreSQL
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || (apt-get update -q && apt-get install -y -q postgresql)
	$(BIN)/python -m pytest -n 2 -m long -s --ignore tests/e2e
	$(BIN)/python -m pytest -n 2 -m long tests/e2e
	TANSIQ_TEST_DATABASE=postgresql $(BIN)/python -m pytest -n 2 -m "not long" tests/integration
	TANSIQ_TEST_DATABASE=postgresql $(BIN)/python -m pytest -n 2 -m long tests/integration/test_walk.py

chromium: # the browser of the tests
	@test -x /usr/bin/chromium || (apt-get update -q && apt-get install -y -q --no-install-recommends chromium) \
		|| echo "Chromium is missing and cannot be installed here (apt-get, as root): tests with a browser are skipped."

dovecot: # the IMAP server of the tests; not where installing it would start it as a service
	@test -x /usr/sbin/dovecot || (test ! -d /run/systemd/system && apt-get update -q \
		&& apt-get install -y -q --no-install-recommends dovecot-imapd) \
		|| echo "Dovecot is missing and not installed by itself (apt-get install dovecot-imapd): tests of mailboxes are skipped."

check: dev ## style, types, import order
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: dev ## figures: the main job beside the hand-written reference, the portal, the exchange; takes an hour or two
	$(BIN)/python -m bench
	$(BIN)/python -m bench.portal
	for part in envelope sealing receiving compare backbone blobs lab; do $(BIN)/python -m bench.$$part || exit; done

golden: dev ## write the golden outputs anew; read the diff before you commit it
	$(BIN)/python -m pytest -m "not long" tests/golden tests/integration/test_walk.py --regenerate

messages: dev ## bring the catalogues up to date with what the program says; then translate what is empty
	@set -e; pot=$$(mktemp); trap 'rm -f "$$pot"' EXIT; \
	$(BIN)/pybabel -q extract -F babel.cfg -k N_ -k gettext_lazy -k ngettext_lazy:1,2 -k pgettext_lazy:1c,2 --add-location=file --no-wrap --sort-by-file --project=tansiq -o "$$pot" src/tansiq; \
	for language in ar en fr; do \
		$(BIN)/pybabel -q update -D django -l $$language -d src/tansiq/locale -i "$$pot" \
			--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap; \
	done
	$(BIN)/python -m tansiq.core.language

lock: dev ## pin every dependency anew, with hashes
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

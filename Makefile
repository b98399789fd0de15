# `make demo`, `make test`: everything else is set up on the way.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
WORKERS ?= -n 2 --dist worksteal
POSTGRES_URL ?= postgresql://postgres@127.0.0.1:5432/postgres

.PHONY: demo serve test test-postgres worlds proofs check bench screenshots messages requirements clean

demo: $(READY)  ## a seeded company on an embedded mail server; ONCE=1: sync, print the ledger, end
	$(BIN)/letterdesk demo $(if $(ONCE),--once)

serve: $(READY)  ## Letterdesk on your own data folder
	$(BIN)/letterdesk run

test: $(READY)  ## all tests, on the embedded default
	$(BIN)/pytest $(WORKERS)

test-postgres: $(READY)  ## store, sync and jobs once more, on PostgreSQL with Redis (standard ports)
	DATABASE_URL=$(POSTGRES_URL) JOBS_URL=redis://127.0.0.1:6379/9 $(BIN)/pytest $(WORKERS) letterdesk/lib letterdesk/accounts letterdesk/events letterdesk/plans letterdesk/mailboxes letterdesk/crm letterdesk/intake letterdesk/outbound letterdesk/tasks letterdesk/tenancy letterdesk/sync tests/sync

worlds: $(READY)  ## the rules of storage against a reference model in 100,000 random worlds, some minutes; WORLDS=5000: fewer
	WORLDS=$(or $(WORLDS),100000) $(BIN)/pytest -q $(WORKERS) tests/test_worlds.py

proofs: $(READY)  ## every crash point and cut of which the tests try a sample, some minutes
	WHOLE=1 $(BIN)/pytest $(WORKERS) -m sampled

check: $(READY)  ## lint, types, import contract, migrations, deployment settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --target-version 5.2 --check $$(git ls-files '*.html')
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	LETTERDESK_URL=https://mail.example.org $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(READY)  ## figures beside their peers; QUICK=1: a small round within a minute; PART="live web": these alone
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(PART)

screenshots: $(READY)  ## every screen in light, dark and on a telephone into build/screens; BEST=1: those of the README, too
	$(BIN)/python -m tests.screens build/screens $(if $(BEST),--best)

messages: $(READY)  ## all texts into letterdesk/locale, for translators, and compiled
	$(BIN)/python -m tests.rig.messages --write

requirements: $(READY)  ## compile requirements/*.in with hashes
	$(BIN)/python -m pip install --quiet uv
	for part in run develop; do $(BIN)/uv pip compile requirements/$$part.in -o requirements/$$part.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet; done

$(READY): requirements/develop.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/develop.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache build

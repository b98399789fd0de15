"""The scripts of a page, with all that they import, as they travel: what may a page weigh (quality.md)."""

import gzip
import re
from pathlib import Path

import pytest
from django.utils import timezone

import letterdesk.web
from letterdesk.outbound import drafts

FOLDER = Path(letterdesk.web.__file__).parent / "static"
IMPORTED = re.compile(r'^import (?:.+ from )?"(\.[^"]+)";', re.MULTILINE)  # not import("…"), which comes when wanted
MOST_WHERE_ONE_WRITES = 40_000  # bytes; ux.md 5.3 wants 60,000


def scripts_of(page):
    """The files that a browser fetches before the page is ready, and the worker that it starts."""
    named = re.findall(r'(?:<script[^>]* src|data-live-worker)="/static/([^"]+)"', page)
    found, waiting = set(), [FOLDER / each for each in named]
    while waiting:
        file = waiting.pop().resolve()
        if file not in found:
            found.add(file)
            waiting += [file.parent / each for each in IMPORTED.findall(file.read_text())]
    return found


def weight(files):
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


@pytest.fixture
def page(browser, mailbox, ines):
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])
    draft = drafts.start(mailbox, by=ines, now=timezone.now())
    return browser.get(f"/drafts/{draft.public_id}").content.decode()


def test_where_one_writes_the_scripts_stay_light(page):
    files = scripts_of(page)
    assert {"compose.js", "editor.js", "squire-2.4.8.min.js", "live-worker.js"} <= {file.name for file in files}
    assert weight(files) <= MOST_WHERE_ONE_WRITES, sorted((weight([file]), file.name) for file in files)


def test_all_that_is_imported_later_is_there(page):
    for file in (FOLDER / "web/js").glob("*.js"):
        for name in re.findall(r'import\("(\./[^"]+)"\)', file.read_text()):
            assert (file.parent / name).is_file(), (file.name, name)

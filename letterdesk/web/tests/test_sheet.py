"""The style sheet: one answer, named by its content, with every component in it."""

import gzip

import pytest
from django.test import Client

from letterdesk.web.sheet import FOLDER, SHEETS, sheet

APART = {"print", "noscript"}


def test_every_file_is_in_it_once_or_apart():
    files = {str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.css")}
    assert set(SHEETS) | APART == files
    assert len(SHEETS) == len(set(SHEETS))
    assert SHEETS[0] == "layers"  # says which layer wins


@pytest.mark.django_db
def test_pages_name_it_and_a_browser_keeps_it_for_a_year():
    client = Client(HTTP_HOST="127.0.0.1")
    page = client.get("/accounts/login/").content.decode()
    assert page.count('rel="stylesheet"') == 3
    assert f'href="{sheet().address}"' in page
    answer = client.get(sheet().address, headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Type"] == 'text/css; charset="utf-8"'
    assert "immutable" in answer["Cache-Control"]
    assert gzip.decompress(answer.content) == sheet().content
    assert b".task-card" in client.get(sheet().address).content


@pytest.mark.django_db
def test_an_older_name_is_not_answered_with_newer_content():
    assert Client(HTTP_HOST="127.0.0.1").get("/static/web/all-000000000000.css").status_code == 404

"""Every failure class of the catalogue has a test that names it, or an honest line that says why not yet."""

import pytest

from tests.rig.cases import BEYOND, CASES
from tests.rig.catalogue import DOCUMENT, not_yet, proofs_by_case, written


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_proved_or_says_why_not_yet(case):
    assert case in proofs_by_case() or case in not_yet(DOCUMENT.read_text("utf-8"))


def test_no_test_names_a_case_that_does_not_exist():
    known = CASES.keys() | BEYOND.keys()
    later = {case for case in proofs_by_case() if case not in known}
    assert all(case[0] in "ABCDEFG" and case[1:].isdigit() for case in later), later


def test_what_is_proved_is_not_called_missing():
    assert not proofs_by_case().keys() & not_yet(DOCUMENT.read_text("utf-8")).keys()


def test_the_table_in_the_document_is_up_to_date():
    text = DOCUMENT.read_text("utf-8")
    assert text == written(text), "run python -m tests.rig.catalogue --write"

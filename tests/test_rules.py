"""Every rule of mail storage has a test that names it, or an honest line that says why not yet."""

import pytest

from tests.rig.rules import DOCUMENT, RULES, not_yet, proofs, rules_in, written


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_proved_or_says_why_not_yet(rule):
    assert (rule in proofs()) != (rule in not_yet(DOCUMENT.read_text("utf-8")))


def test_the_table_in_the_document_is_up_to_date():
    text = DOCUMENT.read_text("utf-8")
    assert text == written(text), "run python -m tests.rig.rules --write"


def test_rules_are_found_by_number_and_by_range():
    assert rules_in("R1–R3 and R14, but neither R0 nor R31 nor AR5") == {"R1", "R2", "R3", "R14"}

"""What a letter does to a conversation of a team."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from letterdesk.team.decide import Letter, Standing, after, closed, given

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EARLIER = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CUSTOMERS = Letter(AT, {"inbox"})
OURS = Letter(AT, {"sent"}, is_ours=True)


@pytest.mark.parametrize("status", ["waiting", "closed"])
def test_a_customers_answer_opens_it_again_for_whom_it_was_before(status):
    assert after(Standing(status, assignee=7), CUSTOMERS) == Standing("open", assignee=7, waiting_since=AT)


def test_a_second_letter_does_not_make_the_wait_shorter():
    assert after(Standing("open", waiting_since=EARLIER), CUSTOMERS).waiting_since == EARLIER


def test_an_automatic_answer_opens_nothing_again_but_is_new_work_by_itself():
    automatic = replace(CUSTOMERS, is_automatic=True)
    assert after(Standing("closed"), automatic) == Standing("closed")
    assert after(Standing("waiting"), automatic) == Standing("waiting")
    assert after(Standing(), automatic) == Standing("open")


def test_our_answer_makes_it_wait_and_never_opens_what_is_closed():
    assert after(Standing("open", assignee=7, waiting_since=EARLIER), OURS) == Standing("waiting", assignee=7)
    assert after(Standing(), OURS) == Standing("waiting")
    assert after(Standing("closed"), OURS) == Standing("closed")
    assert after(Standing("open"), replace(OURS, is_automatic=True)) == Standing("open")


def test_history_opens_what_lies_in_the_inbox_and_changes_nothing_else():
    history = replace(CUSTOMERS, is_history=True)
    assert after(Standing(), history) == Standing("open")
    assert after(Standing(), replace(history, roles={"archive"})) == Standing()
    assert after(Standing("closed"), history) == Standing("closed")
    assert after(Standing("open"), replace(OURS, is_history=True)) == Standing("open")


@pytest.mark.parametrize("roles", [{"spam"}, {"trash"}, {"drafts"}, {"spam", "all"}, {"drafts", "all", ""}, set()])
def test_what_lies_aside_or_nowhere_changes_nothing(roles):
    assert after(Standing("closed"), replace(CUSTOMERS, roles=roles)) == Standing("closed")


def test_a_rule_on_the_server_that_files_an_answer_elsewhere_does_not_hide_it():
    assert after(Standing("closed"), replace(CUSTOMERS, roles={""})).status == "open"


def test_closing_ends_the_wait_and_giving_opens_what_was_nothing():
    assert closed(Standing("open", 7, None, AT)) == Standing("closed", 7)
    assert given(Standing(), assignee=7, department=None) == Standing("open", 7)
    assert given(Standing("closed", 7), assignee=None, department=3) == Standing("closed", None, 3)

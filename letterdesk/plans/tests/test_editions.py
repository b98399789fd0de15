"""Editions of a catalogue: what is sold from a date on, judged by the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from letterdesk.plans.catalogue import CatalogueError, catalogue, terms_of
from letterdesk.plans.change import change_plan, choose_next
from letterdesk.plans.compare import Difference, compare
from letterdesk.plans.limits import terms
from letterdesk.plans.read import read
from letterdesk.plans.rows import UnknownPlan

from .test_catalogue import OWN

BEGINS = datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ROW = OWN[OWN.index("[[plan]]") :]
TWO = OWN + ROW.replace('"small"', '"large"').replace("Kleine", "Große").replace("= 2", "= 9")


def edition(row=ROW, *, begins="2027-01-01", version=4):
    return f"[[edition]]\nversion = {version}\nfrom = {begins}\n{row.replace('[[plan]]', '[[edition.plan]]')}"


SMALLER = edition(ROW.replace("= 2", "= 1"))
MEDIUM = edition(ROW.replace('"small"', '"medium"').replace("Kleine", "Mittlere"), begins="2027-02-01", version=5)


@pytest.fixture
def sell(settings, tmp_path):
    """Put a catalogue with this text in force."""

    def put(text):
        file = tmp_path / "ours.toml"
        file.write_text(text, "utf-8")
        settings.CATALOGUE = str(file)
        return file

    return put


def test_an_edition_holds_from_midnight_in_utc_and_leaves_the_other_plans(sell):
    sell(TWO + SMALLER)
    before, after = catalogue(BEGINS - SECOND), catalogue(BEGINS)
    assert (before.version, before.plan("small").mailboxes_per_employee) == (3, 2)
    assert (after.version, after.plan("small").mailboxes_per_employee) == (4, 1)
    assert before.plan("large") == after.plan("large")
    assert list(after.plans) == ["small", "large"]


def test_an_edition_builds_on_the_one_before_it(sell):
    sell(TWO + SMALLER + MEDIUM)
    later = catalogue(BEGINS + timedelta(days=31))
    assert (later.version, later.plan("small").mailboxes_per_employee) == (5, 1)
    assert list(later.plans) == ["small", "large", "medium"]


def test_unspecified_is_read_as_the_other_plan_stands_in_the_same_edition(sell):
    like = ROW.replace('"small"', '"like"').replace("days_kept = 7", 'days_kept = "unspecified"')
    sell(TWO + like + 'reads_unspecified = "as:small"\n' + edition(ROW.replace("_kept = 7", "_kept = 5")))
    days = [terms_of(catalogue(at).plan("like"), at).days_kept for at in (BEGINS - SECOND, BEGINS)]
    assert days == [7, 5]


def test_what_an_account_may_do_changes_to_the_second_without_a_job(on_plan, sell):  # R11
    account = on_plan("small")
    sell(TWO + SMALLER)
    assert terms(account, now=BEGINS - SECOND).mailboxes_per_employee == 2
    assert terms(account, now=BEGINS).mailboxes_per_employee == 1


def test_a_plan_of_a_later_edition_is_chosen_for_its_time_and_not_before(on_plan, sell, now):
    account = on_plan("small")
    sell(TWO + MEDIUM)
    with pytest.raises(UnknownPlan):
        change_plan(account, "medium", by=None, now=now)
    begins = datetime(2027, 2, 1, tzinfo=UTC)
    choose_next(account, "medium", at=begins, by=None, now=now)
    assert terms(account, now=begins).key == "medium"


def test_the_page_says_what_will_be_different_from_when(sell, now):  # R3
    sell(TWO + SMALLER + MEDIUM)
    first, second = compare(now=now).later
    assert (first.day, second.day) == (date(2027, 1, 1), date(2027, 2, 1))
    label = "Connected mailboxes per employee"
    assert first.differences == (Difference("Kleine Lösung", label, "2", "1"),)
    assert {(each.plan, each.before) for each in second.differences} == {("Mittlere Lösung", "")}
    assert [each.day for each in compare(now=BEGINS).later] == [date(2027, 2, 1)]


def test_a_catalogue_without_editions_says_nothing_of_later(commercial, now):
    assert compare(now=now).later == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (edition().replace("from = 2027-01-01\n", ""), "edition 1: from is missing"),
        (edition(begins='"2027-01-01"'), "edition 1, from: '2027-01-01' is no date"),
        (edition(begins="2027-01-01T08:00:00Z"), "is no date"),
        (edition(version=3), "edition 1, version: 3 is not above 3"),
        (edition(""), "edition 1: there is no [[edition.plan]]"),
        (edition("plan = [7]\n"), "edition 1: there is no [[edition.plan]]"),
        (edition(ROW + ROW), "edition 1: two plans have the same key"),
        (edition() + edition(version=5), "edition 2, from: it does not begin after the edition before it"),
        (edition().replace("version = 4", 'version = 4\ntrial = "small"'), "edition 1: trial is not known here"),
        (edition(ROW.replace("_kept = 7", "_kept = -7")), "edition 1, plan 1 (small), days_kept: -7 is neither"),
        (edition(ROW.replace("days_kept = 7", 'days_kept = "unspecified"')), "plan small, reads_unspecified"),
        (
            edition(ROW.replace("true", "false").replace("= 2", '= "none"').replace("= 7", '= "none"')
                    .replace('mailboxes = "unlimited"', 'mailboxes = "none"')),
            "plan small, integration: an edition does not give or take Webmail",
        ),
    ],
)  # fmt: skip
def test_a_wrong_edition_is_refused_with_words(sell, text, complaint):
    file = sell(TWO + text)
    with pytest.raises(CatalogueError) as error:
        read(file)
    assert complaint in str(error.value)


def test_an_edition_that_is_no_table_and_a_second_plan_beside_the_only_one_are_refused(sell):
    with pytest.raises(CatalogueError, match="written as"):
        read(sell("edition = 7\n" + TWO))
    with pytest.raises(CatalogueError, match="everybody's"):
        read(sell(OWN + MEDIUM))


def test_the_operators_reading_of_unspecified_must_fit_every_edition(sell, settings):
    settings.UNSPECIFIED = "as:small"
    open_ended = ROW.replace("days_kept = 7", 'days_kept = "unspecified"') + 'reads_unspecified = "zero"\n'
    sell(TWO + edition(open_ended))
    with pytest.raises(CatalogueError, match="LETTERDESK_UNSPECIFIED"):
        catalogue(BEGINS - SECOND)

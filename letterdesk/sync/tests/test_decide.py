"""What is done in a folder, case by case, without server and database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from letterdesk.mail.imap import Flags
from letterdesk.mail.uidset import UidSet
from letterdesk.sync.decide import (
    Ask,
    Brake,
    Calm,
    Compare,
    Expunged,
    FetchNew,
    FetchOld,
    FlagsChangedSince,
    FlagsOf,
    FlagsTold,
    Learn,
    Local,
    LookAgain,
    Rebuild,
    Remote,
    Rules,
    Stall,
    Unhide,
    ask,
    decide,
    with_answers,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = Rules()


def uids(text: str) -> UidSet:
    return UidSet.parse(text)


def settled(text: str = "1:100", **changes: object) -> Local:
    """A folder of which everything is here."""
    there = uids(text)
    local = Local(
        uidvalidity=7, uidnext=there.max() + 1 if there else 1, modseq=50, history_end=101, known=there, placed=there,
        flags_checked_at=NOW - HOUR,
    )  # fmt: skip
    return replace(local, **changes)


def server(text: str = "1:100", **changes: object) -> Remote:
    """The same folder on the server, as SELECT tells of it."""
    there = uids(text)
    remote = Remote(uidvalidity=7, exists=len(there), uidnext=there.max() + 1 if there else 1, modseq=50)
    return replace(remote, **changes)


def searched(text: str, **changes: object) -> Remote:
    return with_answers(server(text, **changes), uids=uids(text))


def test_an_unchanged_folder_asks_nothing_and_does_nothing():
    assert ask(settled(), server(), ALL) is Ask.NOTHING
    assert decide(settled(), server(), now=NOW) == []


def test_the_first_look_learns_all_and_fetches_all_as_history():
    local, remote = Local(uidvalidity=7), server()
    assert ask(local, remote, ALL) is Ask.ALL
    remote = with_answers(remote, uids=uids("1:100"))
    assert ask(local, remote, ALL) is Ask.NOTHING
    assert decide(local, remote, now=NOW) == [
        Learn(uids("1:100"), 101, UidSet(), modseq=50, history_end=101),
        FetchOld(uids("1:100")),
    ]


def test_the_first_look_at_an_empty_folder_makes_all_that_comes_later_new():
    local = Local(uidvalidity=7)
    assert decide(local, server(""), now=NOW) == [Learn(UidSet(), 1, UidSet(), modseq=50, history_end=1)]
    later = replace(local, history_end=1, modseq=50)
    remote = with_answers(server("1", modseq=51), uids=uids("1"))
    assert FetchNew(uids("1")) in decide(later, remote, now=NOW)


def test_letters_too_old_are_learned_and_not_fetched():
    local, rules = Local(uidvalidity=7), Rules(cutoff=NOW - timedelta(days=30))
    remote = with_answers(server(), uids=uids("1:100"))
    assert ask(local, remote, rules) is Ask.DATES
    remote = with_answers(remote, too_old=uids("1:60"))
    assert ask(local, remote, rules) is Ask.NOTHING
    assert decide(local, remote, now=NOW) == [
        Learn(uids("1:100"), 101, uids("1:60"), modseq=50, history_end=101),
        FetchOld(uids("61:100")),
    ]


@pytest.mark.case("A22")
def test_new_mail_is_found_by_uid_though_modseq_stands_still():
    remote = server("1:102", modseq=50)
    assert ask(settled(), remote, ALL) is Ask.ARRIVED
    remote = with_answers(remote, arrived=uids("101:102"))
    assert ask(settled(), remote, ALL) is Ask.NOTHING
    assert decide(settled(), remote, now=NOW) == [Learn(uids("1:102"), 103, UidSet()), FetchNew(uids("101:102"))]


@pytest.mark.case("A06")
@pytest.mark.parametrize("uidnext", [None, 3])
def test_a_missing_or_falling_uidnext_still_finds_new_mail(uidnext):
    remote = server("1:101", uidnext=uidnext)
    assert ask(settled(), remote, ALL) is Ask.ARRIVED
    remote = with_answers(remote, arrived=uids("101"))
    assert FetchNew(uids("101")) in decide(settled(), remote, now=NOW)


@pytest.mark.case("A28")
def test_a_count_that_does_not_fit_makes_us_search():
    remote = server("1:100", exists=101)
    assert ask(settled(), remote, ALL) is Ask.ARRIVED
    remote = with_answers(remote, arrived=UidSet())
    assert ask(settled(), remote, ALL) is Ask.ALL


def test_what_was_not_fetched_before_is_fetched_now_without_asking_again():
    local = settled(placed=uids("50:100"))
    assert ask(local, server(), ALL) is Ask.NOTHING
    assert decide(local, server(), now=NOW) == [FetchOld(uids("1:49"))]


def test_a_new_letter_that_was_not_fetched_before_stays_new():
    local = settled("1:101", placed=uids("1:100"))
    assert decide(local, server("1:101"), now=NOW) == [FetchNew(uids("101"))]


def test_quarantine_is_left_alone_until_a_retry_is_due():
    local = settled(placed=uids("1:99"), quarantined=uids("100"))
    assert decide(local, server(), now=NOW) == []
    assert decide(replace(local, retry=uids("100")), server(), now=NOW) == [FetchOld(uids("100"))]


def test_left_out_letters_are_never_fetched():
    local = settled(placed=uids("51:100"), left_out=uids("1:50"))
    assert decide(local, server(), now=NOW) == []


# Flags --------------------------------------------------------------------------------------------------------------


def test_condstore_asks_for_changes_since_our_mark():
    assert decide(settled(), server(modseq=60), now=NOW) == [FlagsChangedSince(50, uids("1:100"))]


def test_qresync_has_told_the_changes_already():
    changed = (Flags(5, frozenset({"\\Seen"}), 55), Flags(999, frozenset(), 56))
    remote = server(modseq=60, resynced=True, changed=changed)
    assert decide(settled(), remote, now=NOW) == [FlagsTold(changed[:1])]


@pytest.mark.case("A21")
@pytest.mark.parametrize("modseq", [None, 49])
def test_no_modseq_or_a_falling_one_means_a_look_at_all_flags(modseq):
    assert decide(settled(), server(modseq=modseq), now=NOW) == [FlagsOf(uids("1:100"), everything=True)]


@pytest.mark.case("A23", "A27")
def test_without_modseq_a_large_folder_is_looked_at_in_a_window_and_from_time_to_time_in_full():
    local = settled("1:5000", modseq=0)
    remote = server("1:5000", modseq=None)
    recently = replace(local, flags_checked_at=NOW - timedelta(minutes=5))
    assert decide(recently, remote, now=NOW) == [FlagsOf(uids("4501:5000"), everything=False)]
    long_ago = replace(local, flags_checked_at=NOW - timedelta(hours=2))
    assert decide(long_ago, remote, now=NOW) == [FlagsOf(uids("1:5000"), everything=True)]


@pytest.mark.case("A23")
def test_with_modseq_all_flags_are_looked_at_once_a_day():
    local = settled(flags_checked_at=NOW - timedelta(hours=25))
    assert decide(local, server(), now=NOW) == [FlagsOf(uids("1:100"), everything=True)]


# Gone ---------------------------------------------------------------------------------------------------------------


def test_expunges_come_after_new_mail():
    remote = with_answers(server("3:101"), arrived=uids("101"), uids=uids("3:101"))
    assert decide(settled(), remote, now=NOW) == [
        Learn(uids("3:101"), 102, UidSet()),
        FetchNew(uids("101")),
        Expunged(uids("1:2")),
    ]


def test_vanished_letters_need_no_search_when_the_count_fits():
    remote = server("3:100", resynced=True, vanished=uids("1:2"), modseq=51)
    assert ask(settled(), remote, ALL) is Ask.NOTHING
    assert decide(settled(), remote, now=NOW)[-1] == Expunged(uids("1:2"))


def test_vanished_letters_that_contradict_the_count_are_not_believed():
    remote = server("1:100", resynced=True, vanished=uids("1:2"))
    assert ask(settled(), remote, ALL) is Ask.ARRIVED
    assert ask(settled(), with_answers(remote, arrived=UidSet()), ALL) is Ask.ALL
    assert not any(isinstance(step, Expunged) for step in decide(settled(), searched("1:100"), now=NOW))


@pytest.mark.case("A20")
def test_a_search_that_contradicts_the_count_removes_nothing():
    remote = with_answers(server("1:100"), uids=uids("1:90"))
    steps = decide(settled(), remote, now=NOW)
    assert steps[-1] == LookAgain()
    assert not any(isinstance(step, Expunged | Brake) for step in steps)


@pytest.mark.case("A20")
@pytest.mark.parametrize(("left", "brakes"), [("1:50", False), ("1:49", True), ("", True)])
def test_the_brake_holds_from_fifty_one_letters_on(left, brakes):
    steps = decide(settled(), searched(left), now=NOW)
    assert any(isinstance(step, Brake) for step in steps) is brakes
    assert any(isinstance(step, Expunged) for step in steps) is not brakes


@pytest.mark.case("A20")
def test_the_brake_needs_a_fifth_of_the_folder():
    local = settled("1:1000")
    assert any(isinstance(step, Expunged) for step in decide(local, searched("1:800"), now=NOW))
    assert any(isinstance(step, Brake) for step in decide(local, searched("1:799"), now=NOW))


@pytest.mark.case("A20")
def test_only_a_later_cycle_hides_what_the_brake_held():
    remote = searched("")
    assert decide(settled(), remote, now=NOW)[-1] == Brake(uids("1:100"), hide=False)
    same_cycle = settled(vanish_suspected_at=NOW)
    assert decide(same_cycle, remote, now=NOW)[-1] == Brake(uids("1:100"), hide=False)
    next_cycle = settled(vanish_suspected_at=NOW - HOUR)
    assert decide(next_cycle, remote, now=NOW)[-1] == Brake(uids("1:100"), hide=True)


@pytest.mark.case("A20")
def test_what_was_hidden_comes_back_with_the_letters():
    local = settled(known=UidSet(), hidden=uids("1:100"), vanish_suspected_at=NOW - HOUR)
    assert decide(local, searched("1:100"), now=NOW) == [
        Learn(uids("1:100"), 101, UidSet()),
        Unhide(uids("1:100")),
        Calm(),
    ]


def test_what_stayed_hidden_for_long_is_let_go():
    local = settled(known=UidSet(), hidden=uids("1:100"), expired=uids("1:100"))
    assert Expunged(uids("1:100")) in decide(local, searched(""), now=NOW)


# Identity -----------------------------------------------------------------------------------------------------------


@pytest.mark.case("A01", "A02")
def test_another_uidvalidity_rebuilds_and_concludes_nothing_else():
    remote = server("", uidvalidity=8)
    assert ask(settled(), remote, ALL) is Ask.NOTHING
    assert decide(settled(), remote, now=NOW) == [Rebuild(8)]


@pytest.mark.case("A04")
def test_a_uidvalidity_that_flips_five_times_stalls_the_folder():
    [step] = decide(settled(validity_changes=5), server(uidvalidity=8), now=NOW)
    assert isinstance(step, Stall)


@pytest.mark.case("A08")
def test_the_largest_numbers_are_numbers_like_others():
    top = 2**32 - 1
    remote = with_answers(
        Remote(uidvalidity=2**32 - 1, exists=2, uidnext=None, modseq=2**63 - 1), uids=UidSet([top - 1, top])
    )
    steps = decide(Local(uidvalidity=2**32 - 1), remote, now=NOW)
    assert steps[0] == Learn(UidSet([top - 1, top]), top + 1, UidSet(), modseq=2**63 - 1, history_end=top + 1)


@pytest.mark.case("A05")
def test_once_a_day_some_letters_are_compared():
    long_ago = settled(compared_at=NOW - timedelta(hours=24))
    assert decide(long_ago, server(), now=NOW) == [Compare(uids("1:100"))]
    assert decide(settled(compared_at=NOW - HOUR), server(), now=NOW) == []

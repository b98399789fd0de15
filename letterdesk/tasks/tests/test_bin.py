"""R29: a task and the letters that no other task keeps go into the bin, come back, and go for good, together."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.lib import crashpoint
from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.models import (
    Attachment,
    Conversation,
    Message,
    PendingChange,
    Receipt,
    SearchText,
    SweepClock,
    Tombstone,
)
from letterdesk.mailboxes.reading import conversation_letters
from letterdesk.mailboxes.retention import chain, holds, receipts
from letterdesk.mailboxes.retention.letters import Outcome, outcome, visible
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.mailboxes.retention.tombstones import buried, lift
from letterdesk.mailboxes.search.letters import search
from letterdesk.mailboxes.sidebar import sidebar
from letterdesk.mailboxes.tests.arriving import another_mailbox
from letterdesk.mailboxes.tests.letters import folder_of, letter, place
from letterdesk.tasks import decide
from letterdesk.tasks.bin import NotInBin, StillOnItsWay, consequences, delete, purge, purge_due, restore
from letterdesk.tasks.decide import Link
from letterdesk.tasks.link import link, unlink
from letterdesk.tasks.models import Task, TaskLetter
from tests.rig.together import at_once

from .conftest import there

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)


@pytest.fixture
def offer(inbox, now):
    return letter(inbox, received_at=now - DAY, subject="Offer", body="pineapple", files=("quote.pdf",))


def seen(mailbox, reader, now):
    """In how many ways Webmail shows the letters of a mailbox: list, unread count, conversation, search, address."""
    unread = sum(line.unread for entry in sidebar(reader, now) for line in entry.folders)
    read = [conversation_letters(each, employee=reader, now=now) for each in mailbox.conversations.all()]
    found = search(reader, "pineapple", now=now).hits
    direct = visible(Message.objects.visible_to(reader), reader.account, now=now).count()
    listed = mailbox.folders.get(role="inbox").listings.count()
    return (listed, unread, sum(map(len, read)), len(found), direct)


def test_in_the_bin_it_is_shown_nowhere_and_restored_it_is_everywhere(offer, mailbox, make, ines, now):
    task = make(offer)
    assert seen(mailbox, ines, now) == (1, 1, 1, 1, 1)
    assert delete(task, by=ines, now=now) == 1
    assert seen(mailbox, ines, now) == (0, 0, 0, 0, 0)
    assert restore(task, by=ines, now=now) == 1
    assert seen(mailbox, ines, now) == (1, 1, 1, 1, 1)
    assert there(offer)


def test_also_without_an_end_of_the_period(offer, mailbox, make, ines, now, settings):
    settings.CATALOGUE = "self-hosted"
    delete(make(offer), by=ines, now=now)
    assert seen(mailbox, ines, now) == (0, 0, 0, 0, 0)


def test_the_rest_of_its_conversation_stays(offer, inbox, mailbox, make, ines, now):
    letter(inbox, received_at=now, subject="Re: Offer", conversation=offer.conversation)
    delete(make(offer), by=ines, now=now)
    assert seen(mailbox, ines, now) == (1, 1, 1, 0, 1)
    offer.conversation.refresh_from_db()
    assert offer.conversation.message_count == 1
    assert listing.check(mailbox) == []


def test_a_letter_goes_only_with_the_last_of_its_tasks(offer, mailbox, make, ines, now):
    one, two = make(offer), make(offer)
    assert delete(one, by=ines, now=now) == 0
    assert seen(mailbox, ines, now) == (1, 1, 1, 1, 1)
    assert delete(two, by=ines, now=now) == 1
    assert purge(one, by=ines, now=now) == 0  # a task in the bin still counts as one
    assert there(offer)
    assert restore(two, by=ines, now=now) == 1
    assert seen(mailbox, ines, now) == (1, 1, 1, 1, 1)
    delete(two, by=ines, now=now)
    assert purge(two, by=ines, now=now) == 1
    assert not there(offer)


def test_delete_now_leaves_nothing_here_but_tombstone_and_receipt(offer, account, mailbox, make, ines, now):
    task = make(offer, description="text")
    delete(task, by=ines, now=now)
    assert purge(task, by=ines, now=now) == 1
    assert not there(offer)
    assert not Attachment.objects.exists()
    assert not SearchText.objects.exists()
    assert not Task.objects.exists()
    assert buried(mailbox.pk, [offer.blob]) == {offer.blob}
    receipt = Receipt.objects.get()
    assert (receipt.rule, receipt.count, receipt.listed) == ("R29", 1, receipts.list_hash([offer.blob]))
    assert chain.verify(account) == []


def test_its_tombstone_does_not_end_when_the_mailbox_is_connected_anew(offer, mailbox, make, ines, now):  # R10
    task = make(offer)
    delete(task, by=ines, now=now)
    purge(task, by=ines, now=now)
    assert lift(mailbox) == 0
    assert Tombstone.objects.get().rule == "R29"


def test_nothing_of_it_is_meant_for_the_server(offer, make, ines, now):  # R10, R26
    task = make(offer)
    delete(task, by=ines, now=now)
    restore(task, by=ines, now=now)
    delete(task, by=ines, now=now)
    purge(task, by=ines, now=now)
    assert not PendingChange.objects.exists()


def test_the_owner_of_the_mailbox_is_told_by_whom(offer, mailbox, jonas, make, ines, now):
    task = make(offer, responsible=jonas)
    delete(task, by=jonas, now=now)
    restore(task, by=jonas, now=now)
    delete(task, by=jonas, now=now)
    purge(task, by=jonas, now=now)
    told = Event.objects.filter(topic=mailbox.topic, by=jonas).values_list("kind", flat=True)
    assert list(told) == ["message.binned", "message.unbinned", "message.binned", "message.purged"]


def test_after_30_days_to_the_second_it_is_purged_and_not_restored(offer, make, ines, now):
    task = make(offer)
    delete(task, by=ines, now=now)
    assert purge_due(now=now + 30 * DAY - SECOND) == 0
    with pytest.raises(NotInBin):
        restore(task, by=ines, now=now + 30 * DAY)
    assert purge_due(now=now + 30 * DAY) == 1
    assert not there(offer)
    assert purge_due(now=now + 30 * DAY) == 0


@pytest.mark.case("F11")
def test_a_clock_that_jumped_purges_nothing(offer, make, ines, now):
    delete(make(offer), by=ines, now=now)
    sweep(now=now)
    assert purge_due(now=now + 30 * DAY) == 0
    sweep(now=now + 30 * DAY)
    assert purge_due(now=now + 30 * DAY + timedelta(hours=23)) == 0
    assert purge_due(now=now + 31 * DAY) == 1


def test_a_task_that_is_not_in_the_bin_is_neither_purged_nor_restored(offer, make, ines, now):
    task = make(offer)
    for act in (purge, restore):
        with pytest.raises(NotInBin):
            act(task, by=ines, now=now)
    assert there(offer)


@pytest.mark.case("F05")
def test_what_somebody_else_holds_outlives_the_task_and_is_shown_again(offer, mailbox, make, ines, now):
    holds.add(offer, reason="legal", reference="legal:1", now=now)
    task = make(offer)
    delete(task, by=ines, now=now)
    assert purge(task, by=ines, now=now) == 0
    assert seen(mailbox, ines, now) == (1, 1, 1, 1, 1)


def test_a_change_that_the_server_does_not_know_yet_is_not_lost(offer, make, ines, now):
    change_flags(list(offer.placements.all()), add=("\\Flagged",), remove=(), by=ines, now=now)
    task = make(offer)
    delete(task, by=ines, now=now)
    with pytest.raises(StillOnItsWay):
        purge(task, by=ines, now=now)
    assert purge_due(now=now + 30 * DAY) == 0
    PendingChange.objects.all().delete()
    assert purge_due(now=now + 30 * DAY) == 1


def test_a_place_that_the_sync_finds_meanwhile_lies_in_the_bin_as_well(offer, mailbox, make, ines, now):
    delete(make(offer), by=ines, now=now)
    offer.refresh_from_db()
    place(offer, folder_of(mailbox, "Archive", "archive"), binned_at=offer.binned_at)
    assert binned.check(mailbox) == listing.check(mailbox) == []
    assert seen(mailbox, ines, now) == (0, 0, 0, 0, 0)


def test_the_warning_counts_what_goes_and_what_stays(offer, inbox, mailbox, make, now):
    shared = letter(inbox, received_at=now, subject="Both")
    task = make(offer, shared)
    make(shared)
    told = consequences(task)
    assert ([each.pk for each in told.going], [each.pk for each in told.staying]) == ([offer.pk], [shared.pk])
    assert told.mailboxes == [mailbox]


@pytest.mark.case("F12")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("act", "point"),
    [
        (delete, "task_delete.before_commit"),
        (restore, "task_restore.before_commit"),
        (purge, "task_purge.before_commit"),
        (purge, "remove.before_commit"),
    ],
)
def test_dead_in_the_middle_it_is_as_if_nothing_had_been(offer, mailbox, make, ines, now, act, point):
    task = make(offer)
    if act is not delete:
        delete(task, by=ines, now=now)
    before = _picture()
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        act(task, by=ines, now=now)
    crashpoint.disarm()
    assert _picture() == before
    assert act(task, by=ines, now=now) == 1


def _picture():
    return (
        list(Task.objects.values_list("deleted_at", flat=True)),
        list(Message.objects.values_list("binned_at", "is_held")),
        TaskLetter.objects.count(),
        Tombstone.objects.count(),
        Receipt.objects.count(),
    )


@pytest.mark.case("F21")
@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_purge_once(inbox, account, make, ines, now):
    for _ in range(10):
        delete(make(letter(inbox, received_at=now)), by=ines, now=now)
    done = at_once([lambda: purge_due(now=now + 30 * DAY)] * 2)
    assert sum(done) == 10
    assert sum(receipt.count for receipt in Receipt.objects.all()) == 10
    assert chain.verify(account) == []


# The decision, and the whole against it

LINKS = st.lists(st.builds(Link, st.integers(1, 3), st.integers(1, 4), st.booleans()), max_size=10)


@given(LINKS, st.integers(1, 3))
def test_what_is_decided_is_what_the_rule_says(links, task):
    for number in {each.letter for each in links}:
        own = [each for each in links if each.letter == number]
        assert (number in decide.in_bin(links)) == (not [each for each in own if not each.in_bin])
        assert (number in decide.locked_alone_by(task, links)) == all(each.task == task for each in own)
        is_shown = any(not each.in_bin for each in own)
        goes = is_shown and all(each.in_bin or each.task == task for each in own)
        assert (number in decide.going_along(task, links)) == goes


ACTS = st.tuples(
    st.sampled_from(["link", "unlink", "delete", "restore", "purge", "sweep"]), st.integers(0, 2), st.integers(0, 2)
)


@pytest.mark.case("F06")
@given(acts=st.lists(ACTS, max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_do_a_letter_is_there_and_shown_exactly_as_r4_r9_and_r29_say(
    mailbox, inbox, ines, make, now, acts
):
    """Against a model of sets: which letters are here, which tasks they have, which of these lie in the bin."""
    _empty()
    ages = (10 * DAY, 29 * DAY, 40 * DAY)
    letters = [letter(inbox, received_at=now - age, subject=str(number)) for number, age in enumerate(ages)]
    tasks = [make(*letters[: number + 1]) for number in range(3)]
    here, in_bin, links = {0, 1, 2}, set(), {(task, one) for task in range(3) for one in range(task + 1)}
    alive = {0, 1, 2}
    for act, task, one in acts:
        if task not in alive and act != "sweep":
            continue
        if act == "link" and task not in in_bin and one in here:
            link(tasks[task], letters[one], by=ines, now=now)
            links.add((task, one))
        elif act == "unlink" and task not in in_bin and one in here:
            unlink(tasks[task], letters[one], by=ines, now=now)
            links.discard((task, one))
        elif act == "delete" and task not in in_bin:
            delete(tasks[task], by=ines, now=now)
            in_bin.add(task)
        elif act == "restore" and task in in_bin:
            restore(tasks[task], by=ines, now=now)
            in_bin.discard(task)
        elif act == "purge" and task in in_bin:
            purge(tasks[task], by=ines, now=now)
            here -= {each for each in here if {other for other, each_ in links if each_ == each} == {task}}
            links = {pair for pair in links if pair[0] != task}
            in_bin.discard(task)
            alive.discard(task)
        elif act == "sweep":
            sweep(now=now)
            here = {each for each in here if _stays(each, links, ages, now)}
        assert {int(subject) for subject in Message.objects.values_list("subject", flat=True)} == here
        expected = {each for each in here if _is_shown(each, links, in_bin, ages, now)}
        found = visible(Message.objects.filter(mailbox=mailbox), mailbox.account, now=now)
        assert {int(each.subject) for each in found} == expected
    assert holds.check() == listing.check(mailbox) == binned.check(mailbox) == []
    _empty()


def _stays(each, links, ages, now):
    held = any(one == each for _, one in links)
    return outcome(received_at=now - ages[each], is_held=held, in_crm=False, days=30, now=now) is Outcome.STAYS


def _is_shown(each, links, in_bin, ages, now):
    own = {task for task, one in links if one == each}
    return bool(own - in_bin) if own else _stays(each, links, ages, now)


def _empty():
    TaskLetter.objects.all().delete()
    Task.objects.all().delete()
    for message in Message.objects.all():
        message.holds.all().delete()
    Message.objects.all().delete()
    for model in (Conversation, SweepClock, Tombstone, Receipt):
        model.objects.all().delete()


def test_other_accounts_lose_nothing(offer, make, stranger, ines, now):
    """Both have a task number 1: holds of one never free a letter of the other."""
    foreign = letter(folder_of(another_mailbox(stranger.account, "foreign@other.example")), received_at=now)
    task, theirs = make(offer), make(foreign, by=stranger)
    assert task.number == theirs.number == 1
    delete(task, by=ines, now=now)
    purge(task, by=ines, now=now)
    foreign.refresh_from_db()
    assert foreign.is_held
    assert (there(offer), there(foreign)) == (False, True)

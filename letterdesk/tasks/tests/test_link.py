"""R4: a letter in a task is not deleted, whoever asks; only a person who takes it out ends that."""

from datetime import timedelta

import pytest

from letterdesk.events.models import Event
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.remove import remove_messages, remove_unplaced
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.retention.holds import MessageGone
from letterdesk.mailboxes.retention.letters import storage_line, visible
from letterdesk.mailboxes.retention.sweep import sweep
from letterdesk.mailboxes.tests.arriving import another_mailbox
from letterdesk.mailboxes.tests.letters import folder_of, letter
from letterdesk.tasks.bin import delete
from letterdesk.tasks.change import change_status
from letterdesk.tasks.link import InBin, link, unlink
from letterdesk.tasks.models import Participant, Status, TaskLetter
from letterdesk.tasks.reading import tasks_of_letters

from .conftest import there

YEAR = timedelta(days=365)


def shown(letter, now):
    return visible(Message.objects.filter(pk=letter.pk), letter.account, now=now).exists()


@pytest.fixture
def old(inbox, now):
    return letter(inbox, received_at=now - YEAR, files=("quote.pdf",))


def test_the_sweep_leaves_it_and_it_stays_shown(old, make, now):  # R9 row 3, R18
    make(old)
    assert sweep(now=now) == 0
    assert there(old)
    assert old.attachments.exists()
    assert shown(old, now)


def test_a_finished_task_and_one_in_the_bin_hold_it_as_well(old, make, ines, now):
    task = make(old)
    change_status(task, Status.DONE, by=ines, now=now)
    assert sweep(now=now) == 0
    delete(task, by=ines, now=now)
    assert sweep(now=now) == 0
    assert there(old)


def test_a_removal_on_the_server_leaves_it(old, mailbox, make, now):  # R27: what another program deletes
    make(old)
    old.placements.all().delete()
    Message.objects.filter(pk=old.pk).update(unplaced_at=now)
    assert remove_unplaced(mailbox, before=now + timedelta(hours=1), now=now) == 0
    assert remove_messages(mailbox, [old.pk], now=now) == []
    assert there(old)


def test_it_is_this_letter_alone_not_its_conversation(inbox, make, now):
    first = letter(inbox, received_at=now - YEAR, subject="first")
    second = letter(inbox, received_at=now - YEAR, subject="second", conversation=first.conversation)
    make(second)
    sweep(now=now)
    assert (there(first), there(second)) == (False, True)


def test_it_is_this_mailbox_alone_not_a_colleagues_copy(account, inbox, old, make, now):
    theirs = letter(folder_of(another_mailbox(account, "jonas@acme.example")), received_at=now - YEAR)
    make(old)
    sweep(now=now)
    assert (there(old), there(theirs)) == (True, False)


def test_taken_out_by_a_person_r9_applies_again(old, make, ines, now):
    task = make(old)
    assert unlink(task, old, by=ines, now=now)
    assert not unlink(task, old, by=ines, now=now)
    assert not shown(old, now)
    assert sweep(now=now) == 1
    assert not there(old)


def test_another_task_keeps_it(old, make, ines, now):
    one, two = make(old), make(old)
    unlink(one, old, by=ines, now=now)
    assert sweep(now=now) == 0
    unlink(two, old, by=ines, now=now)
    assert sweep(now=now) == 1


def test_taken_out_of_the_last_task_outside_the_bin_it_lies_in_the_bin_with_the_other(inbox, make, ines, now):
    fresh = letter(inbox, received_at=now)
    one, two = make(fresh), make(fresh)
    delete(one, by=ines, now=now)
    assert shown(fresh, now)
    unlink(two, fresh, by=ines, now=now)
    assert not shown(fresh, now)


def test_the_storage_line_says_so(old, make, now):
    make(old)
    old.refresh_from_db()
    assert storage_line(old, now) == "Kept: linked to task #1"


def test_twice_is_once(old, make, ines, now):
    task = make(old)
    link(task, old, by=ines, now=now)
    assert TaskLetter.objects.count() == 1
    assert old.holds.count() == 1
    assert Event.objects.filter(kind="letter.linked").count() == 1


def test_the_readers_of_the_mailbox_learn_of_it(old, mailbox, make, ines, now):
    task = make(old)
    unlink(task, old, by=ines, now=now)
    told = Event.objects.filter(topic=mailbox.topic, by=ines).values_list("kind", "subject")
    assert list(told) == [("letter.linked", "task:1"), ("letter.unlinked", "task:1")]


def test_a_task_in_the_bin_takes_no_letter_and_gives_none_back(old, make, ines, now):
    task = make(old)
    delete(task, by=ines, now=now)
    for act in (link, unlink):
        with pytest.raises(InBin):
            act(task, old, by=ines, now=now)


@pytest.mark.case("F10")
def test_a_letter_of_another_account_is_refused_and_nothing_is_done(old, make, stranger):
    with pytest.raises(ValueError, match="another account"):
        make(old, by=stranger)
    assert not TaskLetter.objects.exists()
    assert not old.holds.exists()


@pytest.mark.django_db(transaction=True)
def test_a_letter_that_went_meanwhile_leaves_no_task_behind(old, mailbox, make, now):
    remove_messages(mailbox, [old.pk], now=now)
    with pytest.raises(MessageGone):
        make(old)
    assert not TaskLetter.objects.exists()


def test_all_counts_stay_exact(old, mailbox, make, ines, now):
    task = make(old)
    assert holds.check() == listing.check(mailbox) == []
    unlink(task, old, by=ines, now=now)
    assert holds.check() == listing.check(mailbox) == []


def test_the_owners_list_of_readers_asks_the_same_number_of_questions_for_one_task_and_for_many(
    old, make, ines, jonas, account, now, django_assert_num_queries
):
    task = make(old)
    with django_assert_num_queries(2):
        tasks_of_letters([old.pk], employee=ines, with_readers=True)
    for _ in range(4):
        make(old)
    Participant.objects.create(account=account, task=task, employee=jonas, added_by=ines, added_at=now)
    with django_assert_num_queries(2):
        told = tasks_of_letters([old.pk], employee=ines, with_readers=True)[old.pk]
    assert [each.readers for each in told] == [("Ines", "Jonas")] + [("Ines",)] * 4

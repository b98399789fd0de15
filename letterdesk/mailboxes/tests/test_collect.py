"""Bytes go when nobody has held them for half an hour, and never under someone's hands."""

from datetime import timedelta

import pytest
from django.db import transaction

from letterdesk.lib import blobs, crashpoint
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.collect import LOOSE_FOR
from letterdesk.mailboxes.models import BlobReference, LooseBlob, Message
from letterdesk.mailboxes.receive import prepare, store
from letterdesk.mailboxes.remove import remove_messages

from .arriving import NOW, VALIDITY, another_mailbox, fetched, raw, receive
from .letters import folder_of


def everything(account):
    return set(blobs.stored(account.pk))


def test_bytes_of_a_removed_letter_go_after_half_an_hour(account, mailbox, inbox):
    [message] = receive(inbox, fetched(1, raw())).stored
    remove_messages(mailbox, [message.pk], now=NOW)
    assert collect.collect(now=NOW + LOOSE_FOR - timedelta(seconds=1)) == 0
    assert everything(account) == {message.blob}
    assert collect.collect(now=NOW + LOOSE_FOR) == 1
    assert everything(account) == set()
    assert collect.collect(now=NOW + LOOSE_FOR) == 0
    assert not LooseBlob.objects.exists()


@pytest.mark.case("F14")
def test_bytes_stay_while_anyone_holds_them_and_each_account_has_its_own(account, stranger, mailbox, inbox):
    omars = folder_of(another_mailbox(account, "omar@acme.example"))
    foreign = folder_of(another_mailbox(stranger.account, "foreign@other.example"))
    [message] = receive(inbox, fetched(1, raw())).stored
    [copy] = receive(omars, fetched(1, raw())).stored
    receive(foreign, fetched(1, raw()))
    remove_messages(mailbox, [message.pk], now=NOW)
    assert collect.collect(now=NOW + 2 * LOOSE_FOR) == 0
    assert blobs.get(account.pk, copy.blob) == raw()
    remove_messages(omars.mailbox, [copy.pk], now=NOW)
    assert collect.collect(now=NOW + 2 * LOOSE_FOR) == 1
    assert everything(account) == set()
    assert everything(stranger.account) == {copy.blob}


def test_another_holder_such_as_an_activity_keeps_the_bytes(account, mailbox, inbox):
    [message] = receive(inbox, fetched(1, raw())).stored
    with transaction.atomic():
        collect.hold(account.pk, [message.blob], holder="activity:7", now=NOW)
    remove_messages(mailbox, [message.pk], now=NOW)
    assert collect.collect(now=NOW + 2 * LOOSE_FOR) == 0
    assert everything(account) == {message.blob}


@pytest.mark.case("A14")
def test_bytes_of_a_writer_that_died_are_collected(account, inbox):
    prepare(inbox, [fetched(1, raw())], now=NOW)
    assert len(everything(account)) == 1
    assert collect.collect(now=NOW + LOOSE_FOR) == 1
    assert everything(account) == set()


def test_a_writer_that_slept_for_an_hour_is_told_to_begin_again(inbox):
    prepared = prepare(inbox, [fetched(1, raw())], now=NOW)
    collect.collect(now=NOW + LOOSE_FOR)
    with pytest.raises(collect.StaleBatch), transaction.atomic():
        store(inbox, prepared, uidvalidity=VALIDITY, now=NOW)
    assert not Message.objects.exists()
    receive(inbox, fetched(1, raw()))
    assert blobs.get(inbox.account_id, Message.objects.get().blob) == raw()


def test_a_letter_that_comes_back_within_the_hour_keeps_its_bytes(account, mailbox, inbox):
    [message] = receive(inbox, fetched(1, raw())).stored
    remove_messages(mailbox, [message.pk], now=NOW)
    receive(inbox, fetched(1, raw()))
    assert collect.collect(now=NOW + 2 * LOOSE_FOR) == 0
    assert everything(account) == {message.blob}


@pytest.mark.case("A14")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["collect.marked", "collect.removed", "collect.done"])
def test_a_collector_that_dies_holds_up_writers_only_until_the_next_one(account, mailbox, inbox, point):
    [message] = receive(inbox, fetched(1, raw())).stored
    remove_messages(mailbox, [message.pk], now=NOW)
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        collect.collect(now=NOW + LOOSE_FOR)
    crashpoint.disarm()
    if point != "collect.done":
        with pytest.raises(collect.BlobsBeingRemoved), transaction.atomic():
            collect.announce(account.pk, [message.blob], now=NOW + LOOSE_FOR)
        assert collect.collect(now=NOW + LOOSE_FOR + timedelta(minutes=11)) == 1
    receive(inbox, fetched(1, raw()))
    assert blobs.get(account.pk, message.blob) == raw()
    assert BlobReference.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_writer_waits_for_a_collector_to_finish(account, mailbox, inbox, monkeypatch):
    [message] = receive(inbox, fetched(1, raw())).stored
    remove_messages(mailbox, [message.pk], now=NOW)
    LooseBlob.objects.update(removing_at=NOW)
    waited = []

    def finish(seconds):
        waited.append(seconds)
        blobs.remove(account.pk, message.blob)
        LooseBlob.objects.all().delete()

    monkeypatch.setattr("time.sleep", finish)
    receive(inbox, fetched(1, raw()))
    assert waited
    assert blobs.get(account.pk, message.blob) == raw()


def test_strays_after_a_restored_database_are_found_and_collected(account, inbox):
    receive(inbox, fetched(1, raw()))
    blobs.put_many(account.pk, [b"nobody knows me"])
    assert collect.adopt_strays(account.pk, now=NOW) == 1
    assert collect.collect(now=NOW + LOOSE_FOR) == 1
    assert len(everything(account)) == 1

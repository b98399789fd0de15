"""Whatever is done in whatever order, lists and counters say what the placements say."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.lib.ids import new_public_id
from letterdesk.mail.imap_types import Flags
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import attached, listing
from letterdesk.mailboxes.flags import change_flags, merge_flags
from letterdesk.mailboxes.models import Conversation, Hold, LegalHold, Listing, Mailbox, Message, Placement
from letterdesk.mailboxes.move import delete, hide_softly, move, remove_vanished, undo, unhide
from letterdesk.mailboxes.remove import (
    BELONGING,
    TAKE,
    TAKE_BINNED,
    TAKE_OVER,
    TAKE_UNPLACED,
    remove_messages,
    remove_unplaced,
)
from letterdesk.mailboxes.retention import holds
from letterdesk.mailboxes.threading import OnlyLetter, merge, split

from .arriving import NOW, VALIDITY, fetched, raw, receive
from .letters import folder_of, letter

LATER = NOW + timedelta(days=1)
STEPS = [
    "receive",
    "server_flags",
    "flags",
    "move",
    "delete",
    "undo",
    "vanish",
    "sweep",
    "hide",
    "unhide",
    "merge",
    "split",
    "hold",
    "release",
    "remove",
]


class World:
    """A mailbox with three folders, to which things happen. `number` chooses what they happen to."""

    def __init__(self, owner):
        address = f"{new_public_id()}@acme.example"
        self.owner = owner
        self.mailbox = Mailbox.objects.create(
            account=owner.account, owner=owner, address=address, name="", imap_host="imap.example", imap_user=address
        )
        roles = {"INBOX": "inbox", "Archive": "archive", "Trash": "trash"}
        self.folders = [folder_of(self.mailbox, name, role) for name, role in roles.items()]
        self.uid = 0
        self.tokens = ["none"]

    def do(self, step, number):
        getattr(self, step)(number)

    def _folder(self, number):
        return self.folders[number % 3]

    def _one(self, rows, number):
        rows = list(rows.order_by("pk"))
        return [rows[number % len(rows)]] if rows else []

    def _places(self, number):
        return self._one(Placement.objects.filter(folder__mailbox=self.mailbox), number)

    def _messages(self, number):
        return self._one(Message.objects.filter(mailbox=self.mailbox), number)

    def receive(self, number):
        self.uid += 1
        content = raw(f"Topic {number % 3}", message_id=f"{number % 7}@x", references=[f"{number % 3}@x"])
        at = NOW - timedelta(hours=number % 50)
        flags = ["\\Seen"] if number % 2 else ["\\Flagged"]
        receive(self._folder(number), fetched(self.uid, content, at=at, flags=flags))

    def server_flags(self, number):
        told = Flags(number % (self.uid + 1) + 1, frozenset({"\\Seen"} if number % 3 else {"\\Deleted"}))
        with transaction.atomic():
            merge_flags(self._folder(number), [told], uidvalidity=VALIDITY, now=NOW)

    def flags(self, number):
        change_flags(self._places(number), add=["\\Flagged"], remove=["\\Seen"], by=self.owner, now=NOW)

    def move(self, number):
        self.tokens.append(move(self._places(number), self._folder(number + 1), by=self.owner, now=NOW))

    def delete(self, number):
        self.tokens.append(delete(self._places(number), by=self.owner, now=NOW))

    def undo(self, number):
        undo(self.mailbox, self.tokens[number % len(self.tokens)], now=NOW)

    def _uids(self, number):
        return UidSet(range(number % 5 + 1, number % 5 + 4))

    def vanish(self, number):
        with transaction.atomic():
            remove_vanished(self._folder(number), self._uids(number), uidvalidity=VALIDITY, now=NOW)

    def sweep(self, _number):
        remove_unplaced(self.mailbox, before=LATER, now=LATER)

    def hide(self, number):
        with transaction.atomic():
            hide_softly(self._folder(number), self._uids(number), now=NOW)

    def unhide(self, number):
        with transaction.atomic():
            unhide(self._folder(number), self._uids(number), now=NOW)

    def merge(self, number):
        there = Conversation.objects.filter(mailbox=self.mailbox, merged_into=None)
        for one, other in zip(self._one(there, number), self._one(there, number + 1), strict=True):
            merge(one, other, by=self.owner)

    def split(self, number):
        for message in self._messages(number):
            try:
                split(message, by=self.owner)
            except OnlyLetter:
                return

    def hold(self, number):
        for message in self._messages(number):
            holds.add(message, reason="task", reference=f"task:{number % 2}", now=NOW)

    def release(self, number):
        for hold in self._one(Hold.objects.filter(message__mailbox=self.mailbox), number):
            holds.release(hold.message, reason=hold.reason, reference=hold.reference)

    def remove(self, number):
        remove_messages(self.mailbox, [message.pk for message in self._messages(number)], now=NOW)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 200)), min_size=5, max_size=30))
def test_lists_and_counters_are_exact_after_anything(ines, steps):
    world = World(ines)
    for number in range(5):
        world.receive(number)
    for step, number in steps:
        world.do(step, number)
        assert listing.check(world.mailbox) == [], step
        assert holds.check() == []
    lost = Message.objects.filter(mailbox=world.mailbox, placements=None, unplaced_at=None)
    assert not lost.exists()


def test_an_empty_conversation_goes_with_its_signposts_and_all_that_points_at_it(mailbox, inbox, ines, now):
    first, second, other = (letter(inbox, received_at=now, subject=subject) for subject in ("one", "two", "three"))
    kept = merge(first.conversation, second.conversation, by=ines)
    Conversation.objects.filter(pk=other.conversation_id).update(split_from=kept)
    frozen = LegalHold.objects.create(
        account=mailbox.account, scope="conversation", conversation=kept, reason="a case", placed_at=now, covered_at=now
    )
    remove_messages(mailbox, [first.pk, second.pk], now=now)
    assert list(Conversation.objects.values_list("pk", "split_from")) == [(other.conversation_id, None)]
    frozen.refresh_from_db()
    assert frozen.conversation is None
    assert listing.check(mailbox) == []


@pytest.mark.parametrize(
    ("model", "statements", "by_itself"),
    [
        (
            Conversation,
            listing.REMOVE_EMPTY,
            {"mailboxes_message", "mailboxes_placement", *attached.names()},
        ),  # it is empty
        (Placement, BELONGING, set()),
        (Message, BELONGING, {"mailboxes_hold", "mailboxes_searchtext", "tasks_taskletter"}),  # held, or search.remove
    ],
)
def test_what_is_removed_in_statements_leaves_out_nothing_that_points_there(model, statements, by_itself):
    pointing = {
        field.related_model._meta.db_table
        for field in model._meta.get_fields(include_hidden=True)
        if field.auto_created and not field.concrete and field.field.db_constraint
    }
    named = {word for statement in statements for word in statement.split() if word.startswith("mailboxes_")}
    assert pointing <= named | by_itself


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan of SQLite")
@pytest.mark.parametrize("statement", [TAKE, TAKE_OVER, TAKE_BINNED, TAKE_UNPLACED])
def test_letters_that_are_removed_are_found_by_their_keys(db, statement):
    """Through its index of the mailbox SQLite looked at a million letters for each piece of five hundred."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + statement.replace("IN %s", "IN (1, 2)").replace("%s", "1"))
        assert cursor.fetchall()[0][3] == "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)"


def test_refreshing_twice_changes_nothing(ines):
    world = World(ines)
    for number in range(9):
        world.receive(number)
    ids = list(Conversation.objects.values_list("pk", flat=True))
    before = [list(model.objects.order_by("pk").values()) for model in (Listing, Conversation)]
    listing.refresh(ids)
    assert before == [list(model.objects.order_by("pk").values()) for model in (Listing, Conversation)]


def test_the_check_names_every_kind_of_difference(ines):
    world = World(ines)
    for number in range(3):
        world.receive(number)
    Listing.objects.filter(folder=world.folders[0]).update(unread_count=9)
    Listing.objects.filter(folder=world.folders[1]).delete()
    Conversation.objects.update(message_count=7)
    differences = listing.check(world.mailbox)
    assert len([one for one in differences if one.startswith("listing")]) == 2
    assert any(one.startswith("conversation") for one in differences)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_receive_the_same_letters_store_each_once(mailbox, inbox, archive):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    letters = [fetched(uid, raw(f"Topic {uid // 3}", message_id=f"{uid}@x")) for uid in range(1, 60)]
    failures = []

    def work(folder):
        try:
            receive(folder, *letters)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=[folder]) for folder in (inbox, archive, inbox, archive)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert Message.objects.count() == 59
    assert Placement.objects.count() == 118
    assert listing.check(mailbox) == []

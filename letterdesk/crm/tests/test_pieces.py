"""Letters looked at together stand where they would if each was looked at by itself, in the order of arrival (R5)."""

import itertools
import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from letterdesk.accounts.models import Employee
from letterdesk.crm.linking import link
from letterdesk.crm.linking.by_hand import link_by_hand, take_away
from letterdesk.crm.linking.corrections import belongs
from letterdesk.crm.linking.exclusions import exclude
from letterdesk.crm.linking.link import link_letters, link_new
from letterdesk.crm.models import Activity, Binding, EmailAddress, Reason, Record, Returning, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.tests.arriving import another_mailbox, fetched, raw, receive
from letterdesk.mailboxes.tests.letters import folder_of
from letterdesk.outbound.models import Delivery
from letterdesk.plans.models import Channel

from .conftest import from_amara
from .seeding import activity_at

HOUR = timedelta(hours=1)
EXAMPLES = 400 if os.environ.get("WHOLE") else 8
PEOPLE = (
    "Amara <amara@okafor.example>", "Boris <boris@okafor.example>", "Cy <cy@solo.example>", "Lea <lea@lead.example>",
    "Uma <uma@okafor.example>", "Sam <sam@strange.example>", "Ex <ex@strange.example>", "Ines <ines@acme.example>",
)  # fmt: skip
FOLDERS = ("inbox", "inbox", "inbox", "sent", "spam")
letters_strategy = st.lists(
    st.tuples(
        st.integers(0, len(PEOPLE) - 1),  # who wrote it
        st.lists(st.integers(0, len(PEOPLE) - 1), max_size=2),  # to whom beside us
        st.integers(0, 30),  # hours ago
        st.lists(st.integers(0, 6), max_size=2),  # what it answers, which may come later
        st.sampled_from(FOLDERS),
        st.sampled_from(["", "", "", "bulk", "again", "elsewhere", "nameless"]),
    ),
    min_size=2,
    max_size=7,
)
A, B, C, L, U, S, X, I = range(8)  # noqa: E741  the initials of PEOPLE


def test_the_deal_active_last_is_so_letter_by_letter(amara, make, come, now):
    """Two letters of one piece: the first one's conversation makes its deal the one that was active last."""
    roof = make("deal", "Roof", contact=amara, at=now - 9 * HOUR)
    floor = make("deal", "Floor", contact=amara, at=now - 8 * HOUR)
    come(from_amara("Floor", message_id="f@x"), at=now - 7 * HOUR)
    Record.objects.filter(pk=roof.pk).update(active_at=now - 6 * HOUR)
    come(
        from_amara("Re: Floor", message_id="g@x", in_reply_to="f@x"),
        from_amara("Another", message_id="h@x"),
        at=now - 5 * HOUR,
    )
    assert Activity.objects.get(subject="Another").bindings.get(reason=Reason.DEAL).record == floor


@pytest.mark.parametrize("size", [1, 9])
def test_the_copy_of_what_was_written_here_goes_along_as_itself(
    amara, ines, mailbox, inbox, come, now, monkeypatch, size
):
    """The answer is looked at before the copy in Sent, whose words Exchange has changed."""
    monkeypatch.setattr(link, "AT_ONCE", size)
    activity_at(amara, message_id="w@x", from_address=ines.email, reason=Reason.WRITTEN)
    Delivery.objects.create(
        account=ines.account, mailbox=mailbox, by=ines, channel=Channel.CRM, about=amara.reference, blob="0" * 64,
        size=1, message_id="w@x", subject="Offer", sender=ines.email, created_at=now, due_at=now, next_at=now,
    )  # fmt: skip
    come(from_amara("Re: Offer", message_id="a@x", in_reply_to="w@x"), look=False)
    copy = raw("Offer", sender=ines.email, to="amara@okafor.example", message_id="w@x", body="Other words")
    come(copy, folder=folder_of(mailbox, "Sent", "sent"), at=now - HOUR)
    assert sorted(Activity.objects.values_list("message_id", flat=True)) == ["a@x", "w@x"]
    assert Activity.objects.get(message_id="w@x").bindings.get().reason == Reason.WRITTEN


@pytest.mark.parametrize("size", [1, 9])
@pytest.mark.parametrize("newest_first", [False, True])
def test_it_does_not_matter_that_a_first_sync_brings_the_newest_first(
    amara, make, come, mailbox, now, monkeypatch, newest_first, size
):  # R6
    monkeypatch.setattr(link, "AT_ONCE", size)
    make(name="Cy", addresses=("cy@solo.example",))
    letters = [
        raw("1", sender="cy@solo.example", message_id="1@x"),
        raw("2", sender="ines@acme.example", to="jonas@acme.example", references=("1@x",), message_id="2@x"),
        from_amara("3", to="ines@acme.example, cy@solo.example", references=("1@x",), message_id="3@x"),
    ]
    Employee.objects.create(account=mailbox.account, email="jonas@acme.example", name="Jonas")
    for place, letter in sorted(enumerate(letters), reverse=newest_first):
        come(letter, at=now - (5 - place) * HOUR, look=False)
    link_new(mailbox, now=now)
    found = Binding.objects.order_by("activity__subject", "record").values_list("activity__subject", "record__name")
    assert list(found) == [("1", "Cy"), *((each, name) for each in "23" for name in (amara.name, "Cy"))]


@pytest.mark.parametrize("size", [1, 9])
def test_a_reason_of_its_own_is_said_rather_than_that_it_went_along(amara, come, now, monkeypatch, size):
    """Nobody knew who wrote the older one; when a client answers it goes along, and later a record gets its address."""
    monkeypatch.setattr(link, "AT_ONCE", size)
    boss = "boss@okafor.example"
    [older] = come(raw("Offer", sender=boss, message_id="a@x"), at=now - HOUR)
    come(from_amara("Re: Offer", to=f"ines@acme.example, {boss}", message_id="b@x", in_reply_to="a@x"))
    assert Binding.objects.get(activity__subject="Offer").reason == Reason.HISTORY
    EmailAddress.objects.create(account=amara.account, record=amara, email=boss, key=boss)
    link_letters(older.mailbox, [older.pk], now=now)
    assert set(Binding.objects.values_list("reason", flat=True)) == {Reason.ADDRESS}


@pytest.fixture
def world(account, mailbox, ines, jonas, make, now):
    """Clients with deals, a lead, what people said, and a second mailbox."""
    company = make("company", "Okafor", addresses=("sales@okafor.example",))
    amara = make(name="Amara", addresses=("amara@okafor.example",), company=company)
    make(name="Boris", addresses=("boris@okafor.example",), company=company)
    cy = make(name="Cy", addresses=("cy@solo.example",))
    make("lead", "Lea", addresses=("lea@lead.example",))
    deals = [
        make("deal", name, at=now - (50 - place) * HOUR, **whose)
        for place, (name, whose) in enumerate(
            [("Roof", {"contact": amara}), ("Floor", {"contact": amara}), ("All", {"company": company}),
             ("Solo", {"contact": cy}), ("Else", {"contact": cy})]
        )
    ]  # fmt: skip
    belongs("boris@okafor.example", deals[3], by=ines, now=now)
    exclude("ex@strange.example", by=ines, now=now)
    other = folder_of(another_mailbox(account, "mate@acme.example"))
    folders = {"inbox": folder_of(mailbox) if not mailbox.folders.exists() else mailbox.folders.get()}
    folders |= {role: folder_of(mailbox, role.title(), role) for role in ("sent", "spam")}
    return {"deals": deals, "other": other, "folders": folders, "mailbox": mailbox, "ines": ines, "jonas": jonas}


def arrive(world, letters, now, *, history):
    """All of them come before anybody looks; some came by the other mailbox before, and were looked at there."""
    uids = itertools.count(1)
    for number, (sender, others, hours, answers, folder, odd) in enumerate(letters):
        to = ", ".join(["ines@acme.example", *(PEOPLE[each] for each in others)])
        named = f"{number}@x"
        said = {"references": [f"{each}@x" for each in answers], "message_id": "" if odd == "nameless" else named}
        content = raw(f"Letter {number}", sender=PEOPLE[sender], to=to, **said)
        if odd == "bulk":
            content = b"List-Id: <list@x.example>\r\n" + content
        at, place = now - hours * HOUR, world["folders"][folder]
        if odd == "elsewhere":
            receive(world["other"], fetched(next(uids), content, at=at), now=now)
            link_new(world["other"].mailbox, now=now)
        receive(place, fetched(next(uids), content, at=at), now=now, initial=history and number % 2 == 0)
        if odd == "again":
            again = b"Received: once more\r\n" + content
            receive(world["folders"]["spam"], fetched(next(uids), again, at=at - HOUR), now=now)


def ends(mailbox, now, size, monkeypatch):
    """What comes of looking in pieces of this size; nothing of it stays."""
    with transaction.atomic(), monkeypatch.context() as patched:
        patched.setattr(link, "AT_ONCE", size)
        link_new(mailbox, now=now)
        found = state()
        patched.setattr(link, "AT_ONCE", 500)
        assert link_new(mailbox, now=now) == 0
        assert state() == found
        transaction.set_rollback(True)
    return found


def state():
    activities = {each.pk: each for each in Activity.objects.all()}
    names = {pk: f"{each.subject}/{each.message_id}/{each.blob[:6]}" for pk, each in activities.items()}
    records = {each.pk: each for each in Record.objects.all()}
    binds = Binding.objects.values_list("activity", "record", "reason", "matched")
    threads: dict[int, set[str]] = {}
    for pk, each in activities.items():
        threads.setdefault(each.thread_id, set()).add(names[pk])
    called = {pk: f"{each.kind} {each.name} of {each.responsible_id}" for pk, each in records.items()}
    return {
        "bindings": sorted((names[a], called[r], reason, matched) for a, r, reason, matched in binds),
        "threads": sorted(map(sorted, threads.values())),
        "records": sorted((called[pk], each.active_at, str(each.company_id)) for pk, each in records.items()),
        "in_crm": set(Message.objects.filter(in_crm=True).values_list("pk", flat=True)),
    }


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    letters=letters_strategy,
    incoming=st.sampled_from(Unknown.values),
    outgoing=st.sampled_from(Unknown.values),
    returning=st.sampled_from(Returning.values),
    history=st.booleans(),
    taken=st.booleans(),
    size=st.integers(2, 9),
)
# a stranger of a company whose deal nobody has asked for yet
@example([(U, [], 2, [], "inbox", ""), (U, [], 1, [], "inbox", "")], "contact", "nothing", "nothing", False, False, 9)
# who went along brings people into the conversation
@example(
    [(S, [X], 9, [], "inbox", ""), (A, [S], 5, [0], "inbox", ""), (X, [], 1, [0], "inbox", "")],
    "nothing", "nothing", "nothing", False, False, 9,
)  # fmt: skip
# newest first
@example(
    [(A, [], 1, [1], "inbox", ""), (A, [], 9, [], "inbox", "bulk"), (I, [], 5, [1], "inbox", "")],
    "nothing", "nothing", "nothing", False, False, 9,
)  # fmt: skip
# a second copy in spam
@example([(A, [], 1, [], "inbox", "again"), (S, [], 1, [], "inbox", "")], "lead", "nothing", "lead", False, False, 9)
# two conversations of one which meet
@example(
    [(A, [], 9, [], "inbox", ""), (C, [], 8, [0], "inbox", ""), (A, [C], 7, [0], "inbox", ""),
     (C, [], 6, [0], "inbox", ""), (S, [A], 5, [1], "inbox", "")],
    "nothing", "nothing", "nothing", False, True, 9,
)  # fmt: skip
def test_pieces_of_any_size_end_the_same(
    world, now, monkeypatch, letters, incoming, outgoing, returning, history, taken, size
):
    mailbox, ines, jonas = world["mailbox"], world["ines"], world["jonas"]
    with transaction.atomic():
        change_saving(
            mailbox, by=ines, known=True, unknown_incoming=incoming, unknown_outgoing=outgoing, returning=returning,
            responsible=[ines, jonas],
        )  # fmt: skip
        if taken:  # of a deal of somebody else's, by hand
            receive(world["other"], fetched(900, raw("Letter 0", message_id="0@x", sender=PEOPLE[A])), now=now)
            letter = Message.objects.latest("pk")
            at = link_by_hand(letter, world["deals"][4], by=world["other"].mailbox.owner, now=now)
            take_away(at, world["deals"][4], by=world["other"].mailbox.owner, now=now, whole_conversation=True)
        arrive(world, letters, now, history=history)
        alone = ends(mailbox, now, 1, monkeypatch)
        together = ends(mailbox, now, size, monkeypatch)
        transaction.set_rollback(True)
    assert together == alone

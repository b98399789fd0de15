"""Letters find their conversation whatever the order in which they arrive, and never in another mailbox."""

import time
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.events.models import Event
from letterdesk.lib.ids import new_public_id
from letterdesk.mail.letters import Address, Letter
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.models import Conversation, Folder, Mailbox, Message, ThreadKey
from letterdesk.mailboxes.threading import DifferentMailboxes, OnlyLetter, assign, merge, split, thread_of

from .arriving import BEFORE, another_mailbox, fetched, raw, receive
from .letters import folder_of


def arrive(folder, *contents, days=0):
    """Each in a batch of its own, a minute apart from each other."""
    for content in contents:
        uid = Message.objects.count() + 1
        receive(folder, fetched(uid, content, at=BEFORE + timedelta(days=days, minutes=uid)))


def groups():
    """The subjects of the letters of each conversation."""
    return sorted(
        sorted(message.subject for message in conversation.messages.all())
        for conversation in Conversation.objects.filter(merged_into=None)
    )


CHAIN = [
    raw("A", message_id="a@x"),
    raw("Re: A", message_id="b@x", in_reply_to="a@x"),
    raw("Re: A (2)", message_id="c@x", references=["a@x", "b@x"]),
    raw("Re: A (3)", message_id="d@x", references=["c@x"]),
]


@pytest.mark.case("B14")
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [0, 3, 1, 2], [3, 0, 2, 1]])
def test_a_chain_is_one_conversation_in_any_order(inbox, mailbox, order):
    arrive(inbox, *[CHAIN[at] for at in order])
    assert len(groups()) == 1
    conversation = Conversation.objects.get(merged_into=None)
    assert (conversation.message_count, conversation.public_id) == (4, conversation.public_id)
    assert listing.check(mailbox) == []


@pytest.mark.case("B14")
def test_a_missing_root_still_joins_its_answers(inbox):
    arrive(inbox, raw("Re: A", message_id="b@x", in_reply_to="a@x"), raw("Re: A", message_id="c@x", references=["a@x"]))
    assert groups() == [["Re: A", "Re: A"]]


@pytest.mark.case("B14")
def test_references_in_a_circle_and_to_oneself_do_no_harm(inbox):
    arrive(
        inbox,
        raw("A", message_id="a@x", references=["b@x", "a@x"]),
        raw("B", message_id="b@x", references=["a@x", "b@x"]),
        raw("C", message_id="c@x", in_reply_to="c@x"),
    )
    assert groups() == [["A", "B"], ["C"]]


@pytest.mark.case("B14")
def test_ten_thousand_references_take_less_than_200_milliseconds(inbox, mailbox):
    letter = Letter(
        subject="Re: long",
        sender=Address("", "a@x"),
        message_id="own@x",
        references=tuple(f"{n}@x" for n in range(10_000)),
    )
    began = time.perf_counter()
    with transaction.atomic():
        assign(mailbox, [thread_of(letter, received_at=BEFORE, own_address=mailbox.address)])
    assert time.perf_counter() - began < 0.2
    assert ThreadKey.objects.count() <= 40


def test_the_subject_is_that_of_the_first_letter_whenever_it_arrives(inbox):
    receive(inbox, fetched(2, raw("Re: Chairs, and tables", message_id="b@x", in_reply_to="a@x")))
    receive(inbox, fetched(1, raw("Chairs", message_id="a@x"), at=BEFORE - timedelta(days=1)))
    assert Conversation.objects.get().subject == "Chairs"


# Subject and people


def test_a_reply_that_names_no_letter_joins_by_subject_and_people(inbox):
    arrive(inbox, raw("Price list", message_id="a@x"), raw("AW: Price list", message_id="b@x"))
    assert groups() == [["AW: Price list", "Price list"]]


def test_the_first_letter_takes_in_replies_that_arrived_before_it(inbox):
    receive(inbox, fetched(2, raw("Re: Price list"), at=BEFORE))
    receive(inbox, fetched(1, raw("Price list"), at=BEFORE - timedelta(days=2)))
    assert groups() == [["Price list", "Re: Price list"]]


@pytest.mark.parametrize(
    ("second", "days"),
    [
        (raw("Price list", body="no reply"), 0),
        (raw("Re: Price list", sender="omar@else.example"), 0),  # other people
        (raw("Re: Price list"), 61),  # too late
        (raw("Re: Another list"), 0),
        (raw("Re: Price list", references=["elsewhere@x"]), 0),  # names another letter
    ],
)
def test_what_differs_stays_apart(inbox, second, days):
    arrive(inbox, raw("Price list"), days=-days)
    arrive(inbox, second)
    assert len(groups()) == 2


def test_letters_without_subject_never_join(inbox):
    arrive(inbox, raw(""), raw("Re: "), raw("Re:"))
    assert len(groups()) == 3


@pytest.mark.case("D11")
def test_no_letter_joins_a_conversation_of_another_mailbox(account, inbox):
    other = folder_of(another_mailbox(account, "omar@acme.example"))
    arrive(inbox, *[raw(f"Secret {n}", message_id=f"{n}@acme.example") for n in range(20)])
    for n in range(20):
        receive(other, fetched(n + 1, raw(f"Re: Secret {n}", in_reply_to=f"{n}@acme.example")))
        receive(other, fetched(n + 100, raw(f"Re: Secret {n}")))
    for conversation in Conversation.objects.filter(mailbox=other.mailbox):
        assert {message.mailbox_id for message in conversation.messages.all()} == {other.mailbox_id}
    assert len([group for group in groups() if any(not subject.startswith("Re") for subject in group)]) == 20


# By hand


def test_conversations_merged_by_hand_take_in_what_comes_for_either(inbox, mailbox, ines):
    arrive(inbox, raw("One", message_id="a@x"), raw("Two", message_id="b@x"))
    one, two = Conversation.objects.order_by("pk")
    merged = merge(one, two, by=ines)
    assert merged.message_count == 2
    arrive(inbox, raw("Re: Two", in_reply_to="b@x"), raw("Re: One", in_reply_to="a@x"))
    assert groups() == [["One", "Re: One", "Re: Two", "Two"]]
    two.refresh_from_db()
    assert (two.merged_into, two.subject, two.message_count) == (one, "", 0)
    assert Event.objects.get(kind="conversation.merged").by == ines
    assert listing.check(mailbox) == []


def test_a_letter_split_off_stays_apart_whatever_names_both_sides(inbox, mailbox, ines):
    arrive(inbox, *CHAIN)
    taken = Message.objects.get(subject="Re: A (2)")
    new = split(taken, by=ines)
    arrive(inbox, raw("To the new one", references=["a@x", "b@x", "c@x"]))
    arrive(inbox, raw("To the old one", references=["a@x", "c@x", "b@x"]))
    arrive(inbox, raw("Re: to both", references=["c@x", "d@x"], message_id="e@x"))
    assert sorted(m.subject for m in new.messages.all()) == ["Re: A (2)", "To the new one"]
    assert len(groups()) == 2
    assert listing.check(mailbox) == []
    again = merge(Conversation.objects.get(messages__subject="A"), new, by=ines)
    assert (again.message_count, len(groups())) == (7, 1)
    assert listing.check(mailbox) == []


def test_the_only_letter_cannot_be_split_off(inbox, ines):
    arrive(inbox, raw("One"))
    with pytest.raises(OnlyLetter):
        split(Message.objects.get(), by=ines)


def test_conversations_of_two_mailboxes_never_merge(account, inbox, ines):
    arrive(inbox, raw("One"))
    receive(folder_of(another_mailbox(account, "omar@acme.example")), fetched(9, raw("Two")))
    one, two = Conversation.objects.order_by("pk")
    with pytest.raises(DifferentMailboxes):
        merge(one, two, by=ines)


# Order of arrival

names = st.integers(0, 11)
graphs = st.lists(st.tuples(names, st.lists(names, max_size=4)), min_size=1, max_size=9)


def grouping(mailbox, letters, batches):
    """Which positions end in one conversation, when letters arrive in these batches."""
    home = {}
    place = Folder(account_id=mailbox.account_id, mailbox=mailbox)
    for batch in batches:
        threads = [
            thread_of(
                Letter(
                    subject="",
                    sender=Address("", "a@x"),
                    message_id=f"{letters[at][0]}@x",
                    references=tuple(f"{name}@x" for name in letters[at][1]),
                ),
                received_at=BEFORE,
                own_address="",
            )
            for at in batch
        ]
        with transaction.atomic():
            for at, conversation in zip(batch, assign(place.mailbox, threads).conversations, strict=True):
                home[at] = conversation.pk
    moved = dict(Conversation.objects.filter(mailbox=mailbox).values_list("pk", "merged_into"))
    for at in home:
        while moved[home[at]] is not None:
            home[at] = moved[home[at]]
    return {frozenset(at for at in home if home[at] == pk) for pk in home.values()}


@pytest.mark.case("B14")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(letters=graphs, data=st.data())
def test_the_grouping_does_not_depend_on_the_order_of_arrival(ines, letters, data):
    positions = list(range(len(letters)))
    order = data.draw(st.permutations(positions))
    cut = data.draw(st.integers(0, len(order)))
    arrivals = ([positions], [[at] for at in order], [order[:cut], order[cut:]])
    results = []
    for batches in arrivals:
        mailbox = Mailbox.objects.create(
            account=ines.account, owner=ines, address=f"{new_public_id()}@x.example", name="", imap_host=""
        )
        results.append(grouping(mailbox, letters, [batch for batch in batches if batch]))
    assert results[0] == results[1] == results[2]

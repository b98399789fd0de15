"""An answer is refused when its conversation has moved on: by a letter, by a colleague, from another program."""

from datetime import timedelta

import pytest

from letterdesk.mail.subjects import normal_subject
from letterdesk.mailboxes.models import Folder, FolderRole, Message
from letterdesk.mailboxes.tests.arriving import fetched, receive
from letterdesk.mailboxes.tests.letters import place
from letterdesk.mailboxes.threading import merge, split
from letterdesk.outbound import drafts, moved_on
from letterdesk.outbound.answering import forward, reply
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import Delivery, Draft, State
from letterdesk.outbound.moved_on import MovedOn
from letterdesk.outbound.send import send, stop
from letterdesk.outbound.tests.sending import SOON, after
from letterdesk.outbound.tests.test_send import used
from tests.rig.sink import Sink
from tests.rig.together import at_once, refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("allow_loopback")]


def raw(number, *, sender="Bo <bo@client.example>", after=0, subject="Re: Quote"):
    named = f"References: <{after}@client.example>\n" if after else ""
    text = (
        f"From: {sender}\nTo: ines@acme.example\nSubject: {subject}\nMessage-ID: <{number}@client.example>\n{named}\n"
    )
    return f"{text}Letter {number}\n".replace("\n", "\r\n").encode()


@pytest.fixture
def arrive(mailbox, inbox, now):
    """A letter comes into a folder; returns it."""
    uids = iter(range(1, 1000))

    def put(letter, folder=None, *, at=now, history=False):
        [made] = receive(folder or inbox, fetched(next(uids), letter, at=at), now=at).stored
        Message.objects.filter(pk=made.pk).update(is_history=history)
        return made

    return put


@pytest.fixture
def sink(mailbox):
    with Sink() as server:
        server.reach(mailbox)
        yield server


def folder_of(mailbox, role):
    return Folder.objects.create(
        account=mailbox.account, mailbox=mailbox, name=role.title(), wire_name=role, role=role, uidvalidity=1
    )


@pytest.fixture
def letter(arrive):
    return arrive(raw(1, subject="Quote"))


def refusal(draft, by, now, **more):
    with pytest.raises(MovedOn) as told:
        send(draft, by=by, seen=draft.version, now=now, **more)
    return told.value.changes


def test_a_letter_that_came_meanwhile_refuses_and_nothing_is_used_or_queued(letter, arrive, ines, now):
    draft = reply(letter, by=ines, now=now)
    came = arrive(raw(2, after=1), at=now + SOON)
    [change] = refusal(draft, ines, now)
    assert (change.who, change.letter, change.is_ours) == ("Bo", came, False)
    assert not Delivery.objects.exists() and used(draft.account) == 0
    assert Draft.objects.open().get() == draft


def test_sending_anyway_goes_out_until_a_third_change_comes(letter, arrive, ines, now):
    draft = reply(letter, by=ines, now=now)
    arrive(raw(2, after=1))
    known = [each.key for each in refusal(draft, ines, now)]
    third = arrive(raw(3, after=2))
    [change] = refusal(draft, ines, now, known=known)
    assert change.letter == third
    delivery = send(draft, by=ines, seen=1, now=now, known=[*known, change.key])
    again = stop(delivery, by=ines, now=now)
    send(again, by=ines, seen=again.version, now=now)  # what was known before the undo is known after it


@pytest.mark.parametrize("state", [State.QUEUED, State.SENDING, State.DEFERRED, State.UNKNOWN])
def test_a_colleagues_letter_on_its_way_refuses_until_it_is_stopped(letter, ines, colleague, now, state):
    mine, theirs = reply(letter, by=ines, now=now), reply(letter, by=colleague, now=now)
    delivery = send(theirs, by=colleague, seen=1, now=now)
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    [change] = refusal(mine, ines, now)
    assert (change.who, change.sender, change.letter) == ("Jonas", colleague, None)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.CANCELLED)
    send(mine, by=ines, seen=1, now=now)


def test_a_letter_for_tomorrow_is_news_too_and_says_so(letter, ines, colleague, now):
    mine = reply(letter, by=ines, now=now)
    send(reply(letter, by=colleague, now=now), by=colleague, seen=1, now=now, at=now + timedelta(days=1))
    [change] = refusal(mine, ines, now)
    assert change.leaves_later(now)


def test_a_delivery_and_its_copy_in_sent_are_one_change(letter, ines, colleague, sink, mailbox, now):
    mine, theirs = reply(letter, by=ines, now=now), reply(letter, by=colleague, now=now)
    delivery = send(theirs, by=colleague, seen=1, now=now)
    known = [each.key for each in refusal(mine, ines, now)]
    assert after(delivery, now).state == State.SENT and delivery.filed_id
    [change] = refusal(mine, ines, now)
    assert (change.letter.pk, change.who, change.is_ours) == (delivery.filed_id, "Jonas", True)
    send(mine, by=ines, seen=1, now=now, known=known)


def test_an_answer_from_another_program_is_seen_in_sent(letter, arrive, mailbox, ines, now):
    draft = reply(letter, by=ines, now=now)
    arrive(raw(7, sender="Acme <ines@acme.example>", after=1), folder_of(mailbox, FolderRole.SENT))
    [change] = refusal(draft, ines, now)
    assert change.is_ours and change.who == "Acme"


@pytest.mark.parametrize("role", [FolderRole.DRAFTS, FolderRole.SPAM, FolderRole.TRASH])
def test_drafts_spam_and_trash_are_no_news(letter, arrive, mailbox, ines, now, role):
    draft = reply(letter, by=ines, now=now)
    arrive(raw(2, after=1), folder_of(mailbox, role))
    if role == FolderRole.DRAFTS:  # Gmail: a draft lies in All mail as well
        place(Message.objects.latest("pk"), folder_of(mailbox, FolderRole.ALL))
    send(draft, by=ines, seen=1, now=now)


def test_history_that_is_still_being_fetched_is_no_news(letter, arrive, ines, now):
    draft = reply(letter, by=ines, now=now)
    arrive(raw(2, after=1), history=True)
    send(draft, by=ines, seen=1, now=now)


def test_other_conversations_and_new_letters_are_not_asked(letter, draft, arrive, ines, now):
    answer = reply(letter, by=ines, now=now)
    arrive(raw(9, subject="Something else"))
    send(answer, by=ines, seen=1, now=now)
    send(draft, by=ines, seen=1, now=now)


def test_a_forward_is_asked_as_an_answer_is(letter, arrive, ines, now):
    draft = forward(letter, by=ines, now=now)
    draft = drafts.save(draft, by=ines, seen=draft.version, now=now, to=[("", "di@client.example")])
    arrive(raw(2, after=1))
    assert len(refusal(draft, ines, now)) == 1


def test_a_merge_is_news_and_a_split_takes_news_away(letter, arrive, ines, now):
    draft, other = reply(letter, by=ines, now=now), arrive(raw(9, subject="Chairs"))
    assert normal_subject(other.subject) != normal_subject(letter.subject)
    joined = merge(other.conversation, letter.conversation, by=ines)
    assert [each.letter for each in refusal(draft, ines, now)] == [other]
    assert moved_on.conversation_of(draft) == joined.pk
    other.refresh_from_db()
    split(other, by=ines)
    send(draft, by=ines, seen=1, now=now)


def test_the_conversation_is_found_though_the_letter_that_is_answered_is_gone(letter, arrive, ines, now):
    arrive(raw(2, after=1))
    draft = reply(Message.objects.get(pk=letter.pk), by=ines, now=now)
    conversation = letter.conversation_id
    Message.objects.filter(pk=letter.pk).delete()
    assert moved_on.conversation_of(Draft.objects.get(pk=draft.pk)) == conversation
    arrive(raw(3, after=2))
    assert len(refusal(draft, ines, now)) == 1


# Later


def test_what_was_to_leave_later_is_held_back_as_a_draft_and_told(letter, arrive, ines, sink, mailbox, now):
    due = now + timedelta(hours=1)
    delivery = send(reply(letter, by=ines, now=now), by=ines, seen=1, now=now, at=due)
    arrive(raw(2, after=1), at=now + timedelta(minutes=5))
    deliver(now=due, patience=1)
    delivery.refresh_from_db()
    assert (delivery.state, sink.taken, used(delivery.account)) == (State.CANCELLED, [], 0)
    draft = Draft.objects.open().get()
    assert draft.held_back_at == due
    events = mailbox.account.events.filter(kind="letter.held_back", subject=f"delivery:{delivery.public_id}")
    assert events.get().by == ines
    [change] = refusal(draft, ines, due)
    drafts.read_on(draft, [change.key])
    send(draft, by=ines, seen=draft.version, now=due)
    assert not Draft.objects.filter(held_back_at__isnull=False).exists()


@pytest.mark.parametrize("how", [{"anyway": True}, {}])
def test_it_leaves_anyway_if_so_wished_or_if_nothing_came(letter, arrive, ines, sink, mailbox, now, how):
    delivery = send(reply(letter, by=ines, now=now), by=ines, seen=1, now=now, at=now + timedelta(hours=1), **how)
    if how:
        arrive(raw(2, after=1))
    assert after(delivery, now).state == State.SENT


def test_the_undo_window_asks_nobody_again(letter, arrive, ines, sink, mailbox, now):
    delivery = send(reply(letter, by=ines, now=now), by=ines, seen=1, now=now)
    arrive(raw(2, after=1))
    assert after(delivery, now).state == State.SENT


def test_a_letter_that_may_have_left_is_never_held_back(letter, arrive, ines, sink, mailbox, now):
    """P6."""
    delivery = send(reply(letter, by=ines, now=now), by=ines, seen=1, now=now, at=now + timedelta(hours=1))
    Delivery.objects.filter(pk=delivery.pk).update(may_have_left=True)
    arrive(raw(2, after=1))
    assert after(delivery, now).state == State.SENT


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_at_once_one_is_refused(letter, ines, colleague, now):
    mine, theirs = reply(letter, by=ines, now=now), reply(letter, by=colleague, now=now)
    acts = [lambda d=d, who=who: send(d, by=who, seen=1, now=now) for d, who in ((mine, ines), (theirs, colleague))]
    assert refused(at_once(acts, refusal=MovedOn)) == 1
    assert Delivery.objects.count() == 1


def test_an_answer_to_a_letter_that_has_left_is_sent(letter, ines, sink, now):
    draft = reply(letter, by=ines, now=now)
    Message.objects.filter(pk=letter.pk).delete()
    delivery = send(Draft.objects.get(pk=draft.pk), by=ines, seen=1, now=now)
    assert after(delivery, now).state == State.SENT

"""New letters: told to those who want it, once, as one line; never history, our own, spam, or what is read already."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from letterdesk.accounts.dismiss import dismiss
from letterdesk.events.models import Event
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes.models import Folder, FolderRole, Grant
from letterdesk.mailboxes.receive import receive
from letterdesk.mailboxes.remove import remove_messages
from letterdesk.mailboxes.share import grant
from letterdesk.mailboxes.tests.letters import folder_of
from letterdesk.notifications.lines import lines_of, unseen_count
from letterdesk.notifications.models import LettersTold, Level, Notification
from letterdesk.notifications.seen import forget, see_conversation
from letterdesk.notifications.wishes import choose_levels, stored_telling
from letterdesk.outbound.answering import reply
from letterdesk.outbound.models import Delivery
from letterdesk.outbound.send import send
from letterdesk.web.tests.conftest import raw_letter

BULK = {"List_Id": "<news.okafor.example>"}


@pytest.fixture
def all_to_jonas(mailbox, jonas, ines, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    choose_levels(jonas, {mailbox: Level.ALL})


def test_a_new_letter_is_one_line_and_twenty_are_one_too(deliver, told, ines, mailbox):
    deliver(raw_letter("Offer"))
    assert told(ines) == [("letters", "1 new letter in Ines", "Amara: Offer")]
    deliver(*(raw_letter(f"Order {number}") for number in range(19)))
    assert told(ines) == [("letters", "20 new letters in Ines", "")]
    assert unseen_count(ines, timezone.now()) == 1


def test_handing_the_same_event_on_again_tells_nothing_twice(deliver, told, ines):
    deliver(raw_letter("Offer"))
    told(ines)
    Event.objects.filter(kind="message.received").update(dispatched_at=None, attempts=0, tried_at=None)
    assert [title for _, title, _ in told(ines)] == ["1 new letter in Ines"]


def test_history_is_never_told(inbox, told, ines, now):
    raws = [raw_letter(f"Old {number}") for number in range(5)]
    with transaction.atomic():
        receive(inbox, [Fetched(uid, raw, now, frozenset()) for uid, raw in enumerate(raws, 1)], uidvalidity=1,
                now=now, initial=True)  # fmt: skip
    assert told(ines) == []


def test_what_lay_here_before_anybody_listened_is_not_told(deliver, told, ines, mailbox, now):
    """An installation that is upgraded tells nothing of what it has."""
    deliver(raw_letter("Long here"))
    mailbox.messages.update(first_seen_at=now - timedelta(days=2))
    deliver(raw_letter("New"))
    assert told(ines) == [("letters", "1 new letter in Ines", "Amara: New")]
    assert LettersTold.objects.get().last == mailbox.messages.latest("pk").pk


def test_our_own_spam_and_what_is_read_elsewhere_are_not_told(deliver, told, ines, account, mailbox):
    for role in (FolderRole.SPAM, FolderRole.SENT, FolderRole.TRASH, FolderRole.DRAFTS):
        folder = Folder.objects.create(account=account, mailbox=mailbox, name=role, wire_name=role, role=role)
        deliver(raw_letter(f"In {role}"), folder=folder)
    deliver(raw_letter("From us", sender=mailbox.address), folder=folder_of(mailbox, "By a rule", ""))
    deliver(raw_letter("Read on a telephone"), flags=["\\Seen"])
    assert told(ines) == []


def test_a_letter_that_came_under_our_own_address_is_told(deliver, told, ines, mailbox):
    deliver(raw_letter("Order by the web form", sender=mailbox.address))
    assert [kind for kind, *_ in told(ines)] == ["letters"]


def test_newsletters_are_told_only_if_wanted(deliver, told, ines):
    deliver(raw_letter("News", **BULK))
    assert told(ines) == []
    telling = stored_telling(ines)
    telling.tells_bulk = True
    telling.save()
    deliver(raw_letter("More news", **BULK))
    assert told(ines) == [("letters", "1 new letter in Ines", "Amara: More news")]


def test_who_has_access_is_told_of_all_only_if_they_choose_so(deliver, told, mailbox, jonas, ines, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    deliver(raw_letter("One"))
    assert [kind for kind, *_ in told(jonas)] == ["access_given"]
    choose_levels(jonas, {mailbox: Level.ALL})
    choose_levels(ines, {mailbox: Level.NONE})
    deliver(raw_letter("Two"))
    assert ("letters", "1 new letter in Ines", "Amara: Two") in told(jonas)
    assert [detail for *_, detail in told(ines)] == ["Amara: One"]


def test_an_answer_to_what_i_wrote_is_mine_and_a_machines_is_not(deliver, told, mailbox, jonas, ines, now):
    grant(mailbox, to=jonas, by=ines, now=now)
    letter = deliver(raw_letter("Offer", Message_ID="<1@okafor.example>"))[0]
    told(jonas)
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])
    draft = reply(letter, by=jonas, now=now)
    send(draft, by=jonas, seen=draft.version, now=now)
    Delivery.objects.update(state="sent", created_at=now - timedelta(minutes=1))
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>", Auto_Submitted="auto-replied"))
    assert "answer" not in [kind for kind, *_ in told(jonas)]
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>", text="Yes"))
    assert ("answer", "Answer in a conversation of yours in Ines", "Amara: Offer") in told(jonas)


def test_what_cannot_be_read_any_more_is_not_told_any_more(deliver, told, all_to_jonas, jonas, ines):
    deliver(raw_letter("Secret"))
    assert any("Secret" in detail for *_, detail in told(jonas))
    Grant.objects.all().delete()
    assert told(jonas) == []
    assert unseen_count(jonas, timezone.now()) == 0
    assert Notification.objects.filter(employee=jonas).exists()  # it is not removed: the right may come back


def test_a_dismissed_person_and_a_stranger_are_told_nothing(deliver, told, people, all_to_jonas, jonas, stranger, now):
    deliver(raw_letter("Secret"))
    told(jonas)
    dismiss(jonas, by=people["administrator"], now=now)
    assert told(jonas) == told(stranger) == []
    count = Notification.objects.filter(employee=jonas).count()
    deliver(raw_letter("More"))
    told(jonas)
    assert Notification.objects.filter(employee=jonas).count() == count


def test_a_letter_that_left_webmail_leaves_no_subject_behind(deliver, told, ines, now, sold_plans, account):
    """R20: judged by the clock, before any sweep."""
    deliver(raw_letter("Old secret"), at=now - timedelta(days=29, hours=23))
    deliver(raw_letter("Re: Old secret"), at=now - timedelta(days=29, hours=23))
    assert "Old secret" in str(told(ines))
    assert unseen_count(ines, timezone.now()) == 1
    later = lines_of(ines, timezone.now() + timedelta(hours=2))
    assert unseen_count(ines, timezone.now() + timedelta(hours=2)) == len(later) == 0  # the bell counts what is shown
    assert "Old secret" not in str([(line.title, line.detail) for line in later])


def test_a_line_goes_with_its_conversation_and_keeps_no_copy(deliver, told, ines, mailbox, now):
    letter = deliver(raw_letter("Gone"))[0]
    told(ines)
    row = Notification.objects.get()
    assert "Gone" not in str({name: value for name, value in vars(row).items() if not name.startswith("_")})
    with transaction.atomic():
        remove_messages(mailbox, [letter.pk], now=now)
    assert told(ines) == []
    assert unseen_count(ines, timezone.now()) == 0
    assert not Notification.objects.exists()


def test_who_reads_has_seen_it_and_after_30_days_it_is_forgotten(deliver, told, ines, now):
    letter = deliver(raw_letter("Offer"))[0]
    told(ines)
    see_conversation(ines, letter.conversation, now=now)
    assert unseen_count(ines, timezone.now()) == 0
    assert forget(now=timezone.now() + timedelta(days=29)) == 0
    assert forget(now=timezone.now() + timedelta(days=31)) == 1

"""What colleagues do at a conversation: told to the right ones, once, and to nobody who cannot read it any more."""

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Department
from letterdesk.config.reactions import REACTIONS
from letterdesk.events.dispatch import dispatch
from letterdesk.events.models import Event
from letterdesk.mailboxes.act import Chosen, Wish, act
from letterdesk.mailboxes.models import Grant, Placement
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.notifications.lines import lines_of, unseen_count
from letterdesk.notifications.models import Kind, Level, Notification
from letterdesk.notifications.seen import see_all
from letterdesk.notifications.wishes import choose_levels
from letterdesk.team import comments
from letterdesk.team.following import follow, followers_in, readers_among
from letterdesk.team.sharing import share, take_back
from letterdesk.team.verbs import assigning
from letterdesk.web.tests.conftest import raw_letter


@pytest.fixture
def omar(account, mailbox):
    """Reads the mailbox."""
    person = employ(account, "Omar")
    Grant.objects.create(account=account, mailbox=mailbox, employee=person, may_reply=False)
    return person


@pytest.fixture
def offer(deliver, ines):
    """A conversation, of which nobody has anything left to see."""
    found = deliver(raw_letter("Offer", Message_ID="<1@okafor.example>"))[0].conversation
    dispatch(timezone.now())
    see_all(ines, now=timezone.now())
    return found


@pytest.fixture
def fresh(told):
    """What somebody was told and has not seen, as (kind, title, detail)."""
    return lambda employee: told(employee, seen_at=None)


def again(kind):
    """All reactions to all events of this kind run once more."""
    for event in Event.objects.filter(kind=kind):
        for reaction in REACTIONS[kind]:
            reaction(event)


def test_who_is_called_and_who_follows_or_has_it_are_told_of_a_comment(fresh, offer, ines, omar, jonas, now):
    follow(offer, employee=omar)
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    assert fresh(omar) == [("mention", "Ines mentioned you in Ines", "Amara: Offer")]
    comments.add(offer, "Yes", by=omar, now=now)
    commented = ("comment", "Omar commented on a conversation in Ines", "Amara: Offer")
    assert fresh(ines) == [commented]  # who comments follows
    assert fresh(jonas) == []
    act([Chosen(offer.pk, None)], assigning(omar, Wish("assign", ines, now)))
    comments.add(offer, "All yours", by=ines, now=now)
    assert {kind for kind, *_ in fresh(omar)} == {"mention", "assigned", "comment"}


def test_a_reaction_that_runs_again_tells_nothing_twice(fresh, offer, ines, omar, now):
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    assert len(fresh(omar)) == 1
    again("comment.added")
    assert Notification.objects.get(employee=omar).count == 1
    see_all(omar, now=timezone.now())
    again("comment.added")
    assert fresh(omar) == [] and Notification.objects.filter(employee=omar).count() == 1
    comments.add(offer, "@Omar well?", by=ines, now=now, mentions=[omar])
    assert len(fresh(omar)) == 1


def test_who_lost_access_meanwhile_is_told_nothing_and_sees_nothing(fresh, told, offer, ines, omar, now):
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    Grant.objects.all().delete()  # before the reaction runs
    assert told(omar) == [] and not Notification.objects.filter(employee=omar).exists()
    row = Grant.objects.create(account=offer.account, mailbox=offer.mailbox, employee=omar)
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    assert len(fresh(omar)) == 1
    row.delete()  # after it
    assert told(omar) == [] and unseen_count(omar, timezone.now()) == 0


def test_a_conversation_that_is_shown_is_told_and_leads_to_that_one(fresh, told, deliver, offer, ines, jonas, now):
    deliver(raw_letter("Salaries"))
    share(offer, to=jonas, by=ines, now=now)
    assert fresh(jonas) == [("shown", "Ines showed you a conversation", "Amara: Offer")]
    again("conversation.shared")
    [line] = lines_of(jonas, timezone.now())
    assert (
        line.address == f"/shared/{offer.public_id}"
        and line.row.count == 1
        and unseen_count(jonas, timezone.now()) == 1
    )
    take_back(offer, of=jonas, by=ines)
    assert told(jonas) == [] and unseen_count(jonas, timezone.now()) == 0


def test_a_share_that_was_taken_back_before_is_not_told(told, offer, ines, jonas, now):
    share(offer, to=jonas, by=ines, now=now)
    take_back(offer, of=jonas, by=ines)
    assert told(jonas) == [] and not Notification.objects.filter(employee=jonas).exists()


def test_a_guest_is_called_answered_and_told_no_more_of_the_mailbox_than_its_address(
    fresh, told, deliver, offer, mailbox, ines, jonas, trash, now
):
    mailbox.name = "Secret plans"
    mailbox.save(update_fields=["name"])
    share(offer, to=jonas, by=ines, now=now)
    comments.add(offer, "@Jonas look", by=ines, now=now, mentions=[jonas])  # follows from now on
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>", sender="Bo <bo@client.example>"))
    deliver(raw_letter("Another"))
    binned = raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>", sender="Binned <x@client.example>")
    deliver(binned, folder=trash)
    lines = fresh(jonas)
    assert {kind for kind, *_ in lines} == {"shown", "mention", "answer"}
    assert {detail for *_, detail in lines} == {"Bo: Offer"}
    assert "Secret plans" not in str(lines) and mailbox.address in str(lines)
    Placement.objects.filter(conversation=offer).update(folder=trash)
    assert told(jonas) == []  # what lies there alone is not shown


def test_a_customers_answer_is_told_to_who_follows_and_may_read(fresh, deliver, offer, ines, omar, jonas, now):
    for each in (omar, jonas):
        follow(offer, employee=each)
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>"))
    assert fresh(omar) == [("answer", "Answer in a conversation of yours in Ines", "Amara: Offer")]
    assert fresh(jonas) == [] and not Notification.objects.filter(employee=jonas).exists()
    assert followers_in(offer.mailbox, [offer.pk]) == {(offer.pk, omar.pk)}
    assert readers_among({ines.pk, omar.pk, jonas.pk}, offer) == {ines.pk, omar.pk}


def test_who_wants_nothing_of_a_mailbox_hears_nothing_of_it(told, offer, mailbox, ines, omar, now):
    choose_levels(omar, {mailbox: Level.NONE})
    comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar])
    act([Chosen(offer.pk, None)], assigning(omar, Wish("assign", ines, now)))
    comments.add(offer, "Well?", by=ines, now=now)
    assert told(omar) == [] and not Notification.objects.filter(kind=Kind.ASSIGNED).exists()


def test_a_comment_that_was_deleted_before_is_not_told(told, offer, ines, omar, now):
    comments.remove(comments.add(offer, "@Omar look", by=ines, now=now, mentions=[omar]), by=ines)
    assert told(omar) == []


@pytest.fixture
def support(account, mailbox, omar, jonas):
    """A department that reads the mailbox: Omar, Jonas, and Lea, who has left."""
    department = Department.objects.create(account=account, name="Support")
    lea = employ(account, "Lea")
    account.employees.filter(pk__in=[omar.pk, jonas.pk, lea.pk]).update(department=department)
    account.employees.filter(pk=lea.pk).update(dismissed_at=timezone.now())
    Grant.objects.create(account=account, mailbox=mailbox, department=department)
    return department


GIVEN = ("department", "Ines gave your department a conversation in Ines", "Amara: Offer")


def test_a_department_is_told_of_what_it_is_given_until_one_takes_it(
    fresh, offer, mailbox, ines, omar, jonas, support, deliver, now
):
    act([Chosen(offer.pk, None)], assigning(support, Wish("assign", ines, now)))
    assert fresh(omar) == fresh(jonas) == [GIVEN]
    assert fresh(ines) == []
    again("conversation.assigned")
    assert Notification.objects.filter(kind=Kind.DEPARTMENT).count() == 2  # who has left is told nothing
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>"))
    comments.add(offer, "Who?", by=ines, now=now)
    assert {kind for kind, *_ in fresh(jonas)} == {"department", "answer", "comment"}
    act([Chosen(offer.pk, None)], assigning(omar, Wish("assign", omar, now)))
    assert "department" not in str(fresh(omar) + fresh(jonas))
    deliver(raw_letter("Re: Offer", In_Reply_To="<1@okafor.example>", text="Well?"))
    comments.add(offer, "Yours", by=ines, now=now)
    assert fresh(omar) != []
    assert Notification.objects.get(employee=jonas, kind=Kind.ANSWER).count == 1  # it is Omar's now


def test_who_gives_to_their_own_department_or_wants_nothing_is_told_nothing(
    told, offer, mailbox, omar, jonas, support, now
):
    choose_levels(jonas, {mailbox: Level.NONE})
    act([Chosen(offer.pk, None)], assigning(support, Wish("assign", omar, now)))
    assert told(omar) == told(jonas) == []


def test_a_department_that_cannot_read_any_more_is_told_nothing(told, offer, ines, omar, jonas, support, now):
    act([Chosen(offer.pk, None)], assigning(support, Wish("assign", ines, now)))
    Grant.objects.filter(department=support).delete()  # before the reaction; Omar has a grant of his own
    assert told(jonas) == [] and not Notification.objects.filter(employee=jonas).exists()
    assert told(omar) == [GIVEN]

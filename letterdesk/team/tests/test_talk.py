"""Comments, shares, followers and presence: who may what, and that they go where their conversation goes."""

from datetime import timedelta
from functools import partial

import pytest

from letterdesk.accounts.dismiss import dismiss, reinstate
from letterdesk.accounts.models import Role
from letterdesk.events.models import Event
from letterdesk.mailboxes.aside import lies_aside
from letterdesk.mailboxes.models import Conversation, Grant, Message
from letterdesk.mailboxes.remove import remove_messages
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.mailboxes.tests.letters import ago, folder_of, letter, place
from letterdesk.mailboxes.threading import merge, split
from letterdesk.team import comments, following, presence, sharing
from letterdesk.team.jobs import after_leaving
from letterdesk.team.models import Comment, Follower, Opening, Presence, Share
from letterdesk.team.openings import forget_openings, opened, openings
from tests.rig.together import at_once

pytestmark = pytest.mark.django_db
OURS = (Comment, Presence, Follower, Share, Opening)


class Person:
    def __init__(self, pk, name):
        self.pk, self.name = pk, name


PEOPLE = [
    Person(1, "Jonas Weber"),
    Person(2, "Jonas Weber-Kim"),
    Person(3, "Ana"),
    Person(4, "Ana Lima"),
    Person(5, "Lea Ö"),
]


@pytest.mark.parametrize(
    ("text", "pks"),
    [
        ("@Jonas Weber look", [1]), ("@jonas weber-kim", [2]), ("@Jonas", []), ("@Ana", [3]),
        ("@Ana Lima, @Lea", [4, 5]),
        ("mail@Ana.example", []), ("@Anabel", []), ("", []), ("@", []), ("@Lea ö!", [5]),
    ],
)  # fmt: skip
def test_whom_a_text_calls(text, pks):
    assert [each.pk for each in comments.called(text, PEOPLE)] == pks


@pytest.fixture
def shared(offer, ines, jonas, now):
    sharing.share(offer, to=jonas, by=ines, now=now)
    return offer


def everything(conversation, by, now):
    comments.add(conversation, "Secret word", by=by, now=now)
    presence.here(conversation, employee=by, writing=True, now=now)
    opened(conversation.pk, by=by, now=now)


def test_a_comment_is_told_by_ids_alone_and_its_people_follow(offer, ines, omar, now):
    row = comments.add(offer, " @Omar look ", by=ines, now=now, mentions=[omar])
    event = Event.objects.get(kind="comment.added")
    assert event.subject == f"comment:{row.public_id}" and event.facts["mentions"] == [omar.public_id]
    assert "look" not in str(event.facts) and row.text == "@Omar look"
    assert set(following.followers_of(offer)) == {ines, omar}
    Grant.objects.filter(employee=omar).delete()
    assert following.followers_of(offer) == [ines]


@pytest.mark.parametrize("text", ["", " \n ", "x" * 20_001])
def test_an_empty_or_endless_comment_is_refused(offer, ines, now, text):
    with pytest.raises(comments.BadComment):
        comments.add(offer, text, by=ines, now=now)


def test_comments_are_for_who_reads_the_conversation(offer, ines, omar, jonas, stranger, now):
    row = comments.add(offer, "Hello", by=omar, now=now)
    for reader in (ines, omar):
        assert comments.comments_at(offer, reader) == [row]
    for nobody in (jonas, stranger):
        assert comments.comments_at(offer, nobody) == []
    assert not Comment.objects.editable_by(ines).exists() and Comment.objects.editable_by(omar).get() == row


def test_a_share_shows_that_conversation_and_nothing_else(shared, inbox, ines, jonas, stranger, now):
    """P9: no list, count, search or right comes with it."""
    other = letter(inbox, received_at=ago(now, hours=1), subject="Offer")
    assert list(sharing.shared_letters(jonas)) == list(shared.messages.all())
    assert other not in sharing.shared_letters(jonas)
    assert not sharing.shared_letters(stranger).exists() and sharing.can_read(shared, jonas)
    assert not Conversation.objects.visible_to(jonas).exists() and not Message.objects.visible_to(jonas).exists()
    assert not Share.objects.visible_to(jonas).exists() and Share.objects.visible_to(ines).exists()


@pytest.mark.parametrize("beside", [(), ("all",), ("all", "")])
@pytest.mark.parametrize("role", ["drafts", "spam", "trash"])
def test_no_draft_is_shown_nor_what_lies_aside_though_it_lies_in_all_mail(shared, mailbox, jonas, now, role, beside):
    places = [folder_of(mailbox, f"{number}", each) for number, each in enumerate((role, *beside))]
    written = letter(places[0], received_at=now, subject="Re: Offer", conversation=shared)
    for folder in places[1:]:
        place(written, folder)
    is_labelled_spam = role != "drafts" and "" in beside
    assert (written in sharing.shared_letters(jonas)) == is_labelled_spam
    assert lies_aside({role, *beside}) != is_labelled_spam


def test_an_archived_letter_that_lies_in_all_mail_alone_is_shown(shared, mailbox, jonas, now):
    archived = letter(folder_of(mailbox, "All", "all"), received_at=now, conversation=shared)
    assert archived in sharing.shared_letters(jonas) and not lies_aside({"all"})


def test_what_was_said_before_the_share_is_told_only_to_whom_it_calls(offer, ines, omar, jonas, now):
    comments.add(offer, "They pay late", by=ines, now=ago(now, hours=2))
    called = comments.add(offer, "@Jonas?", by=ines, now=ago(now, hours=1), mentions=[jonas])
    assert comments.comments_at(offer, jonas) == []
    sharing.share(offer, to=jonas, by=ines, now=now)
    since = comments.add(offer, "He can read it now", by=omar, now=now)
    own = comments.add(offer, "Thanks", by=jonas, now=now)
    assert comments.comments_at(offer, jonas) == [called, since, own]
    assert len(comments.comments_at(offer, omar)) == 4


def test_a_share_ends_when_it_is_taken_back_or_the_person_leaves(shared, account, ines, jonas, now):
    comments.add(shared, "Hello", by=jonas, now=now)
    assert sharing.take_back(shared, of=jonas, by=ines) and not sharing.can_read(shared, jonas)
    assert not Comment.objects.visible_to(jonas).exists() and following.followers_of(shared) == []
    assert not sharing.take_back(shared, of=jonas, by=ines)
    sharing.share(shared, to=jonas, by=ines, now=now)
    dismiss(jonas, by=employ(account, "Admin", Role.ADMINISTRATOR), now=now)
    assert not sharing.can_read(shared, jonas) and not sharing.shared_letters(jonas).exists()


def test_who_is_taken_back_sees_nothing_that_was_shared_before(shared, account, ines, jonas, now):
    boss = employ(account, "Admin", Role.ADMINISTRATOR)
    following.follow(shared, employee=jonas)
    dismiss(jonas, by=boss, now=now)
    event = Event.objects.filter(kind="employee.dismissed").latest("pk")
    event.at = max(event.at, now)
    reinstate(jonas, by=boss)  # before anybody reacted
    after_leaving(event)
    assert not sharing.can_read(shared, jonas) and not Share.objects.exists()
    assert not Follower.objects.filter(employee=jonas).exists()


def test_a_conversation_that_was_joined_meanwhile_is_not_shared_and_what_is_said_stands_there(
    offer, inbox, ines, jonas, now
):
    other = letter(inbox, received_at=ago(now, hours=1), subject="Salaries").conversation
    before = Conversation.objects.get(pk=offer.pk)  # as a request has read it
    merge(other, offer, by=None)
    with pytest.raises(sharing.CannotShare):
        sharing.share(before, to=jonas, by=ines, now=now)
    assert comments.add(before, "Hello", by=ines, now=now).conversation == other
    assert not Share.objects.exists() and following.followers_of(other) == [ines]


@pytest.mark.django_db(transaction=True)
def test_no_share_outlives_a_merge_at_the_same_moment(offer, inbox, ines, jonas, now):
    other = letter(inbox, received_at=ago(now, hours=1), subject="Salaries").conversation
    shared_with_jonas = partial(sharing.share, offer, to=jonas, by=ines, now=now)
    at_once([partial(merge, other, offer, by=None), shared_with_jonas], refusal=sharing.CannotShare)
    assert not Share.objects.exists()


def test_a_comment_calls_fifty_people_at_most_and_an_endless_one_nobody():
    people = [Person(number, f"P{number}") for number in range(51)]
    text = " ".join(f"@{each.name}" for each in people)
    with pytest.raises(comments.BadComment):
        comments.called(text, people)
    assert len(comments.called(text, people[:50])) == 50
    with pytest.raises(comments.BadComment):
        comments.called("@" * 20_001, people)


def test_who_of_many_can_read_it_is_one_query(shared, ines, omar, jonas, stranger, account, django_assert_num_queries):
    people = [ines, omar, jonas, stranger, employ(account, "Nobody")]
    with django_assert_num_queries(1):
        readers = sharing.who_can_read(shared, people)
    assert readers == {ines.pk, omar.pk, jonas.pk} == {each.pk for each in people if sharing.can_read(shared, each)}


def test_it_is_shared_within_the_account_with_who_cannot_read_it(offer, ines, omar, stranger, now):
    for nobody in (stranger, omar):
        with pytest.raises(sharing.CannotShare):
            sharing.share(offer, to=nobody, by=ines, now=now)
    assert not Share.objects.exists()


def test_a_stranger_who_joins_two_conversations_opens_neither(shared, inbox, ines, jonas, now):
    """A letter may name both: the share was given without the others."""
    private = letter(inbox, received_at=ago(now, hours=1), subject="Salaries").conversation
    comments.add(private, "Mine", by=ines, now=now)
    everything(shared, ines, now)
    merge(private, shared, by=None)
    assert not sharing.can_read(private, jonas)
    assert [each.employee for each in openings(private, seen_by=ines)] == [ines], "who read it stays known"
    assert [each.text for each in comments.comments_at(private, ines)] == ["Mine", "Secret word"]
    assert Follower.objects.filter(employee=ines).count() == 1  # once, though of both


def test_a_letter_that_is_split_off_is_not_shared(shared, ines, jonas, now):
    second = letter(shared.messages.get().placements.get().folder, received_at=ago(now, hours=1), subject="Re: Offer")
    joined = merge(shared, second.conversation, by=ines)
    sharing.share(joined, to=jonas, by=ines, now=now)
    split(second, by=ines)
    assert second not in sharing.shared_letters(jonas) and sharing.shared_letters(jonas).count() == 1


def test_all_of_it_goes_with_the_last_letter(shared, ines, now):
    """F13."""
    everything(shared, ines, now)
    assert all(model.objects.exists() for model in OURS)
    remove_messages(shared.mailbox, list(shared.messages.values_list("pk", flat=True)), now=now)
    assert not any(model.objects.exists() for model in OURS)


def test_who_opened_it_is_told_the_owner_once_an_hour_for_90_days(shared, ines, jonas, omar, now):
    for minutes in (0, 1, 61):
        opened(shared.pk, by=jonas, now=now + timedelta(minutes=minutes))
    assert len(openings(shared, seen_by=ines)) == 2
    assert openings(shared, seen_by=jonas) == openings(shared, seen_by=omar) == []
    forget_openings(now=now + timedelta(days=90, minutes=1))
    assert Opening.objects.count() == 1


# Presence


def test_who_is_there_lapses_and_leaves_no_rows(offer, ines, omar, now):
    presence.here(offer, employee=ines, writing=False, now=now)
    presence.here(offer, employee=ines, writing=True, now=now)
    [seen] = presence.others(offer, employee=omar, now=now + timedelta(seconds=19))
    assert (seen.employee, seen.is_writing) == (ines, True)
    assert presence.others(offer, employee=ines, now=now) == []
    late = now + timedelta(seconds=21)
    assert presence.others(offer, employee=omar, now=late) == []
    presence.here(offer, employee=omar, writing=False, now=late)
    assert Presence.objects.count() == 1
    presence.gone(offer, employee=omar)
    assert not Presence.objects.exists()


def test_coming_writing_going_and_lapsing_are_news_and_staying_is_none(offer, ines, now):
    watch, where = presence.Watch(), [(offer.mailbox.topic, offer.public_id)]
    events = Event.objects.count()
    assert watch.news(now) == []
    presence.here(offer, employee=ines, writing=False, now=now)
    assert watch.news(now) == where
    presence.here(offer, employee=ines, writing=False, now=now + timedelta(seconds=10))
    assert watch.news(now + timedelta(seconds=10)) == []
    presence.here(offer, employee=ines, writing=True, now=now + timedelta(seconds=11))
    assert watch.news(now + timedelta(seconds=11)) == where
    assert watch.news(now + timedelta(seconds=29)) == []
    assert watch.news(now + timedelta(seconds=32)) == where  # it crashed at 11
    assert Event.objects.count() == events

"""A letter at which looking fails is set aside, seen and tried again; its mailbox goes on meanwhile."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection
from typer.testing import CliRunner

from letterdesk.cli.app import app
from letterdesk.cli.doctor import Trouble, _linking
from letterdesk.config.reactions import REACTIONS
from letterdesk.crm.jobs import link_letters_of, link_missed
from letterdesk.crm.linking import link, set_aside
from letterdesk.crm.linking.link import link_new, mailboxes_to_look_at
from letterdesk.crm.linking.look_back import look_back
from letterdesk.crm.linking.set_aside import AGAIN_AFTER, look_again, mailboxes_to_try
from letterdesk.crm.linking.why import crm_lines, why_not
from letterdesk.crm.models import Activity, Binding, Reason, SetAside, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.events.models import Event
from letterdesk.intake.models import FAILED_TRIES
from letterdesk.lib import crashpoint
from letterdesk.lib.blame import is_away
from letterdesk.mailboxes.models import BlobReference, Mailbox, Message
from letterdesk.mailboxes.tests.arriving import raw
from letterdesk.notifications.models import Kind, Notification

from .conftest import from_amara, standing

TABLE = "crm_activity"
LATER = timedelta(days=2)


@contextmanager
def refusing(subject):
    """The database takes no activity of this subject: a fault that nobody foresaw."""
    sqlite = connection.vendor == "sqlite"
    on = (
        f"CREATE TRIGGER refusing BEFORE INSERT ON {TABLE} WHEN NEW.subject = '{subject}' "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        if sqlite
        else f"ALTER TABLE {TABLE} ADD CONSTRAINT refusing CHECK (subject <> '{subject}') NOT VALID"
    )
    off = "DROP TRIGGER refusing" if sqlite else f"ALTER TABLE {TABLE} DROP CONSTRAINT refusing"
    with connection.cursor() as cursor:
        cursor.execute(on)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1" if sqlite else "SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(off)


def letters(*subjects):
    return [from_amara(each, message_id=f"{each}@x") for each in subjects]


def saved():
    return set(Activity.objects.values_list("subject", flat=True))


def damage(message):
    """Columns of a letter as no reader of letters writes them."""
    Message.objects.filter(pk=message.pk).update(recipients={"to": ["nobody"]})


@pytest.mark.parametrize("size", [1, 2, 4, 500])
def test_the_others_are_linked_and_the_failing_one_is_set_aside(amara, come, mailbox, now, monkeypatch, size):
    monkeypatch.setattr(link, "AT_ONCE", size)
    come(*letters("1", "2", "Bad", "3", "4"), look=False)
    with refusing("Bad"):
        assert link_new(mailbox, now=now) == 4
    assert saved() == {"1", "2", "3", "4"}
    row = SetAside.objects.get()
    assert (row.error, row.tries, row.due_at) == (IntegrityError.__name__, 1, now + AGAIN_AFTER)
    assert mailboxes_to_look_at() == []
    assert link_new(mailbox, now=now) == 0


def test_all_of_a_piece_may_fail(amara, come, mailbox, now):
    made = come(*letters(*"123"), look=False)
    for each in made:
        damage(each)
    come(*letters("Good"))
    assert saved() == {"Good"}
    assert set(SetAside.objects.values_list("letter", flat=True)) == {each.pk for each in made}


def test_where_all_fail_few_are_tried_and_none_is_lost(amara, come, mailbox, now, monkeypatch):
    """A fault of ours that concerns all letters costs no night; those that were not tried come first the next time."""
    monkeypatch.setattr(set_aside, "HOPELESS", 2)
    bad = come(*letters(*"12345"), look=False)
    good = come(*letters(*"67"), look=False)
    for each in bad:
        damage(each)
    assert link_new(mailbox, now=now) == 0
    assert list(SetAside.objects.order_by("letter").values_list("tries", flat=True)) == [1, 1, 0, 0, 0, 0, 0]
    assert mailboxes_to_look_at() == [] and mailboxes_to_try(now) == [mailbox.pk]
    look_again(mailbox, now=now + LATER)
    assert list(SetAside.objects.order_by("letter").values_list("tries", flat=True)) == [1, 1, 1, 1, 0, 0, 0]
    assert look_again(mailbox, now=now + LATER) == len(good)
    assert saved() == {"6", "7"} and SetAside.objects.count() == len(bad)
    for each in bad:
        Message.objects.filter(pk=each.pk).update(recipients={})
    look_again(mailbox, now=now + 40 * LATER)
    assert saved() == set("1234567") and not SetAside.objects.exists()


def test_it_is_tried_again_less_and_less_often_and_linked_once_it_can_be(amara, come, mailbox, now):
    come(*letters("Bad"), look=False)
    with refusing("Bad"):
        link_new(mailbox, now=now)
        assert look_again(mailbox, now=now) == 0
        assert SetAside.objects.get().tries == 1  # it is not due yet
        due = []
        for _ in range(20):
            at = SetAside.objects.get().due_at
            look_again(mailbox, now=at)
            due.append(SetAside.objects.get().due_at - at)
    assert due == sorted(due) and due[0] == 2 * AGAIN_AFTER and due[-1] < timedelta(days=1)
    assert look_again(mailbox, now=now + 20 * LATER) == 1
    assert look_again(mailbox, now=now + 30 * LATER) == 0
    assert standing(Activity.objects.get()) == {(amara.pk, Reason.ADDRESS)}
    assert not SetAside.objects.exists()


def test_it_makes_what_it_would_have_made(mailbox, ines, come, now):  # R28
    change_saving(mailbox, by=ines, known=True, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.NOTHING)
    come(raw("Bad", message_id="1@x"), look=False)
    with refusing("Bad"):
        link_new(mailbox, now=now)
    look_again(mailbox, now=now + LATER)
    assert Binding.objects.get().reason == Reason.MADE


def test_the_letter_says_so_and_so_does_the_doctor(amara, ines, come, mailbox, now):
    [bad, good] = come(*letters("Bad", "Good"), look=False)
    damage(bad)
    link_new(mailbox, now=now)
    bad.refresh_from_db()
    said = "Could not be looked at yet. It is tried again by itself."
    assert why_not(bad, now=now) == said
    lines = crm_lines([bad, good], employee=ines, now=now)
    assert (lines[bad.pk].why_not, lines[good.pk].why_not) == (said, "")
    assert _linking() == "1 letter set aside, and tried again"
    SetAside.objects.update(tries=FAILED_TRIES)
    with pytest.raises(Trouble, match=r"1 letter .*\(ValueError\)"):
        _linking()


def test_the_owner_is_told_when_it_goes_on_failing_and_when_it_is_over(amara, ines, come, mailbox, now):
    come(*letters("Bad"), look=False)

    def bell():
        for event in Event.objects.filter(kind__startswith="linking.").order_by("pk"):
            for react in REACTIONS[event.kind]:
                react(event)
        return [(each.employee, each.seen_at) for each in Notification.objects.filter(kind=Kind.NOT_LINKED)]

    with refusing("Bad"):
        link_new(mailbox, now=now)
        for number in range(1, FAILED_TRIES + 3):
            assert len(bell()) == (number >= FAILED_TRIES)
            look_again(mailbox, now=SetAside.objects.get().due_at)
    assert bell() == [(ines, None)]
    assert Event.objects.filter(kind="linking.failing").count() == 1
    look_again(mailbox, now=now + 20 * LATER)
    [(_, seen_at)] = bell()
    assert seen_at is not None


def test_the_schedule_tries_again(amara, come, mailbox, now):
    come(*letters("Bad"), look=False)
    with refusing("Bad"):
        link_letters_of.now(mailbox.pk)
        link_missed.now()
    assert SetAside.objects.get().tries == 1
    SetAside.objects.update(due_at=now - LATER)
    assert mailboxes_to_try(now) == [mailbox.pk]
    link_missed.now()
    assert saved() == {"Bad"}


def test_one_that_is_gone_is_tried_no_more(amara, come, mailbox, now):
    [bad] = come(*letters("Bad"), look=False)
    with refusing("Bad"):
        link_new(mailbox, now=now)
    Message.objects.filter(pk=bad.pk).delete()
    assert look_again(mailbox, now=now + LATER) == 0
    assert not SetAside.objects.exists()


@pytest.mark.parametrize("how", ["away", "sqlite", "postgresql"])
def test_a_database_that_is_away_or_busy_sets_nothing_aside(amara, come, mailbox, now, how):
    come(*letters("1"), look=False)
    errors = {
        "away": OperationalError("server closed the connection"),
        "sqlite": _sqlite(5),
        "postgresql": _psql("40P01"),
    }

    def fails(execute, sql, *more):
        if sql.startswith(f'INSERT INTO "{TABLE}"'):
            raise errors[how]
        return execute(sql, *more)

    with connection.execute_wrapper(fails), pytest.raises(OperationalError):
        link_new(mailbox, now=now)
    assert not SetAside.objects.exists()
    assert link_new(mailbox, now=now) == 1


def _sqlite(code):
    error = OperationalError("as it says")
    error.__cause__ = Exception()
    error.__cause__.sqlite_errorcode = code
    return error


def _psql(state, kind=OperationalError):
    error = kind("as it says")
    error.__cause__ = Exception()
    error.__cause__.sqlstate = state
    return error


def test_what_a_letter_asks_for_is_told_from_a_database_that_is_away():
    assert is_away(_sqlite(5)) and is_away(_sqlite(13 | 1 << 8)) and not is_away(_sqlite(1))
    assert is_away(_psql("57P01")) and is_away(_psql("42P01")) and is_away(_psql(None))
    assert not is_away(_psql("54000")) and not is_away(_psql("23514", IntegrityError)) and not is_away(ValueError())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("sifted", 2),
        ("written", 1),
        ("written", 2),
        ("before_commit", 1),
        ("before_commit", 3),
        ("before_set_aside", 1),
    ],
)
def test_a_crash_anywhere_ends_the_same(amara, come, mailbox, now, point, nth):
    come(*letters("1", "Bad", "2", "3"), look=False)
    with refusing("Bad"):
        crashpoint.interrupt(f"crm_link.{point}", nth)
        with pytest.raises(crashpoint.Crashed):
            link_new(mailbox, now=now)
        crashpoint.disarm()
        link_new(mailbox, now=now)
    assert saved() == {"1", "2", "3"}
    assert SetAside.objects.get().tries == 1
    crashpoint.interrupt("crm_link.before_commit")
    with pytest.raises(crashpoint.Crashed):
        look_again(mailbox, now=now + LATER)
    crashpoint.disarm()
    assert look_again(mailbox, now=now + LATER) == 1
    assert saved() == {"1", "2", "3", "Bad"}
    assert Binding.objects.count() == BlobReference.objects.filter(holder__startswith="activity:").count() == 4


def test_a_letter_that_fails_along_with_another_holds_that_one_up_no_more(amara, come, mailbox, now):
    """What would have gone along as an earlier letter is looked at by itself, and set aside."""
    come(raw("Bad", message_id="1@x", sender="boss@okafor.example", to="ines@acme.example"), at=now - LATER)
    come(from_amara("Re: Bad", references=("1@x",), to="ines@acme.example, boss@okafor.example"), look=False)
    with refusing("Bad"):
        assert link_new(mailbox, now=now) == 1
        assert saved() == {"Re: Bad"}
        look_again(mailbox, now=now)
        come(from_amara("Re: Re: Bad", references=("1@x",)))
        assert saved() == {"Re: Bad", "Re: Re: Bad"}
    assert SetAside.objects.get().tries == 1
    look_again(mailbox, now=now + LATER)
    assert saved() == {"Bad", "Re: Bad", "Re: Re: Bad"}


@pytest.mark.parametrize("newest_first", [False, True])
def test_what_is_kept_only_along_with_another_is_tried_again_too(
    amara, jonas, ines, come, mailbox, now, newest_first
):  # R6
    """A letter among colleagues, before or after the client's answer was looked at."""
    among_us = (raw("Bad", message_id="1@x", sender=ines.email, to=jonas.email), now - LATER)
    answer = (from_amara("Re: Bad", references=("1@x",)), now)
    with refusing("Bad"):
        for content, at in sorted([among_us, answer], key=lambda each: each[1], reverse=newest_first):
            come(content, at=at)
    assert saved() == {"Re: Bad"}
    look_again(mailbox, now=now + LATER)
    assert saved() == {"Bad", "Re: Bad"}


def test_a_look_back_goes_on_beside_a_letter_that_fails(make, ines, come, mailbox, now):  # R28
    come(*letters("1", "Bad", "2"))
    change_saving(mailbox, by=ines, known=True, unknown_incoming=Unknown.LEAD, unknown_outgoing=Unknown.NOTHING)
    amara = make(addresses=("amara@okafor.example",))
    with refusing("Bad"):
        assert look_back(amara, by=ines, now=now) == 2
    assert saved() == {"1", "2"}
    amara.addresses.all().delete()
    assert look_again(mailbox, now=now + LATER) == 0  # looked at as what lay there before: it makes no lead
    assert saved() == {"1", "2"}


def test_after_an_update_they_are_tried_at_once(amara, account, come, mailbox, now):
    come(*letters(*"123"), look=False)
    with refusing("2"):
        link_new(mailbox, now=now)
        told = json.loads(CliRunner().invoke(app, ["crm", "retry", "--json"], catch_exceptions=False).stdout)
        assert told == {"saved": 0, "failing": 1}
    told = json.loads(CliRunner().invoke(app, ["crm", "retry", account.name, "--json"], catch_exceptions=False).stdout)
    assert told == {"saved": 1, "failing": 0}
    assert saved() == {"1", "2", "3"}


def test_of_a_mailbox_that_is_forgotten_nothing_is_tried_again(amara, come, mailbox, now):
    come(*letters("Bad"), look=False)
    with refusing("Bad"):
        link_new(mailbox, now=now)
    Mailbox.objects.filter(pk=mailbox.pk).update(forgotten_at=now)
    SetAside.objects.update(due_at=now - LATER)
    link_missed.now()
    assert saved() == set()
    assert not SetAside.objects.exists()

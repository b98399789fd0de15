"""The digest: what is not seen, at the time one chose, over a real SMTP connection; ended by one click."""

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from django.core import mail
from django.utils import timezone

from letterdesk.accounts.close import close
from letterdesk.lib.crashpoint import Crashed, disarm, interrupt
from letterdesk.notifications.digest import BadLink, link, mail_due, person_of
from letterdesk.notifications.models import Telling
from letterdesk.notifications.seen import see_all
from letterdesk.notifications.wishes import choose, stop_digest
from letterdesk.web.tests.conftest import raw_letter
from tests.rig.sink import Sink

HOUR = timedelta(hours=1)


@pytest.fixture
def hourly(ines):
    now = timezone.now()
    return choose(ines, now=now, tells_bulk=False, hides_content=False, quiet=(None, None), digest="hourly",
                  digest_hour=8).digest_due_at  # fmt: skip


def test_what_is_not_seen_goes_out_once(deliver, told, ines, hourly):
    deliver(raw_letter("Offer"))
    told(ines)
    assert mail_due(now=hourly - timedelta(seconds=1)) == 0
    assert mail_due(now=hourly) == 1
    (letter,) = mail.outbox
    assert letter.to == [ines.email]
    assert letter.subject == "1 notification · Acme"
    assert "1 new letter in Ines" in letter.body and "Amara: Offer" in letter.body
    assert mail_due(now=hourly + HOUR) == 0  # nothing new: nothing is sent
    assert Telling.objects.get().digest_due_at == hourly + 2 * HOUR
    assert len(mail.outbox) == 1


def test_nothing_is_sent_of_what_was_seen_hidden_or_to_who_is_locked_out(deliver, told, ines, people, hourly, now):
    deliver(raw_letter("Secret"))
    told(ines)
    Telling.objects.update(hides_content=True)
    mail_due(now=hourly)
    body = mail.outbox[0].body
    assert "New letters" in body and not any(name in body for name in ("Secret", "Amara", "new letter in"))
    deliver(raw_letter("More"))
    told(ines)
    see_all(ines, now=now)
    assert mail_due(now=hourly + HOUR) == 0
    deliver(raw_letter("And more"))
    told(ines)
    close(ines.account, typed=ines.account.name, by=people["administrator"], now=now)
    assert mail_due(now=hourly + 2 * HOUR) == 0


def test_it_goes_through_the_installations_own_server_with_a_way_to_stop_it(deliver, told, ines, hourly, settings):
    deliver(raw_letter("Offer"))
    told(ines)
    with Sink() as sink:
        settings.EMAIL_BACKEND = "letterdesk.lib.own_mail.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        assert mail_due(now=hourly) == 1
    (taken,) = sink.taken
    letter = message_from_bytes(taken.raw, policy=default)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"
    stop = re.fullmatch(r"<(\S+)>", letter["List-Unsubscribe"].strip())[1]
    whose, _second, _signature = stop.rsplit(":", 2)
    assert whose == link(ines).rsplit(":", 2)[0] and stop in letter.get_content()


def test_a_server_that_is_away_loses_no_digest(deliver, told, ines, hourly, settings, monkeypatch):
    deliver(raw_letter("Offer"))
    told(ines)
    with Sink("mail:451 later#1") as sink:
        settings.EMAIL_BACKEND = "letterdesk.lib.own_mail.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        assert mail_due(now=hourly) == 0
        assert mail_due(now=hourly + timedelta(minutes=10)) == 1
    assert len(sink.taken) == 1


def test_a_digest_that_comes_twice_is_one_letter_and_another_one_is_not(deliver, told, ines, hourly):
    """The process dies behind the sending: the reader's program shows the repetition once (Message-ID)."""
    deliver(raw_letter("Offer"))
    told(ines)
    interrupt("digest.before_mark")
    with pytest.raises(Crashed):
        mail_due(now=hourly)
    disarm()
    assert mail_due(now=hourly + timedelta(minutes=10)) == 1
    deliver(raw_letter("More"))
    told(ines)  # counted on: the same line says something else
    assert mail_due(now=hourly + 2 * HOUR) == 1
    first, again, next_one = [letter.extra_headers["Message-ID"] for letter in mail.outbox]
    assert first == again != next_one


def test_an_installation_without_e_mail_sends_none(deliver, told, ines, hourly, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    deliver(raw_letter("Offer"))
    told(ines)
    assert mail_due(now=hourly) == 0


def test_the_link_ends_this_persons_digest_and_nothing_else(ines, jonas, hourly):
    token = link(ines).rpartition("/")[2]
    assert person_of(token) == ines
    with pytest.raises(BadLink):
        person_of(token[:-1] + ("a" if token[-1] != "a" else "b"))
    stop_digest(ines)
    assert Telling.objects.get(employee=ines).digest_due_at is None

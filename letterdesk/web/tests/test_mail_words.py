"""What the rooms without a language say is said in the reader's: every sentence of them has its entry."""

import string
import tomllib
from pathlib import Path

import pytest
from django.utils.translation import override

import letterdesk.outbound.deliver  # noqa: F401  # its errors of mail, too
from letterdesk.mail import errors, limited
from letterdesk.mailboxes.models import MailboxState
from letterdesk.mailboxes.quarantine import IN_WORDS
from letterdesk.web.mail.words import SENTENCES, translated

NOTES = Path(errors.__file__).with_name("providers.toml")
FACTS = {"host": "mail.acme.example", "port": 993, "seconds": 20, "provider": "Post", "capability": "MOVE", "limit": 7}


def kinds(of=errors.MailError):
    """Every error of mail, wherever it is defined, but those that say what they are told."""
    for kind in of.__subclasses__():
        yield from kinds(kind)
    if of.words != "{detail}":
        yield of


def said(kind, **more):
    asked = {name for _text, name, _form, _how in string.Formatter().parse(kind.words) if name in FACTS}
    return kind("Oh no: {host} %(x)s 100 %", **{name: FACTS[name] for name in asked}, **more)


def every_error():
    yield from (said(kind) for kind in kinds())
    for when in ("expired on 2026-01-02", "is not valid before 2026-01-02"):
        yield said(errors.TlsExpired, when=when)
    yield said(errors.TlsName, names="for a.example, b.example")
    yield said(errors.NotImap, protocol="an SMTP")


@pytest.mark.parametrize("language", ["de", "ru"])
def test_every_error_of_mail_is_said_in_the_reader_s_language(language):
    found = list(every_error())
    assert len(found) > 30
    for error in found:
        with override(language):
            told = translated(error.text)
        assert told != error.text, error.text
        given = [str(fact) for name, fact in error.facts.items() if "{" + name + "}" in error.words and name in FACTS]
        given += [error.detail] if "{detail}" in error.words else []
        assert all(fact in told for fact in given), told
    assert translated(found[0].text) == found[0].text  # in English nothing changes


def test_what_stands_for_no_error_has_its_entry_too():
    notes = {each["note"] for each in tomllib.loads(NOTES.read_text()).values() if "note" in each}
    for sentence in {*notes, *IN_WORDS.values(), *limited._REASONS.values()}:
        assert sentence in SENTENCES


def test_facts_of_ours_within_a_sentence_are_translated_and_a_server_s_words_stay():
    inner = errors.TcpRefused(host="login.example", port=443).text
    with override("de"):
        assert translated(errors.ProviderUnavailable(inner, provider="Post").text) == (
            "Post kann im Moment nicht nach Zugang gefragt werden: login.example:443 hat die Verbindung abgelehnt."
        )
        assert translated(errors.ServerSaysNo().text) == "Der Server hat geantwortet: nichts"
        assert translated(errors.ServerSaysNo("for nobody").text).endswith(": for nobody")
        assert translated("Nobody here says this.") == "Nobody here says this."
        assert translated("") == ""


def test_a_mailbox_in_trouble_is_told_in_the_reader_s_language(browser, ines, mailbox):
    """Stored in English by a process without a reader."""
    text = errors.TcpRefused("No route", host="mail.acme.example", port=993).text
    type(mailbox).objects.filter(pk=mailbox.pk).update(
        state=MailboxState.FAILING, error_code="tcp_refused", error_text=text
    )
    browser.post("/settings", {"name": "Ines", "time_zone": "", "language": "de"})
    page = browser.get(f"/mailboxes/{mailbox.public_id}").content.decode()
    assert "mail.acme.example:993 hat die Verbindung abgelehnt." in page and text not in page

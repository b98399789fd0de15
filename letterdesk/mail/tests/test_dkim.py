"""Signatures that a receiver can prove, and that nothing can be added to (RFC 6376, E15)."""

from datetime import UTC, datetime

import dkim as dkimpy
import pytest

from letterdesk.mail import dkim
from letterdesk.mail.compose import File, Outgoing, compose
from letterdesk.mail.dkim import Published
from letterdesk.mail.letters import Address
from letterdesk.mail.tests.test_autoconfig import zone

KEY = dkim.new_key()
FIELDS = (
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
)


def letter():
    outgoing = Outgoing(
        Address("Ines", "ines@acme.example"), datetime(2026, 11, 29, tzinfo=UTC), "a@acme.example",
        to=(Address("Bo Ødegård", "bo@client.example"),), cc=(Address("", "cy@client.example"),),
        subject="Angebot für März", text="Grüße\n.\nzwei  Leerzeichen \n\n", html="<p>Grüße</p>",
        in_reply_to="q@client.example", references=("p@client.example", "q@client.example"),
        files=(File("a.pdf", "application/pdf", bytes(range(256)) * 9),),
    )  # fmt: skip
    return compose(outgoing)


def proves(raw, key=KEY):
    """Whether a receiver who finds the record of this key accepts the signature."""

    def txt(name, timeout=5):
        assert name.rstrip(b".") == b"ld202611._domainkey.acme.example", name
        return dkim.record_text(key).encode()

    return dkimpy.verify(raw, dnsfunc=txt)


@pytest.fixture(scope="module")
def signed():
    return dkim.sign(letter(), domain="acme.example", selector="ld202611", key=KEY)


@pytest.mark.case("E15")
def test_a_signed_letter_is_proven_by_the_record(signed):
    assert signed.startswith(b"DKIM-Signature: ") and signed.count(b"DKIM-Signature") == 1
    assert proves(signed) and not proves(letter())
    assert not proves(signed, dkim.new_key())


@pytest.mark.case("E15")
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_changed_or_added_breaks_it(signed, name):
    start = signed.index(b"\r\n" + name.encode() + b":") + 2
    end = start + len(name) + 1
    assert not proves(signed[:end] + b" x" + signed[end:])
    assert not proves(name.encode() + b": second\r\n" + signed)
    assert not proves(signed[:start] + name.encode() + b": second\r\n" + signed[start:])


@pytest.mark.case("E15")
def test_text_that_is_changed_or_appended_breaks_it(signed):
    assert b"l=" not in signed.partition(b"\r\n\r\n")[0].replace(b"rel", b"")
    assert not proves(signed + b"more\r\n")
    assert not proves(signed.replace(b"application/pdf", b"application/exe"))


@pytest.mark.case("E15")
@pytest.mark.parametrize("name", ["Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"])
def test_what_the_letter_does_not_have_cannot_be_put_in(signed, name):
    assert not proves(f"{name}: <mailto:evil@x.example>\r\n".encode() + signed)


def record(key, name="ld202611._domainkey.acme.example."):
    text = dkim.record_text(key)
    return f'{name} 60 IN TXT "{text[:200]}" "{text[200:]}"'


def test_dns_says_whether_the_key_is_published():
    other = dkim.new_key()
    asked = ("ld202611", "acme.example", KEY)
    with zone(record(KEY)) as (resolver, names):
        assert dkim.published(*asked, resolver=resolver) == Published.YES
        assert names == ["ld202611._domainkey.acme.example"]
    with zone(record(other)) as (resolver, _):
        assert dkim.published(*asked, resolver=resolver) == Published.OTHER
    with zone() as (resolver, _):
        assert dkim.published(*asked, resolver=resolver) == Published.MISSING


def test_dns_that_is_silent_says_nothing(monkeypatch):
    monkeypatch.setattr(dkim, "SECONDS", 0.3)
    with zone(silent=True) as (resolver, _):
        assert dkim.published("ld202611", "acme.example", KEY, resolver=resolver) == Published.UNREACHABLE

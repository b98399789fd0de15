"""Whether a letter is from whom it names (D09, D10, R30)."""

import time

import dkim
import pytest

from letterdesk.mail.authentic import Evidence, Proof, evidence_of, is_aligned
from letterdesk.mail.dkim import new_key, record_name, record_text, sign

KEY = new_key()
LETTER = (
    b"From: Ines <ines@acme.example>\r\nTo: Amara <amara@okafor.example>\r\nSubject: Offer\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@acme.example>\r\n\r\nDear Amara\r\n"
)


def dns_of(domain="acme.example"):
    there = f"{record_name('ld', domain)}."
    return lambda name, _timeout: record_text(KEY).encode() if name.decode() == there else None


def signed(letter=LETTER, domain="acme.example"):
    return sign(letter, domain=domain, selector="ld", key=KEY)


def proof(raw, *, domain="acme.example", **asked):
    return evidence_of(raw, lookup=dns_of(domain), **asked).proof


def test_a_signature_of_the_senders_domain_proves_it():
    assert evidence_of(signed(), lookup=dns_of()) == Evidence(Proof.GIVEN, "dkim", "acme.example")


def test_a_domain_above_may_speak_for_the_sender_and_one_below_may_not():
    below = LETTER.replace(b"ines@acme.example", b"ines@sales.acme.example")
    assert proof(signed(below)) == Proof.GIVEN
    assert proof(signed(domain="evil.acme.example"), domain="evil.acme.example") == Proof.NONE
    assert not is_aligned("example", "acme.example")
    assert not is_aligned("cme.example", "acme.example")


def test_without_an_answer_of_dns_nothing_is_known():
    def silent(_name, _timeout):
        raise dkim.DnsTimeoutError("SERVFAIL")

    assert evidence_of(signed(), lookup=silent).proof == Proof.UNKNOWN
    assert evidence_of(LETTER, lookup=silent).proof == Proof.NONE


PASS = b"Authentication-Results: mx.acme.example; dkim=pass header.d=acme.example\r\n"
HOP = b"Received: from x by y; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
SIGNED = signed()


def unsigned_subject():
    ways = (b"relaxed", b"relaxed")
    fields = [b"from", b"date", b"message-id"]
    return dkim.sign(LETTER, b"ld", b"acme.example", KEY.encode(), None, ways, include_headers=fields) + LETTER


SPOOFED = {
    "nothing at all": LETTER,
    "a signature of another domain": signed(domain="evil.example"),
    "another body": SIGNED.replace(b"Dear", b"Pay,"),
    "another sender": SIGNED.replace(b"ines@", b"boss@"),
    "a second sender above": b"From: Boss <boss@acme.example>\r\n" + SIGNED,
    "a second sender below": SIGNED.replace(b"\r\nTo:", b"\r\nFrom: boss@acme.example\r\nTo:", 1),
    "two addresses in one field": signed(LETTER.replace(b"Ines <ines@", b"boss@evil.example, Ines <ines@")),
    "a group": signed(LETTER.replace(b"Ines <ines@acme.example>", b"team: ines@acme.example;")),
    "an address in the name": signed(LETTER.replace(b"Ines <", b'"ines@acme.example" <ines@evil.example> <')),
    "no sender": signed(LETTER.replace(b"From:", b"X-From:").replace(b"To:", b"From: ;\r\nTo:")),
    "only a Sender field": LETTER.replace(b"From:", b"Sender:"),
    "a part of the body": SIGNED.replace(b"d=acme.example;", b"d=acme.example; l=0;", 1),
    "an empty domain": SIGNED.replace(b"d=acme.example;", b"d=;", 1),
    "a NUL in the domain": SIGNED.replace(b"d=acme.example;", b"d=acme.example\0;", 1),
    "the findings of a server that nobody named": PASS + LETTER,
    "a broken signature": b"DKIM-Signature: v=1; d=acme.example; garbage\r\n" + LETTER,
    "a subject on top, which is the one that is read": b"Subject: Pay\r\n" + SIGNED,
    "recipients on top": b"To: kofi@mensah.example\r\n" + SIGNED,
    "an identifier on top": b"Message-ID: <2@acme.example>\r\n" + SIGNED,
    "another way to read the body on top": b"Content-Type: text/html\r\n" + signed(b"Content-Type: x/y\r\n" + LETTER),
    "a subject that was not signed": unsigned_subject(),
    "a head that is cut": signed(b"X-Long: " + b"x" * 300_000 + b"\r\n" + LETTER),
    "SHA-1": SIGNED.replace(b"rsa-sha256", b"rsa-sha1"),
    "a signature without fields": b"DKIM-Signature: d=acme.example\r\n" + LETTER,
}


@pytest.mark.case("D10")
@pytest.mark.parametrize("raw", SPOOFED.values(), ids=SPOOFED.keys())
def test_what_proves_nothing(raw):  # D09, D10
    assert evidence_of(raw, lookup=dns_of()).proof == Proof.NONE


def told(finding):
    return b"Authentication-Results: mx.acme.example; " + finding + b"\r\n" + HOP + LETTER


FORGED = {
    "by another server": PASS.replace(b"mx.acme", b"mx.evil") + HOP + LETTER,
    "below the line of our server": HOP + HOP + PASS + LETTER,
    "a failure": PASS.replace(b"=pass", b"=fail") + HOP + LETTER,
    "a pass in a comment": PASS.replace(b"dkim=pass", b"dkim=fail (dkim=pass)") + HOP + LETTER,
    "of another domain": PASS.replace(b"d=acme", b"d=evil") + HOP + LETTER,
    "the name within a longer one": PASS.replace(b"mx.acme.example;", b"mx.acme.example.evil;") + HOP + LETTER,
    "a quoted string of the envelope": told(b'spf=pass smtp.mailfrom="x; dkim=pass header.d=acme.example "@evil.xyz'),
    "blanks in a quoted string": told(b'spf=pass smtp.mailfrom="x smtp.mailfrom=acme.example"@evil.example'),
    "an escaped quote": told(b'spf=pass smtp.mailfrom="\\"; dkim=pass header.d=acme.example; x=\\""@evil.example'),
    "a comment in a comment": told(b"dkim=fail (a (b) ; dkim=pass header.d=acme.example)"),
    "a comment that does not end": told(b"dkim=fail (; dkim=pass header.d=acme.example"),
    "a quote that does not end": told(b'spf=fail "; dkim=pass header.d=acme.example'),
    "the second of a property": told(b"dkim=pass header.d=evil.example header.d=acme.example"),
    "a later finding than ours": PASS.replace(b"dkim=pass", b"dkim=none") + PASS + HOP + LETTER,
}


@pytest.mark.case("D10")
@pytest.mark.parametrize("raw", FORGED.values(), ids=FORGED.keys())
def test_findings_that_are_not_of_our_server(raw):  # D10
    assert evidence_of(raw, believed="mx.acme.example", lookup=dns_of()).proof == Proof.NONE


@pytest.mark.parametrize(
    "finding",
    [
        b"dkim=pass header.d=acme.example",
        b"spf=pass smtp.mailfrom=ines@acme.example",
        b"dmarc=pass header.from=acme.example",
        b"dkim=fail header.d=acme.example; spf=pass (ok) smtp.mailfrom=acme.example",
        b'dkim=pass (2048-bit (rsa) key; "ok) reason="a; b" header.d="acme.example" header.b=x',
    ],
)
def test_findings_of_our_server_are_believed(finding):
    raw = told(finding).replace(b"acme.example;", b"acme.example 1;", 1)
    assert evidence_of(raw, believed="mx.acme.example", lookup=dns_of()).proof == Proof.GIVEN


def test_recipients_need_not_be_signed_because_large_providers_do_not():
    fields = [b"from", b"subject", b"date", b"message-id"]
    ways = (b"relaxed", b"relaxed")
    signature = dkim.sign(LETTER, b"ld", b"acme.example", KEY.encode(), None, ways, include_headers=fields)
    assert proof(signature + LETTER) == Proof.GIVEN


BODIES = [b"", b"\r\n\r\n", b" \r\n", b"a \t b\t \r\n \r\n\r\n", b"Gr\xfc\xdfe\r\n", b"a\r\n\r\n b", b"\t\r\n x\r\n"]


@pytest.mark.parametrize("way", [b"relaxed", b"simple"])
def test_bodies_are_hashed_as_others_hash_them(way):  # RFC 6376 3.4.3, 3.4.4
    for body in BODIES:
        letter = LETTER[: LETTER.index(b"\r\n\r\n") + 4] + body
        signature = dkim.sign(letter, b"ld", b"acme.example", KEY.encode(), None, (b"relaxed", way))
        assert proof(signature + letter) == Proof.GIVEN


@pytest.mark.parametrize(
    "hostile",
    [
        SIGNED.replace(b"Dear", b" " * 500_000 + b"x"),
        SIGNED.replace(b"Dear", b"\t " * 4_000_000),
        SIGNED.replace(b"Dear", b"\r\n" * 4_000_000),
        SIGNED.replace(b" b=", b" b" + b"\r\n " * 20_000 + b"=", 1),
        SIGNED.replace(b"From:", b"X: y" + b"\r\n " * 80_000 + b"\r\nFrom:", 1),
        told(b'"\\' * 80_000),
        told(b"(" * 80_000),
    ],
    ids=range(7),
)
def test_what_is_made_to_take_long_does_not(hostile):
    began = time.process_time()
    assert proof(hostile, believed="mx.acme.example") == Proof.NONE
    assert time.process_time() - began < 2


def test_a_key_that_is_made_to_take_long_is_none():
    long = record_text(KEY).encode() + b" " * 3_000
    assert evidence_of(SIGNED, lookup=lambda _name, _timeout: long).proof == Proof.NONE

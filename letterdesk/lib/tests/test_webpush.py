"""Web Push: what a browser gets is what was sent, and nobody else reads or forges it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from letterdesk.lib.webpush import (
    CURVE,
    LONGEST,
    BadKeys,
    Browser,
    authorization,
    decoded,
    encoded,
    encrypted,
    public_text,
    signer,
)
from tests.rig.pushing import Receiver, verified

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_the_example_of_the_rfc_comes_out_byte_by_byte():
    """RFC 8291, appendix A."""
    browser = Browser.of(
        "https://push.example.net/push/x",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
    )
    number = int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypted(
        browser,
        b"When I grow up, I want to be a watermelon",
        key=ec.derive_private_key(number, CURVE),
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == decoded(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
        "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("text", [b"", b"x" * LONGEST, "Größe 📬".encode()])
def test_only_the_browser_that_subscribed_reads_it(text):
    receiver, other = Receiver(), Receiver()
    body = encrypted(receiver.browser("https://push.example/1"), text)
    assert receiver.read(body) == text
    with pytest.raises(InvalidTag):
        other.read(body)
    assert encrypted(receiver.browser("https://push.example/1"), text) != body  # no key and no salt comes twice


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        encrypted(Receiver().browser("https://push.example/1"), b"x" * (LONGEST + 1))


@pytest.mark.parametrize("keys", [("", ""), ("AAAA", "BBBB"), ("ä", "ö"), ("B" + "A" * 86, "A" * 22)])
def test_what_is_no_key_is_refused(keys):
    with pytest.raises(BadKeys):
        Browser.of("https://push.example/1", *keys)


def test_the_header_says_who_sends_to_whom_and_for_how_long():
    key = signer("a kept secret")
    header = authorization(key, "https://push.example:8443/x?y", contact="https://mail.example.org", now=NOW)
    claims = verified(header)
    assert claims["aud"] == "https://push.example:8443"
    assert claims["sub"] == "https://mail.example.org"
    assert timedelta(0) < datetime.fromtimestamp(claims["exp"], UTC) - NOW <= timedelta(hours=24)
    assert header.endswith(f"k={public_text(key)}")
    told, _, signature = header.split(" ")[1].removeprefix("t=").rstrip(",").rpartition(".")
    forged = f"{told.split('.')[0]}.{encoded(json.dumps({}).encode())}"
    with pytest.raises(InvalidSignature):
        verified(f"vapid t={forged}.{signature}, k={public_text(key)}")


def test_the_same_secret_is_the_same_key():
    assert public_text(signer("one")) == public_text(signer("one")) != public_text(signer("two"))

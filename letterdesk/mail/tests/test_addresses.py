"""Addresses: who a letter is really from, whatever stands around it."""

import pytest

from letterdesk.mail.addresses import MOST_ADDRESSES, MOST_IN_ADDRESS, MOST_IN_NAME, read_addresses
from letterdesk.mail.letters import Address


@pytest.mark.case("B18")
@pytest.mark.parametrize(
    ("field", "found"),
    [
        (b"a@Example.COM", [("", "a@example.com")]),
        (b"Ann Lee <a@x.org>", [("Ann Lee", "a@x.org")]),
        (b'"Lee, Ann" <a@x.org>, b@x.org', [("Lee, Ann", "a@x.org"), ("", "b@x.org")]),
        (b'"Ann \\"the\\" Lee" <a@x.org>', [('Ann "the" Lee', "a@x.org")]),
        (b"a@x.org (Ann Lee)", [("Ann Lee", "a@x.org")]),
        (b"Ann (boss (of all)) Lee <a@x.org>", [("Ann Lee", "a@x.org")]),
        (b"Team: a@x.org, b@x.org;, c@x.org", [("", "a@x.org"), ("", "b@x.org"), ("", "c@x.org")]),
        (b"undisclosed-recipients:;", []),
        (b"<>", []),
        (b"", []),
        (b",,;,", []),
        (b"MAILER-DAEMON", [("", "MAILER-DAEMON")]),
        (b"Ann Lee", [("Ann Lee", "")]),
        (b"Ann Lee a@x.org", [("Ann Lee", "a@x.org")]),
        (b"a@x.org; b@x.org", [("", "a@x.org"), ("", "b@x.org")]),
        (b"<@relay.org,@other.org:a@x.org>", [("", "a@x.org")]),
        (b"<a@x.org", [("", "a@x.org")]),
        (b'"unclosed <a@x.org>', [("unclosed", "a@x.org")]),
        (b"=?utf-8?q?J=C3=B6rg?= <j@x.org>", [("Jörg", "j@x.org")]),
        (b"=?utf-8?b?SsO2?= =?utf-8?b?cmc=?= <j@x.org>", [("Jörg", "j@x.org")]),
        (b'"=?utf-8?q?J=C3=B6rg?=" <j@x.org>', [("Jörg", "j@x.org")]),
        (b"J\xc3\xb6rg <j@x.org>", [("Jörg", "j@x.org")]),
        (b"J\xf6rg <j@x.org>", [("Jörg", "j@x.org")]),
        ("Юля <юля@Пример.рф>".encode(), [("Юля", "юля@пример.рф")]),
        (b"a@x.org <a@x.org>", [("", "a@x.org")]),
        (b'"bank@bank.example" <thief@evil.example>', [("bank@bank.example", "thief@evil.example")]),
        (b'"a@bank.example, x" <t@evil.example>', [("a@bank.example, x", "t@evil.example")]),
        # An encoded word is a name and never an address, however it reads.
        (b"=?utf-8?q?ceo=40bank=2Eexample=3E=2C?= <t@evil.example>", [("ceo@bank.example>,", "t@evil.example")]),
        (b"=?utf-8?q?ceo=40bank=2Eexample?=", [("ceo@bank.example", "")]),
        (b"Ann\r\n Lee\r\n\t<a@x.org>", [("Ann Lee", "a@x.org")]),
        (b"Ann <a@x\r\n .org>", [("Ann", "a@x.org")]),
        ("A\u202egro.evil\u202c <a@x.org>".encode(), [("Agro.evil", "a@x.org")]),
        (b"A\x00nn <a\x00@x.org>", [("A nn", "a@x.org")]),
    ],
)
def test_addresses_are_read_as_people_mean_them(field, found):
    assert read_addresses([field]) == tuple(Address(*one) for one in found)


@pytest.mark.case("D10")
def test_all_fields_of_a_name_are_read_and_in_order():
    assert [one.address for one in read_addresses([b"a@x.org", b"b@x.org"])] == ["a@x.org", "b@x.org"]


def test_there_are_limits_to_number_and_length():
    assert len(read_addresses([b"a@x.org," * 5_000])) == MOST_ADDRESSES
    [long] = read_addresses([b"n" * 9_000 + b" <" + b"a" * 9_000 + b"@x.org>"])
    assert len(long.name) == MOST_IN_NAME
    assert len(long.address) == MOST_IN_ADDRESS

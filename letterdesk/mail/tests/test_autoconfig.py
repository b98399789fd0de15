"""Finding settings: nobody foreign is asked, nothing foreign is trusted blindly."""

import socket
import threading
import time
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path

import dns.flags
import dns.message
import dns.resolver
import dns.rrset
import pytest

from letterdesk.mail import autoconfig
from letterdesk.mail.autoconfig import Server, find_settings
from letterdesk.mail.autoconfig_page import read_page
from letterdesk.mail.errors import BlockedAddress
from letterdesk.mail.guard import Guard

PAGE = b"""<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="firma.example"><displayName>Firma  Mail</displayName>
<incomingServer type="pop3"><hostname>pop.firma.example</hostname><port>995</port><socketType>SSL</socketType>
</incomingServer>
<incomingServer type="imap"><hostname>old.firma.example</hostname><port>143</port><socketType>plain</socketType>
</incomingServer>
<incomingServer type="imap"><hostname>mail.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>mail.firma.example</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILADDRESS%</username></outgoingServer></emailProvider></clientConfig>"""


@contextmanager
def zone(*records, silent=False):
    """A DNS server of these records on loopback: a resolver that asks it, and the list of names asked for."""
    asked = []
    sets = [dns.rrset.from_text(*record.split(" ", 4)) for record in records]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer():
            with suppress(OSError):
                while True:
                    wire, whom = server.recvfrom(4096)
                    query = dns.message.from_wire(wire)
                    reply = dns.message.make_response(query)
                    question = query.question[0]
                    asked.append(question.name.to_text(omit_final_dot=True))
                    reply.answer = [
                        each for each in sets if each.name == question.name and each.rdtype == question.rdtype
                    ]
                    if not silent:
                        server.sendto(reply.to_wire(), whom)

        threading.Thread(target=answer, daemon=True).start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
        yield resolver, asked


def closed(*_, **__):
    raise BlockedAddress


@pytest.fixture
def offline(monkeypatch):
    """No server anywhere answers."""
    monkeypatch.setattr(Guard, "connect", closed)
    monkeypatch.setattr(Guard, "connect_securely", closed)


def test_a_known_provider_is_found_without_asking_anybody(offline):
    with zone() as (resolver, asked):
        [found] = find_settings(" Ines.Meyer@GMail.com ", guard=Guard(), resolver=resolver)
        assert asked == []
    assert found.source == "provider"
    assert found.imap == Server("imap.gmail.com", 993, "tls", "Ines.Meyer@GMail.com")
    assert found.smtp.host == "smtp.gmail.com"
    assert "app password" in found.note


def test_some_providers_want_the_name_before_the_at(offline):
    [found] = find_settings("luc.petit@free.fr", guard=Guard())
    assert found.imap.user == "luc.petit"


def test_the_table_is_sound():
    table = tomllib.loads(Path(autoconfig.__file__).with_name("providers.toml").read_text())
    assert len(table) >= 30
    domains = [domain for provider in table.values() for domain in provider["domains"]]
    assert len(domains) == len(set(domains))
    for provider in table.values():
        for part in ("imap", "smtp"):
            server = autoconfig._server(provider[part], "x")
            assert server.security in {"tls", "starttls"}
            assert 0 < server.port < 65536
        assert provider["domains"] or provider["mx"]
        assert all(domain == domain.lower() for domain in [*provider["domains"], *provider.get("mx", [])])


@pytest.mark.parametrize(
    ("mx", "imap"),
    [("10 firma-example.mail.protection.outlook.com.", "outlook.office365.com"),
     ("1 aspmx.l.google.com.", "imap.gmail.com"),
     ("10 mx00.kundenserver.de.", "imap.ionos.de"), ("10 W012.kasserver.com.", "w012.kasserver.com"),
     ("10 mx1.mail.ovh.net.", "ssl0.ovh.net")],
)  # fmt: skip
def test_an_own_domain_is_recognised_by_who_takes_its_mail(offline, mx, imap):
    with zone(f"firma.example. 60 IN MX {mx}") as (resolver, _):
        [found] = find_settings("ines@firma.example", guard=Guard(), timeout=2, resolver=resolver)
    assert (found.source, found.imap.host, found.imap.user) == ("mx", imap, "ines@firma.example")


def test_a_similar_name_is_not_the_provider(offline):
    with zone("firma.example. 60 IN MX 10 mx.evil-google.com.") as (resolver, _):
        assert find_settings("ines@firma.example", guard=Guard(), timeout=2, resolver=resolver) == []


def test_srv_records_are_read_in_their_order(offline):
    records = [
        "_imaps._tcp.firma.example. 60 IN SRV 20 1 993 second.firma.example.",
        "_imap._tcp.firma.example. 60 IN SRV 0 1 143 plain.firma.example.",
        "_submission._tcp.firma.example. 60 IN SRV 0 1 587 send.firma.example.",
        "_submissions._tcp.firma.example. 60 IN SRV 0 0 0 .",
    ]
    with zone(*records) as (resolver, _):
        [found] = find_settings("ines@firma.example", guard=Guard(), timeout=2, resolver=resolver)
    assert found.source == "srv"
    assert found.imap == Server("second.firma.example", 993, "tls", "ines@firma.example")
    assert found.smtp == Server("send.firma.example", 587, "starttls", "ines@firma.example")


def test_the_domains_own_page_is_read_over_https_alone(offline, monkeypatch):
    urls = []

    def page(guard, url, **_):
        urls.append(url)
        return PAGE if ".well-known" in url else None

    monkeypatch.setattr(autoconfig, "fetch", page)
    with zone() as (resolver, _):
        [found] = find_settings("ines+x@firma.example", guard=Guard(), timeout=2, resolver=resolver)
    assert (found.source, found.provider) == ("autoconfig", "Firma Mail")
    assert found.imap == Server("mail.firma.example", 993, "tls", "ines+x")
    assert found.smtp == Server("mail.firma.example", 587, "starttls", "ines+x@firma.example")
    assert sorted(urls) == [
        "https://autoconfig.firma.example/mail/config-v1.1.xml?emailaddress=ines%2Bx%40firma.example",
        "https://firma.example/.well-known/autoconfig/mail/config-v1.1.xml",
    ]


def test_the_usual_names_are_tried_when_nothing_is_said(monkeypatch):
    tried = []

    class Open:
        def close(self):
            pass

    def connect(_, host, port, *, timeout):
        tried.append((host, port))
        if (host, port) in {("mail.firma.example", 993), ("mail.firma.example", 465)}:
            return Open()
        return closed()

    monkeypatch.setattr(Guard, "connect_securely", connect)
    with zone() as (resolver, _):
        [found] = find_settings("ines@firma.example", guard=Guard(), timeout=2, resolver=resolver)
    assert found.source == "guess"
    assert found.imap == Server("mail.firma.example", 993, "tls", "ines@firma.example")
    assert found.smtp == Server("mail.firma.example", 465, "tls", "ines@firma.example")
    assert all(host.endswith("firma.example") for host, _ in tried)


def test_the_most_trusted_comes_first_and_each_server_once(offline, monkeypatch):
    monkeypatch.setattr(autoconfig, "fetch", lambda *_, **__: PAGE)
    records = [
        "firma.example. 60 IN MX 1 in1-smtp.messagingengine.com.",
        "_imaps._tcp.firma.example. 60 IN SRV 0 1 993 mail.firma.example.",
    ]
    with zone(*records) as (resolver, _):
        found = find_settings("ines@firma.example", guard=Guard(), timeout=2, resolver=resolver)
    assert [each.source for each in found] == ["mx", "autoconfig"]


def test_silence_ends_in_time(monkeypatch):
    def slow(*_, timeout, **__):
        time.sleep(timeout)
        closed()

    monkeypatch.setattr(Guard, "connect_securely", slow)
    with zone(silent=True) as (resolver, _):
        began = time.monotonic()
        assert find_settings("ines@firma.example", guard=Guard(), timeout=0.5, resolver=resolver) == []
        assert time.monotonic() - began < 2
        time.sleep(0.6)


@pytest.mark.parametrize(
    "address",
    ["", "ines", "@firma.example", "ines@", "ines@localhost", "ines@a b.example", "i@" + "a" * 300 + ".de",
     "i@127.0.0.1/x.y", "i@evil.example?x=.y", "i@[127.0.0.1]"],
)  # fmt: skip
def test_what_is_no_address_asks_nobody(offline, address):
    with zone() as (resolver, asked):
        assert find_settings(address, guard=Guard(), timeout=1, resolver=resolver) == []
        assert asked == []


def test_a_domain_of_another_script_is_asked_for_as_dns_has_it(offline):
    with zone("xn--mller-kva.example. 60 IN MX 1 mx.mailbox.org.") as (resolver, asked):
        [found] = find_settings("ines@müller.example", guard=Guard(), timeout=2, resolver=resolver)
    assert found.imap.host == "imap.mailbox.org"
    assert all(name.isascii() for name in asked)


@pytest.mark.parametrize(
    "page",
    [
        b"", b"<html>", b"<html/>", b"\xff\xfe\x00", b"<clientConfig>", b"x" * 1000,
        b'<!DOCTYPE clientConfig [<!ENTITY x "y">]>' + PAGE.partition(b"?>")[2],
        b'<!DOCTYPE clientConfig SYSTEM "http://127.0.0.1/x">' + PAGE.partition(b"?>")[2],
        b'<?xml version="1.0" encoding="utf-7"?><clientConfig/>',
        b"<a>" * 20000,
    ],
)  # fmt: skip
def test_what_is_no_page_or_wants_more_than_a_page_may_is_not_read(page):
    assert read_page(page) is None


def test_odd_servers_on_a_page_are_passed_over():
    for broken in (b"<port>0</port>", b"<port>99999</port>", b"<port>x</port>", b""):
        assert read_page(PAGE.replace(b"<port>993</port>", broken)).imap is None
    for host in (b"mail/../x", b"a b", b"http://x", b"[::1]", b""):
        assert read_page(PAGE.replace(b"mail.%EMAILDOMAIN%", host)).imap is None

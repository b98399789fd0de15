"""Letters come in by SMTP: real conversations with the running server (D08, R30)."""

import asyncio
import smtplib
import socket
import ssl
import threading
import tracemalloc
from ipaddress import ip_network

import pytest

from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Handed, Server, _House, _Reading, is_bare
from letterdesk.mail.smtpd_limits import Limits, Open, Pace, place_of
from tests.rig.certificates import Authority

LETTER = b"From: Ines <ines@acme.example>\r\nSubject: Offer\r\n\r\nDear Amara\r\n"
HERS = "save-secret@in.acme.example"
OLD = "save-old@in.acme.example"


class Kept:
    """A keeper that remembers; what it is told to refuse or to fail, it does."""

    def __init__(self):
        self.letters = []
        self.batches = []
        self.fails = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_at_it = threading.Event()

    def knows(self, address):
        return address.lower() in {HERS, OLD}

    def keep(self, letters):
        self.is_at_it.set()
        self.may_go_on.wait(10)
        if self.fails or any(letter.sender == "poison@acme.example" for letter in letters):
            raise OSError("disk full")
        self.letters += letters
        self.batches.append(len(letters))
        return [letter.recipients != (OLD,) for letter in letters]


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def serve(kept):
    running = []

    def served(**limits):
        server = Server(kept, host="127.0.0.1", port=0, name="in.acme.example", limits=Limits(**limits))
        server.start()
        running.append(server)
        return server

    yield served
    for server in running:
        server.stop()


@pytest.fixture
def talk():
    """Begin a conversation; all end with the test."""
    begun = []

    def talked(server, **how):
        begun.append(Raw(server, **how))
        return begun[-1]

    yield talked
    for raw in begun:
        raw.close()


def client(server):
    return smtplib.SMTP("127.0.0.1", server.port, timeout=10)


class Raw:
    """A conversation, byte by byte."""

    def __init__(self, server, *, greet=True):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 10)
        self.file = self.socket.makefile("rb")
        if greet:
            assert self.answer().startswith("220")
            self.say("EHLO me")

    def close(self):
        self.file.close()
        self.socket.close()

    def answer(self):
        lines = []
        while line := self.file.readline().decode():
            lines.append(line)
            if line[3:4] == " ":
                break
        return "".join(lines)

    def send(self, content):
        self.socket.sendall(content)
        return self.answer()

    def say(self, command):
        return self.send(f"{command}\r\n".encode())

    def letter(self, content, end=b"\r\n.\r\n"):
        assert self.say("MAIL FROM:<ines@acme.example>").startswith("250")
        assert self.say(f"RCPT TO:<{HERS}>").startswith("250")
        assert self.say("DATA").startswith("354")
        return self.send(content + end)


def test_a_letter_is_kept_as_it_was_sent(serve, kept):
    with client(serve()) as smtp:
        assert smtp.sendmail("ines@acme.example", [HERS, "nobody@in.acme.example"], LETTER).keys() == {
            "nobody@in.acme.example"
        }
    [letter] = kept.letters
    assert (letter.raw, letter.sender, letter.recipients, letter.peer) == (
        LETTER, "ines@acme.example", (HERS,), "127.0.0.1"
    )  # fmt: skip


@pytest.mark.case("D08")
def test_nobody_else_s_letters_are_taken_and_nobody_signs_in(serve, talk, kept):
    raw = talk(serve())
    assert "AUTH" not in raw.say("EHLO me").upper()
    assert raw.say("AUTH PLAIN AGEAYg==").startswith("502")
    assert raw.say("VRFY ines").startswith("252")
    assert raw.say("EXPN all").startswith("502")
    assert raw.say("BDAT 5 LAST").startswith("500")
    assert raw.say("MAIL FROM:<ines@acme.example>").startswith("250")
    assert raw.say("RCPT TO:<amara@okafor.example>").startswith("550 5.1.1")
    assert raw.say("DATA").startswith("503")
    assert not kept.letters


def test_a_report_has_no_sender(serve, kept):
    with client(serve()) as smtp:
        smtp.sendmail("", [HERS], LETTER)
    assert kept.letters[0].sender == ""


@pytest.mark.case("D06", "D08")
@pytest.mark.parametrize(
    "smuggled",
    [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\0"],
    ids=repr,
)
def test_nothing_is_smuggled_behind_a_bare_line_end(serve, talk, kept, smuggled):  # RFC 5321 2.3.8
    raw = talk(serve())
    second = b"MAIL FROM:<boss@acme.example>\r\nRCPT TO:<" + HERS.encode() + b">\r\nDATA\r\nPay\r\n"
    answer = raw.letter(b"Subject: One\r\n\r\nBody" + smuggled + second)
    assert answer.startswith("550 5.6.0")
    assert raw.say("NOOP").startswith("250")
    assert not kept.letters


@pytest.mark.case("D08")
def test_dots_are_taken_off_and_long_lines_too_large_letters_and_loops_refused(serve, talk, kept):
    raw = talk(serve(largest=2_000_000, line=4_000, received=3))
    assert raw.letter(b"Subject: dots\r\n\r\n..one\r\n.. two\r\n...").startswith("250")
    assert kept.letters[0].raw == b"Subject: dots\r\n\r\n.one\r\n. two\r\n..\r\n"
    assert raw.letter(b"x" * 5_000_000).startswith("500")  # one line that never ends
    assert raw.letter(b"x" * 4_100 + b"\r\n.\r\nMAIL", end=b"").startswith("500")
    raw = talk(serve(largest=2_000_000, received=3))
    assert raw.letter((b"y" * 900 + b"\r\n") * 2_500).startswith("552")
    assert raw.letter(b"Received: x\r\n" * 4 + LETTER).startswith("554 5.4.6")
    assert raw.letter(b"Received: x\r\n" * 3 + LETTER).startswith("250")
    assert raw.say("MAIL FROM:<a@b.example> SIZE=9999999").startswith("552")
    raw = talk(serve(memory=3_000))
    assert raw.letter(LETTER * 50).startswith("452")
    assert raw.letter(LETTER).startswith("250")  # what was refused holds no memory


def test_a_letter_whose_address_ended_meanwhile_is_refused_and_a_failure_is_tried_again(serve, kept):
    server = serve()
    with client(server) as smtp:
        with pytest.raises(smtplib.SMTPDataError) as ended:
            smtp.sendmail("ines@acme.example", [OLD], LETTER)
        kept.fails = True
        with pytest.raises(smtplib.SMTPDataError) as failed:
            smtp.sendmail("ines@acme.example", [HERS], LETTER)
        kept.fails = False
        assert smtp.mail("ines@acme.example")[0] == 250  # what failed is forgotten: the connection may try again
    assert (ended.value.smtp_code, failed.value.smtp_code) == (550, 451)
    assert b"disk" not in failed.value.smtp_error


def test_a_sender_that_no_database_keeps_is_refused(serve, talk, kept):
    raw = talk(serve())
    for sender in (b"\xff@x.example", b"a\0b@x.example", b"a\x07b@x.example"):
        assert raw.send(b"MAIL FROM:<" + sender + b">\r\n").startswith("553")
    assert raw.send("MAIL FROM:<grüße@x.example> SMTPUTF8\r\n".encode()).startswith("250")


def test_one_letter_that_cannot_be_kept_fails_no_other(kept):
    house = _House(kept, Limits(), "in.acme.example", None)
    letters = [Handed(f"{name}@acme.example", (HERS,), LETTER, "192.0.2.1") for name in ("ines", "poison", "jonas")]

    async def keep_all():
        return await asyncio.gather(*map(house.keep, letters), return_exceptions=True)

    first, second, third = asyncio.run(keep_all())
    house.close()
    assert (first, str(second), third) == (True, "disk full", True)
    assert [letter.sender for letter in kept.letters] == ["ines@acme.example", "jonas@acme.example"]


def test_a_letter_of_empty_lines_takes_the_memory_that_it_holds(kept):  # D13
    house = _House(kept, Limits(largest=1_000_000), "in.acme.example", None)
    letter = _Reading(house)
    tracemalloc.start()
    for _ in range(200_000):
        letter.add(b"\r\n")
    whole = letter.raw()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(whole), house.open.bytes, peak < 3 * len(whole)) == (400_000, 400_000, True)
    letter.let_go()
    house.close()
    assert house.open.bytes == 0


def test_bare_line_ends_are_told_from_whole_ones():  # RFC 5321 2.3.8
    assert not any(map(is_bare, (b"", b"a\r\n", b"\r\n\r\nb")))
    assert all(map(is_bare, (b"\r", b"\n", b"\r\r\n", b"\r\n\n", b"\n\r", b"\0")))


@pytest.mark.case("D08")
def test_too_much_is_put_off(serve, talk, kept):
    server = serve(per_address=1, recipients=2, unknown=3, connections_of_one=2)
    raw, other = talk(server), talk(server)
    assert talk(server, greet=False).answer().startswith("421 4.7.0")
    assert raw.letter(LETTER).startswith("250")
    raw.say("MAIL FROM:<a@b.example>")
    assert raw.say(f"RCPT TO:<{HERS.upper()}>").startswith("450 4.7.1")
    other.say("MAIL FROM:<a@b.example>")
    for answer in ("550", "550", "421"):
        assert other.say("RCPT TO:<guess@in.acme.example>").startswith(answer)
    assert other.file.readline() == b""
    assert talk(server).say("NOOP").startswith("250")  # its place is free again


@pytest.mark.case("D08")
def test_commands_without_end_are_refused(serve, talk):
    raw = talk(serve(line=4_000))
    assert raw.send(b"EHLO " + b"x" * 1_000_000 + b"\r\n").startswith("500")
    for _ in range(20):
        raw.say("NOOP")
    assert raw.say("NOOP").startswith("421")


def test_only_who_is_named_connects_and_has_no_limit_of_one(kept):
    limits = Limits(senders=(ip_network("10.0.0.0/8"),), connections=3, connections_of_one=1)
    open_ = Open(limits)
    assert open_.refusal("192.0.2.1").startswith("554")
    assert open_.refusal("::ffff:10.1.2.3") == ""
    for _ in range(3):
        open_.enter("10.1.2.3")
    assert open_.refusal("10.1.2.3").startswith("421 4.3.2")
    open_.leave("10.1.2.3")
    assert open_.refusal("10.1.2.3") == ""


def test_who_has_many_addresses_counts_once():
    open_ = Open(Limits(connections_of_one=2))
    open_.enter("2001:db8:1:2::1")
    open_.enter("2001:db8:1:2:ffff::2%eth0")
    assert open_.refusal("2001:db8:1:2::3").startswith("421 4.7.0")
    assert open_.refusal("2001:db8:1:3::1") == ""
    open_.leave("2001:db8:1:2::1")
    assert open_.refusal("2001:db8:1:2::3") == ""
    assert place_of("::ffff:192.0.2.1") == place_of("192.0.2.1") == "192.0.2.1"


def test_a_pace_is_of_a_minute():
    now = [0.0]
    pace = Pace(2, clock=lambda: now[0])
    assert [pace.allows("a"), pace.allows("a"), pace.allows("a"), pace.allows("b")] == [True, True, False, True]
    now[0] = 61.0
    assert pace.allows("a")


def test_letters_that_come_together_are_kept_together(serve, talk, kept):
    server = serve()
    kept.may_go_on.clear()
    raws = [talk(server) for _ in range(6)]
    for raw in raws:
        raw.say("MAIL FROM:<ines@acme.example>")
        raw.say(f"RCPT TO:<{HERS}>")
        raw.say("DATA")
        raw.socket.sendall(LETTER + b".\r\n")
        kept.is_at_it.wait(5)
    kept.may_go_on.set()
    assert all(raw.answer().startswith("250") for raw in raws)
    assert sum(kept.batches) == 6
    assert len(kept.batches) < 6


def test_a_stop_answers_what_is_being_kept_and_puts_off_the_rest(talk, kept):
    server = Server(kept, host="127.0.0.1", port=0, name="in.acme.example")
    server.start()
    kept.may_go_on.clear()
    storing, idle = talk(server), talk(server)
    storing.say("MAIL FROM:<ines@acme.example>")
    storing.say(f"RCPT TO:<{HERS}>")
    storing.say("DATA")
    storing.socket.sendall(LETTER + b".\r\n")
    assert kept.is_at_it.wait(5)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    assert idle.answer().startswith("421 4.3.2")
    kept.may_go_on.set()
    assert storing.answer().startswith("250 2.0.0")
    assert storing.file.readline() == b""
    stopping.join(10)
    assert not stopping.is_alive()


@pytest.mark.case("D08")
def test_starttls_forgets_what_was_said_in_the_clear(kept, talk, tmp_path):
    pair = Authority(tmp_path).pair()
    tls = Inbound("in.acme.example", certificate=str(pair.certificate), key=str(pair.key)).tls()
    server = Server(kept, host="127.0.0.1", port=0, name="in.acme.example", tls=tls)
    server.start()
    raw = talk(server)
    assert "STARTTLS" in raw.say("EHLO me")
    assert raw.send(b"STARTTLS\r\nMAIL FROM:<evil@acme.example>\r\n").startswith("220")  # injected
    context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    raw.file.close()
    raw.socket = context.wrap_socket(raw.socket, server_hostname="localhost")
    raw.file = raw.socket.makefile("rb")
    said = raw.say("EHLO me")
    assert said.startswith("250")
    assert "STARTTLS" not in said
    assert "AUTH" not in said
    assert raw.say(f"RCPT TO:<{HERS}>").startswith("503")  # no MAIL was said in here
    assert raw.letter(LETTER).startswith("250")
    server.stop()

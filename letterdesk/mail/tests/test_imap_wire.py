"""The wire against servers that send nonsense: tolerated where harmless, cut off where not, never half believed."""

import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.mail import errors
from letterdesk.mail.imap_response import date_time, modseq, status, untagged, values
from letterdesk.mail.tests.scripted import SELECTED, Scripted
from letterdesk.mail.uidset import UidSet

GOOD = b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE " 1-Jan-2024 00:00:00 +0000" RFC822.SIZE 5 BODY[] {5}\r\nhello)\r\n'
ONE = UidSet([1])


def fetched(answer, *, uids=ONE, **options):
    with Scripted({"SELECT": SELECTED, "UID FETCH": answer}) as server:
        connection = server.connect(timeout=1)
        connection.select("INBOX")
        return [letter for batch in connection.letters(uids, **options) for letter in batch]


@pytest.mark.case("A12")
@pytest.mark.parametrize(
    "literal",
    [b"{-1}", b"{2147483648}", b"{99999999999999999999}", b"{500000000}"],
)
def test_an_absurd_literal_ends_the_connection_and_hands_out_nothing(literal):
    answer = b"* 1 FETCH (UID 1 RFC822.SIZE 5 BODY[] " + literal + b"\r\nhello)\r\n%T OK\r\n"
    tracemalloc.start()
    with pytest.raises(errors.ProtocolError):
        fetched(answer)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


@pytest.mark.case("A12")
@pytest.mark.parametrize("size", [b"4", b"6", b"3", b"90"])
def test_a_wrong_literal_length_hands_out_no_other_letter_and_never_hangs(size):
    answer = b"* 1 FETCH (UID 1 BODY[] {" + size + b"}\r\nhello)\r\n" + b"%T OK\r\n"
    try:
        got = fetched(answer)
    except (errors.ProtocolError, errors.Disconnected):
        got = []
    assert all(letter.uid == 1 for letter in got)


@pytest.mark.case("A11")
def test_a_letter_that_was_cut_is_never_handed_out():
    whole = GOOD.replace(b"hello", b"x" * 200_000).replace(b"{5}", b"{200000}")
    for cut in (10, 60, 100, 1000, 199_000, len(whole) - 2):
        with Scripted(
            {"SELECT": SELECTED, "UID FETCH": [GOOD + whole[:cut].replace(b"UID 1", b"UID 2"), None]}
        ) as server:
            connection = server.connect(timeout=0.3)
            connection.select("INBOX")
            handed = []
            with pytest.raises(errors.Disconnected):
                for batch in connection.letters(UidSet([1, 2])):
                    handed += batch
            assert [letter.uid for letter in handed] == [1]


def test_lines_without_end_and_drips_are_cut_off():
    for flood in (b"* OK " + b"x" * (3 << 20), b"* SEARCH " + b"1 " * (2 << 20), b"\r\n" * 5000):
        with Scripted({"NOOP": flood + b"\r\n%T OK\r\n"}) as server, pytest.raises(errors.ProtocolError):
            server.connect(timeout=2).noop()


@pytest.mark.parametrize("said", [b"* OK x\r\n" * 2_001, b"* LIST () NIL " + b"x" * 1_001 + b"\r\n"])
def test_an_answer_without_end_is_not_kept(said, monkeypatch):
    monkeypatch.setattr("letterdesk.mail.imap_response.KEPT_MAX", 2_000)
    monkeypatch.setattr("letterdesk.mail.imap_response.KEPT_OCTETS_MAX", 100_000)
    answer = said * (1 if len(said) > 2_000 else 100) + b"%T OK\r\n"
    with Scripted({"NOOP": answer, "IDLE": answer}) as server:
        with pytest.raises(errors.ProtocolError, match="without end"):
            server.connect().noop()
        with pytest.raises(errors.ProtocolError, match="without end"):
            server.connect().idle()


def test_what_is_said_of_single_letters_has_no_bounds(monkeypatch):
    monkeypatch.setattr("letterdesk.mail.imap_response.KEPT_MAX", 2_000)
    flags = b"".join(b"* %d FETCH (UID %d FLAGS ())\r\n" % (uid, uid) for uid in range(1, 3_001))
    gone = b"* 1 EXPUNGE\r\n" * 3_000
    selected = SELECTED.replace(b"* 3 EX", b"* 3000 EX")
    with Scripted({"SELECT": selected, "UID FETCH": flags + b"%T OK\r\n", "NOOP": gone + b"%T OK\r\n"}) as server:
        connection = server.connect()
        connection.select("INBOX")
        assert sum(1 for _ in connection.flags(UidSet(range(1, 3_001)))) == 3_000
        connection.noop()
        assert connection.exists == 0


def test_silence_is_a_disconnection_within_the_time_limit():
    with Scripted({"NOOP": b"* 3 EXI"}) as server:
        connection = server.connect(timeout=0.3)
        began = time.monotonic()
        with pytest.raises(errors.Disconnected):
            connection.noop()
        assert time.monotonic() - began < 2
        with pytest.raises(errors.Disconnected):
            connection.noop()


def test_a_farewell_is_told():
    farewell = b"* BYE Too many connections for this user\r\n"
    with Scripted({"NOOP": farewell}) as server, pytest.raises(errors.TooManyConnections):
        server.connect(timeout=0.3).noop()


@pytest.mark.case("A43")
@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        GOOD.replace(b"{5}\r\nhello", b'"hello"'),
        GOOD.replace(b"hello)", b"hello MODSEQ (7))"),
        GOOD.replace(b"hello)", b"hello UID 1)"),
        GOOD.replace(b"* 1 FETCH", b"*  1  fetch"),
        GOOD.replace(b"\r\n%", b"\r\n"),
        b"\0\0* OK\0\r\n" + GOOD,
        b"* OK \r\n* NO\r\n* WHAT is this\r\n* 7\r\n*\r\n\r\n" + GOOD,
        GOOD.replace(b"FLAGS ()", b"FLAGS NIL"),
        GOOD.replace(b"UID 1 FLAGS () ", b"").replace(b"hello)", b"hello FLAGS () UID 1)"),
        GOOD.replace(b'" 1-Jan-2024 00:00:00 +0000"', b"NIL"),
        GOOD.replace(b"BODY[]", b"body[]"),
        GOOD.replace(b"{5}", b"~{5}"),
        b"* OK see {7}\r\n" + GOOD,
    ],
)
def test_quirks_that_harm_nobody_are_tolerated(answer):
    [letter] = fetched(answer + b"%T OK\r\n")
    assert (letter.uid, letter.raw) == (1, b"hello")
    assert letter.internal_date.tzinfo is UTC


@pytest.mark.case("A10")
@pytest.mark.parametrize("body", [b"NIL", b'""', b"{0}\r\n"])
def test_an_empty_body_is_no_letter(body):
    [handed] = fetched(b"* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[] " + body + b")\r\n%T OK\r\n")
    assert (handed.uid, handed.reason, handed.size) == (1, "empty", 9)


@pytest.mark.case("A07")
def test_answers_that_nobody_asked_for_are_dropped():
    other = GOOD.replace(b"UID 1", b"UID 9")
    assert [letter.uid for letter in fetched(other + GOOD + GOOD + b"* 1 FETCH (FLAGS (x))\r\n%T OK\r\n")] == [1]


def test_a_letter_that_is_refused_alone_is_named_and_the_rest_comes():
    def one(uid):
        return GOOD.replace(b"UID 1", b"UID %d" % uid)

    bulk = one(1) + b"%T NO [SERVERBUG] cannot\r\n"
    got = fetched([bulk, b"%T NO broken file\r\n", one(3) + b"%T OK\r\n"], uids=UidSet([1, 2, 3]))
    assert [(each.uid, getattr(each, "reason", "")) for each in got] == [(1, ""), (2, "refused"), (3, "")]


def test_when_everything_is_refused_nothing_is_concluded():
    with pytest.raises(errors.ServerSaysNo):
        fetched(b"%T NO cannot\r\n", uids=UidSet(range(1, 30)))
    with pytest.raises(errors.Unavailable):
        fetched(b"%T NO [UNAVAILABLE] later\r\n")
    with pytest.raises(errors.ServerSaysNo):
        fetched(b"%T BAD cannot\r\n")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"%T NO no\r\n", errors.ServerSaysNo),
        (b"%T BAD no\r\n", errors.ServerSaysNo),
        (b"* SEARCH 1 2\r\n%T NO half\r\n", errors.ServerSaysNo),
        (b"%T OK\r\n", errors.ProtocolError),
        (b"* SEARCH 1 x\r\n%T OK\r\n", errors.ProtocolError),
        (b"* SEARCH 1 2 3 4 5\r\n%T OK\r\n", errors.ProtocolError),
        (b'* ESEARCH (TAG "%T") UID ALL 1:4294967295\r\n%T OK\r\n', errors.ProtocolError),
        (b'* ESEARCH (TAG "%T") UID ALL *\r\n%T OK\r\n', errors.ProtocolError),
        (b"* SEARCH 1\r\n* BYE\r\n", errors.Disconnected),
        (None, errors.Disconnected),
    ],
)
def test_a_failed_or_partial_search_is_never_an_answer(answer, kind):
    with Scripted({"SELECT": SELECTED, "UID SEARCH": answer}, offer=b"IMAP4rev1 ESEARCH") as server:
        connection = server.connect(timeout=0.3)
        connection.select("INBOX")
        with pytest.raises(kind):
            connection.uids()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"* SEARCH 1 3\r\n%T OK\r\n", "1,3"),
        (b"* SEARCH 1 3 (MODSEQ 99)\r\n%T OK\r\n", "1,3"),
        (b"* SEARCH 1\r\n* SEARCH 3\r\n%T OK\r\n", "1,3"),
        (b"* SEARCH\r\n%T OK\r\n", ""),
        (b'* ESEARCH (TAG "%T") UID ALL 3,1\r\n%T OK\r\n', "1,3"),
        (b'* ESEARCH (TAG "%T") UID\r\n%T OK\r\n', ""),
        (b'* ESEARCH (TAG "X") UID ALL 2\r\n* ESEARCH (TAG "%T") UID COUNT 1 ALL 3\r\n%T OK\r\n', "3"),
    ],
)
def test_search_answers_in_every_shape(answer, found):
    with Scripted({"SELECT": SELECTED, "UID SEARCH": answer}, offer=b"IMAP4rev1 ESEARCH") as server:
        connection = server.connect()
        connection.select("INBOX")
        assert str(connection.uids(since=date(2024, 1, 1))) == found


@pytest.mark.parametrize("missing", [b"* 3 EXISTS\r\n", b"* OK [UIDVALIDITY 7] ok\r\n"])
def test_half_a_selection_is_never_an_empty_folder(missing):
    with Scripted({"SELECT": SELECTED.replace(missing, b"")}) as server, pytest.raises(errors.ProtocolError):
        server.connect().select("INBOX")


@pytest.mark.case("A21")
@pytest.mark.parametrize(
    ("told", "expected"),
    [(b"5", 5), (b"9223372036854775807", 2**63 - 1), (b"0", None), (b"9223372036854775808", None), (b"junk", None),
     (b"-5", None), (b"18446744073709551615", None), (b"", None), (b"NIL", None), (b"1.5", None)],
)  # fmt: skip
def test_a_modseq_that_is_none_counts_as_none(told, expected):
    code = b"* OK [HIGHESTMODSEQ " + told + b"] x\r\n"
    state = b"* STATUS INBOX (MESSAGES 3 HIGHESTMODSEQ " + (told or b'""') + b" )\r\n%T OK\r\n"
    with Scripted({"SELECT": code + SELECTED, "STATUS": state}, offer=b"IMAP4rev1 CONDSTORE") as server:
        connection = server.connect()
        assert connection.select("INBOX").highestmodseq == expected
        assert connection.status("INBOX").highestmodseq == expected


@pytest.mark.case("A21")
def test_nomodseq_wins():
    answer = b"* OK [HIGHESTMODSEQ 5] x\r\n* OK [NOMODSEQ] x\r\n" + SELECTED
    with Scripted({"SELECT": answer}, offer=b"IMAP4rev1 CONDSTORE") as server:
        assert server.connect().select("INBOX").highestmodseq is None


@pytest.mark.case("A30")
def test_what_may_be_stored_is_told():
    flags = b"* FLAGS (\\Seen \\Answered work)\r\n"
    told = {
        b"* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n": ({"\\Seen"}, True),
        b"* OK [PERMANENTFLAGS (\\Seen)] x\r\n": ({"\\Seen"}, False),
        b"* OK [PERMANENTFLAGS ()] x\r\n": (set(), False),
        b"": ({"\\Seen", "\\Answered", "work"}, False),
    }
    for code, (permanent, keywords) in told.items():
        with Scripted({"SELECT": flags + code + SELECTED.replace(b"READ-WRITE", b"READ-ONLY")}) as server:
            selected = server.connect().select("INBOX")
            assert (selected.permanent_flags, selected.accepts_keywords) == (permanent, keywords)
            assert selected.readonly


@pytest.mark.case("A16", "A17")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"* OK [COPYUID 7 1:3 11:13] moved\r\n* 1 EXPUNGE\r\n%T OK\r\n", {1: 11, 2: 12, 3: 13}),
        (b"%T OK [COPYUID 7 3,1 11,12] x\r\n", {3: 11, 1: 12}),
        (b"%T OK [COPYUID 7 1:3 13:11] x\r\n", {1: 11, 2: 12, 3: 13}),
        (b"%T OK [COPYUID 7 1:2 11] x\r\n", {}),
        (b"%T OK [COPYUID 7 1:3] x\r\n", {}),
        (b"%T OK [COPYUID] x\r\n", {}),
        (b"%T OK [COPYUID a b c] x\r\n", {}),
        (b"%T OK [COPYUID 7 1:4294967295 1:4294967295] x\r\n", {}),
        (b"%T OK [COPYUID 7 8 9] for another\r\n", {}),
        (b"%T OK\r\n", {}),
    ],
)
def test_copyuid_is_a_map_or_nothing(answer, expected):
    with Scripted({"SELECT": SELECTED, "UID MOVE": answer}) as server:
        connection = server.connect()
        connection.select("INBOX")
        assert connection.move(UidSet([1, 2, 3]), "Trash") == expected


@pytest.mark.case("A16")
@pytest.mark.parametrize(
    ("code", "expected"),
    [(b"[APPENDUID 7 9]", (7, 9)), (b"[APPENDUID 7 9:10]", None), (b"[APPENDUID 0 9]", None), (b"[APPENDUID 7]", None),
     (b"[APPENDUID x y]", None), (b"[APPENDUID 7 99999999999]", None), (b"", None)],
)  # fmt: skip
def test_appenduid_is_right_or_nothing(code, expected):
    with Scripted({"APPEND": b"%T OK " + code + b" done\r\n"}) as server:
        assert server.connect().append("Sent", b"x", internal_date=datetime(2024, 1, 1, tzinfo=UTC)) == expected


def test_a_letter_refused_by_size_is_an_error_before_its_bytes_are_sent():
    with Scripted({"APPEND": b"%T NO [TOOBIG] no\r\n"}, offer=b"IMAP4rev1") as server:
        with pytest.raises(errors.ServerSaysNo) as caught:
            server.connect().append("Sent", b"x" * 100)
        assert caught.value.response_code == "TOOBIG"


@pytest.mark.case("A39")
def test_idle_reads_storms_in_portions_and_notices_the_end():
    storm = (
        b"+ idling\r\n" + b"".join(b"* %d EXISTS\r\n" % number for number in range(1, 20001)) + b"* OK Still here\r\n"
    )
    with Scripted({"IDLE": storm}) as server:
        connection = server.connect()
        connection.idle()
        events = []
        deadline = time.monotonic() + 5
        while len(events) < 20000 and time.monotonic() < deadline:
            events += connection.idle_events()
        assert events == [f"{number} EXISTS" for number in range(1, 20001)]
        assert connection.exists == 20000
        server.hang_up()
        with pytest.raises(errors.Disconnected):
            for _ in range(100):
                connection.idle_events()
                time.sleep(0.01)


@given(st.binary(max_size=300))
def test_no_line_breaks_the_readers(line):
    line = line.replace(b"\n", b"")
    response = untagged([line])
    status(line)
    date_time(line)
    modseq(line)
    with suppress(errors.ProtocolError):
        response.values()


def test_deep_nesting_is_refused_and_long_garbage_is_fast():
    with pytest.raises(errors.ProtocolError):
        values([b"(" * 5000])
    for garbage in (b'"' * 1_000_000, b"[" * 1_000_000, b"\\" * 1_000_000, b'"\\' * 500_000, b") " * 500_000):
        began = time.monotonic()
        values([garbage])
        assert time.monotonic() - began < 5


@pytest.mark.case("A35")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b" 1-Feb-2024 03:04:05 +0200", datetime(2024, 2, 1, 1, 4, 5, tzinfo=UTC)),
        (b"01-feb-2024 3:04:05", datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC)),
        (b"01-Feb-2024 03:04:60 -0000", datetime(2024, 2, 1, 3, 4, 59, tzinfo=UTC)),
        (b"01-Feb-2024 03:04:05 +2400", datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC)),
        (b"01-Jan-0001 00:00:00 +0100", None),
        (b"31-Dec-9999 23:59:59 -0100", None),
        (b"30-Feb-2024 03:04:05 +0000", None),
        (b"01-Foo-2024 03:04:05 +0000", None),
        (b"yesterday", None),
    ],
)
def test_dates_are_utc_or_none(text, expected):
    assert date_time(text) == expected

"""Which letters are meant by one that came to a secret address (R30): a pure question."""

from datetime import UTC, datetime

import pytest

from letterdesk.crm.linking.identity import people_of
from letterdesk.crm.sendsave.meant import Unclear, Way, meant_by, written
from letterdesk.mail.forwards import Forwarded
from letterdesk.mail.letters import Address, Letter

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OURS = frozenset({"ines@acme.example", "jonas@acme.example"})
SECRET, INES, JONAS, AMARA = "save-x@in.acme.example", "ines@acme.example", "jonas@acme.example", "amara@okafor.example"
HEAD = Forwarded(Address("Amara", AMARA), to=(Address("", INES),), subject="Offer")


def letter(sender, *to, cc=(), **more):
    people = {"to": tuple(Address("", each) for each in to), "cc": tuple(Address("", each) for each in cc)}
    read = Letter(subject="Fwd: Offer", sender=Address("", sender), message_id="m@acme.example", **people, **more)
    return written(read, blob="b" * 64, size=10, received_at=NOW)


def ask(outer, *, attached=(), forwarded=None):
    found = meant_by(outer, ours=OURS, is_secret=lambda each: each == SECRET, attached=attached, forwarded=forwarded)
    return found if isinstance(found, Unclear) else [(each.way, people_of(each.letter).all) for each in found]


@pytest.mark.parametrize(
    ("outer", "forwarded", "expected"),
    [
        (letter(INES, AMARA), None, [(Way.COPY, (INES, AMARA))]),
        (letter(INES, AMARA, cc=(SECRET,)), None, [(Way.COPY, (INES, AMARA))]),
        (letter(INES, AMARA, SECRET), HEAD, [(Way.COPY, (INES, AMARA))]),
        (letter(INES, JONAS), None, [(Way.COPY, (INES, JONAS))]),
        (letter(INES, SECRET), HEAD, [(Way.FORWARD, (AMARA, INES))]),
        (letter(INES), HEAD, [(Way.FORWARD, (AMARA, INES))]),
        (letter(INES, SECRET, JONAS), HEAD, [(Way.FORWARD, (AMARA, INES))]),
        (letter(INES, SECRET), None, Unclear.NO_SENDER),
        (letter(INES, SECRET), Forwarded(Address("Amara", "")), Unclear.NO_SENDER),
        (letter(AMARA, SECRET), None, Unclear.STRANGER),
        (letter(AMARA, SECRET), HEAD, Unclear.STRANGER),
        (letter(AMARA, INES), None, [(Way.REDIRECTED, (AMARA, INES))]),
        (letter("", INES), None, [(Way.REDIRECTED, (INES,))]),
    ],
)
def test_what_is_meant(outer, forwarded, expected):
    assert ask(outer, forwarded=forwarded) == expected


def test_attached_letters_are_meant_each_for_itself_and_before_what_the_text_says():
    attached = [letter(AMARA, INES), letter(INES, AMARA)]
    found = ask(letter(INES, SECRET), attached=attached, forwarded=HEAD)
    assert found == [(Way.FORWARD, (AMARA, INES)), (Way.FORWARD, (INES, AMARA))]


def test_an_inner_letter_is_not_received_after_it_was_sent_on():
    late = Forwarded(Address("", AMARA), sent_at=datetime(2030, 1, 1, tzinfo=UTC))
    early = Forwarded(Address("", AMARA), sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    for head, at in ((late, NOW), (early, early.sent_at)):
        [meant] = meant_by(letter(INES, SECRET), ours=OURS, is_secret=lambda each: each == SECRET, forwarded=head)
        assert meant.letter.received_at == at
        assert meant.letter.subject == "Offer"

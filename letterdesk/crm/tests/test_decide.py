"""What becomes of a letter: a table of cases (decisions.txt), and what holds for all letters (R5, R13, R28)."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterdesk.crm.linking.decide import Bind, Conversation, Ground, Known, Said, Saving, Seen, Verdict, WhyNot, decide
from letterdesk.crm.linking.identity import People
from letterdesk.crm.linking.words import WHY_NOT
from letterdesk.crm.models import Kind

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
LINES = [line for line in Path(__file__).with_name("decisions.txt").read_text().splitlines() if line[:1] not in "# "]
CASES = [[cell.strip() for cell in line.split("|")] for line in LINES if line]
FLAGS = {"bulk": "is_bulk", "automatic": "is_automatic", "history": "is_history", "binned": "is_binned"}


def address(name):
    return f"{name}@acme.example" if name in {"ines", "jonas"} else f"{name}@out.example"


OURS = frozenset(map(address, ("ines", "jonas")))


def day(number):
    return DAY_ONE + timedelta(days=int(number))


def letter_of(text):
    """ "from amara to ines cc boss in sent history day 3"."""
    said = {} if "in" in text.split() else {"in": ["inbox"]}
    key, flags = "", {}
    for word in text.split():
        if word in {"from", "to", "cc", "in", "day"}:
            key = word
            said.setdefault(key, [])
        elif word in FLAGS:
            flags[FLAGS[word]] = True
        else:
            said[key].append(word)
    sender = next(map(address, said.get("from", ())), "")
    people = People(sender, tuple(map(address, said.get("to", ()))), tuple(map(address, said.get("cc", ()))))
    return Seen(people, frozenset(said["in"]), day(*said.get("day", ["5"])), **flags)


class Around:
    """ "contact amara -> acme; deal roof of amara day 1; talk anna: amara roof"."""

    def __init__(self, text):
        self.keys, self.known, self.records, self.deals = {}, {}, {}, []
        self.said, self.saving = {}, {}
        for part in filter(None, (part.strip() for part in text.split(";"))):
            self.enter(part)

    def key(self, name):
        return self.keys.setdefault(name, len(self.keys) + 1)

    def enter(self, part):
        first, *rest = part.split()
        if first in Kind.values and first != "deal":
            self.record(first, rest)
        elif first == "deal":
            name, _, of, _, number = rest[:5]
            deal = Known(
                self.key(name), "deal", contact=self.key(of), is_open="closed" not in rest, active_at=day(number)
            )
            self.known[name] = deal
            self.deals.append(deal)
        elif first == "talk":
            people, _, records = part.removeprefix("talk").partition(":")
            talk = Conversation(frozenset(map(address, people.split())), tuple(self.known[r] for r in records.split()))
            self.said["conversation"] = talk
        elif first in {"leads", "contacts", "deals"}:
            self.saving["incoming" if rest == ["in"] else "outgoing"] = first.removesuffix("s")
        elif first == "returning":
            self.saving["returning"] = rest[0]
        elif first == "say":
            self.say(*rest)
        elif part == "off":
            self.saving["known"] = False
        else:
            self.said |= {
                "excluded": lambda: {"excluded": frozenset(map(address, rest))},
                "unlinked": lambda: {"unlinked": frozenset(map(self.key, rest))},
                "gone": lambda: {"is_unlinked": True},
                "no": lambda: {"has_webmail": False},
                "webmail": lambda: {"webmail_since": day(rest[-1])},
            }[first]()

    def say(self, name, here, record):
        """ "say amara here roof", "say amara away roof"."""
        said = self.said.setdefault("said", {})
        before = said.get(address(name), Said())
        known = self.known.get(record) or Known(self.key(record), "company")
        said[address(name)] = (
            Said((*before.here, known), before.away) if here == "here" else Said(before.here, before.away | {known.pk})
        )

    def record(self, kind, rest):
        names = [word for word in re.split(r" -> \w+", " ".join(rest))[0].split() if word not in {"closed", "binned"}]
        company = self.key(rest[rest.index("->") + 1]) if "->" in rest else None
        is_open, is_binned = "closed" not in rest, "binned" in rest
        known = Known(self.key(names[0]), kind, company=company, is_open=is_open, is_binned=is_binned)
        self.known[names[0]] = known
        self.records.setdefault(address(names[-1]), []).append(known)

    @property
    def ground(self):
        records = {where: tuple(known) for where, known in self.records.items()}
        return Ground(ours=OURS, records=records, deals=tuple(self.deals), saving=Saving(**self.saving), **self.said)

    def told(self, verdict):
        names = {key: name for name, key in self.keys.items()}
        if verdict.why_not:
            return f"no {verdict.why_not}"
        told = [f"{names[bind.record]}:{bind.reason}" for bind in verdict.bindings]
        if new := verdict.new:
            of = [names[key] for key in (new.contact, new.company) if key]
            told.append(" ".join([f"new {new.becomes}", new.address.partition("@")[0], *(["of", *of] if of else [])]))
        return " ".join(told)


@pytest.mark.parametrize(("letter", "around", "becomes"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_table(letter, around, becomes):
    around = Around(around)
    assert around.told(decide(letter_of(letter), around.ground)) == becomes


def test_the_table_has_each_reason_why_not():
    told = {case[3].removeprefix("no ") for case in CASES if case[3].startswith("no ")}
    assert told == set(WhyNot)
    assert set(WHY_NOT) == set(WhyNot)
    assert len(CASES) == len({case[0] for case in CASES})
    assert len({tuple(" ".join(cell.split()) for cell in case[1:3]) for case in CASES}) >= 300  # different ones


PEOPLE = st.sampled_from([address(name) for name in ("ines", "jonas", "amara", "boss", "anna", "noreply")])
KNOWN = st.builds(
    Known,
    pk=st.integers(1, 9),
    kind=st.sampled_from(["contact", "company", "lead"]),
    company=st.none() | st.integers(10, 12),
    is_open=st.booleans(),
    is_binned=st.booleans(),
)
DEAL = st.builds(Known, pk=st.integers(20, 25), kind=st.just("deal"), contact=st.integers(1, 9), is_open=st.booleans())
BECOMES = st.sampled_from(["nothing", "lead", "contact", "deal"])
SEEN = st.builds(
    Seen,
    people=st.builds(People, PEOPLE | st.just(""), st.lists(PEOPLE, max_size=3).map(tuple)),
    roles=st.frozensets(st.sampled_from(["inbox", "sent", "spam", "drafts", "trash", "all", "folder"]), max_size=3),
    received_at=st.integers(0, 9).map(day),
    is_bulk=st.booleans(),
    is_automatic=st.booleans(),
    is_history=st.booleans(),
    is_binned=st.booleans(),
)
GROUND = st.builds(
    Ground,
    ours=st.just(OURS),
    excluded=st.frozensets(PEOPLE, max_size=2),
    records=st.dictionaries(PEOPLE, st.lists(KNOWN, max_size=3).map(tuple), max_size=3),
    deals=st.lists(DEAL, max_size=3).map(tuple),
    conversation=st.none()
    | st.builds(Conversation, st.frozensets(PEOPLE, max_size=3), st.lists(KNOWN | DEAL, max_size=3).map(tuple)),
    said=st.dictionaries(
        PEOPLE,
        st.builds(Said, st.lists(KNOWN | DEAL, max_size=2).map(tuple), st.frozensets(st.integers(1, 25), max_size=3)),
        max_size=2,
    ),
    saving=st.builds(Saving, st.booleans(), BECOMES, BECOMES, st.sampled_from(["nothing", "lead", "deal"])),
    unlinked=st.frozensets(st.integers(1, 25), max_size=4),
    is_unlinked=st.booleans(),
    has_webmail=st.booleans(),
    webmail_since=st.none() | st.integers(0, 9).map(day),
)


@settings(max_examples=300, deadline=None)
@given(SEEN, GROUND)
def test_for_all_letters(letter, ground):
    """One answer, always the same; nothing where a person or the law said no."""
    verdict = decide(letter, ground)
    assert verdict == decide(letter, ground)
    assert bool(verdict.bindings or verdict.new) != (verdict.why_not is not None)
    assert not {bind.record for bind in verdict.bindings} & ground.unlinked
    assert len({bind.record for bind in verdict.bindings}) == len(verdict.bindings)
    if new := verdict.new:  # R28
        assert ground.has_webmail
        assert not (letter.is_history or letter.is_bulk or letter.is_automatic or ground.is_unlinked)
        assert ground.webmail_since is None or letter.received_at >= ground.webmail_since
        assert new.address not in ground.excluded | OURS
        known = [record for record in ground.records.get(new.address, ()) if not record.is_binned]
        assert bool(known) == bool(verdict.bindings)  # of a client only anew, of a stranger only where nobody is known
        assert new.becomes == (ground.saving.returning if new.contact or new.company else new.becomes) != "nothing"
    if not ground.has_webmail or ground.is_unlinked or letter.is_binned:
        assert verdict.why_not is not None


@settings(max_examples=100, deadline=None)
@given(SEEN, GROUND, st.randoms())
def test_the_order_in_which_records_are_found_decides_nothing(letter, ground, shuffle):
    def shuffled(rows):
        rows = list(rows)
        shuffle.shuffle(rows)
        return tuple(rows)

    keys = {known.pk for known in itertools.chain(*ground.records.values(), ground.deals)}
    if len(keys) != sum(map(len, ground.records.values())) + len(ground.deals):
        return  # the same key twice is no world that there is
    other = Ground(
        **{name: getattr(ground, name) for name in Ground.__dataclass_fields__}
        | {
            "records": {where: shuffled(known) for where, known in ground.records.items()},
            "deals": shuffled(ground.deals),
        }
    )
    before, after = decide(letter, ground), decide(letter, other)
    assert (before.new, before.why_not) == (after.new, after.why_not)
    assert {bind.record for bind in before.bindings} == {bind.record for bind in after.bindings}


@settings(max_examples=200, deadline=None)
@given(SEEN, GROUND)
def test_looking_again_at_what_was_saved_changes_nothing(letter, ground):
    """The letter's conversation stands where the letter does now: it stays there, and nothing new is made of it."""
    ground = replace(ground, conversation=None)
    before = decide(letter, ground)
    if not before.bindings:
        return
    said = itertools.chain.from_iterable(each.here for each in ground.said.values())
    all_of_them = set(itertools.chain(*ground.records.values(), ground.deals, said))
    known = {record.pk: record for record in all_of_them}
    if len(known) != len(all_of_them):
        return  # one key for two records is no world that there is
    records = tuple(known.get(bind.record, Known(bind.record, "company")) for bind in before.bindings)
    talk = Conversation(frozenset(letter.people.outside(OURS)), records)
    after = decide(letter, replace(ground, conversation=talk))
    assert {bind.record for bind in after.bindings} == {bind.record for bind in before.bindings}
    assert after.new is None


@settings(max_examples=100, deadline=None)
@given(SEEN, GROUND, st.randoms())
def test_the_order_of_those_who_got_it_decides_nothing_of_what_came_in(letter, ground, shuffle):
    others = [*letter.people.to]
    shuffle.shuffle(others)
    other = replace(letter, people=replace(letter.people, to=tuple(others)))
    before, after = decide(letter, ground), decide(other, ground)
    assert {bind.record for bind in before.bindings} == {bind.record for bind in after.bindings}
    if letter.people.sender not in OURS and "sent" not in letter.roles:
        assert (before.new, before.why_not) == (after.new, after.why_not)


def test_a_verdict_is_a_value():
    assert Verdict(bindings=(Bind(1, "address"),)) == Verdict(bindings=(Bind(1, "address"),))

"""Files of records: what programs write is read, nobody is made twice, and a refusal says row, column and why."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letterdesk.crm.jobs import take_in
from letterdesk.crm.models import Activity, ImportRefusal, Record, RecordImport
from letterdesk.crm.records import take_in as taking
from letterdesk.crm.records.export import HEAD, cards_of, table_of
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.records.import_rows import BadFile, Line, Refused, guessed, line_of, read_table
from letterdesk.crm.records.take_in import begin, find_letters, start, take_piece
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, interrupt
from letterdesk.lib.sheets import as_csv
from letterdesk.mail.vcard import Card, NoCard, read_cards, write_cards

from .conftest import from_amara


def lines_of(text, filename="x.csv", mapping=None):
    table = read_table(text if isinstance(text, bytes) else text.encode(), filename)
    return [line_of(table, row, mapping or guessed(table.head)) for row in table.rows]


@pytest.mark.parametrize(
    ("content", "name", "emails"),
    [
        ("Name,E-mail\nAmara,a@x.example\n", "Amara", ("a@x.example",)),
        ("Vorname;Nachname;E-Mail-Adresse\r\nJürgen;Müller;j@x.example", "Jürgen Müller", ("j@x.example",)),
        ("Имя\tЭ-почта\nАмара\ta@x.example, b@x.example", "Амара", ("a@x.example", "b@x.example")),
        ("\ufeffFirst Name,Last Name,E-mail 1 - Value\nA,B,a@x.example", "A B", ("a@x.example",)),
        ("Vorname;Nachname;E-Mail;E-Mail 2\nA;B;a@x.example;b@x.example", "A B", ("a@x.example", "b@x.example")),
        ("First name,Last name,Work e-mail,Home e-mail\nA,B,a@x.example,", "A B", ("a@x.example",)),
        ('Name;Mail\n"O\'Neill; ""Bo""";\'=x@y.example'.replace("'=", ""), 'O\'Neill; "Bo"', ("x@y.example",)),
        ("Email\nonly@x.example", "only@x.example", ("only@x.example",)),
        ("Name,Email\nJürgen,j@x.example".encode("cp1252"), "Jürgen", ("j@x.example",)),
        ("Name,Email\nЮрий,j@x.example".encode("utf-16"), "Юрий", ("j@x.example",)),
    ],
)
def test_what_spreadsheets_write(content, name, emails):
    [line] = lines_of(content)
    assert (line.name, line.emails) == (name, emails)


def test_what_is_no_line_says_in_which_column_and_why():
    found = lines_of("Name,Mail\nBo,nowhere\n,\n , \nX,x@y.example\n")
    assert found[0] == Refused("Mail", "“nowhere” is not an e-mail address.")
    assert isinstance(found[1], Line)
    for text, why in (("", "no table"), ("Name\n", "no lines"), ("x" * 10_000_001, "larger than 10 MB")):
        with pytest.raises(BadFile, match=why):
            read_table(text.encode(), "x.csv")
    for workbook in (b"PK\x03\x04\x14\0\n,\n", b"\xd0\xcf\x11\xe0\xa1\n,\n"):
        with pytest.raises(BadFile, match="save it as CSV there"):
            read_table(workbook, "x.csv")
    with pytest.raises(BadFile, match="no visiting card"):
        read_table(b"Name", "x.vcf")


CARDS = {
    "2.1 of a telephone": (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;;\r\n"
        b"TEL;CELL;PREF:+49 1\r\nEMAIL;HOME:j@x.example\r\n"
        b"NOTE;ENCODING=QUOTED-PRINTABLE:long =\r\nline\r\nEND:VCARD\r\n",
        Card("Jürgen Müller", ("j@x.example",), ("+49 1",), note="long line"),
    ),
    "3.0 folded, grouped, escaped": (
        b"BEGIN:VCARD\nVERSION:3.0\nFN:Bo\n  Li\nitem1.EMAIL;type=INTERNET:b@x.example\nORG:A\\, B\\; Co;Sales\n"
        b"TITLE:Buyer\nNOTE:one\\ntwo\nEND:VCARD\n",
        Card("Bo Li", ("b@x.example",), company="A, B; Co", position="Buyer", note="one\ntwo"),
    ),
    "4.0 with URIs": (
        b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Anna\r\nTEL;VALUE=uri:tel:+1-2\r\nEMAIL:mailto:a@x.example\r\nEND:VCARD",
        Card("Anna", ("a@x.example",), ("+1-2",)),
    ),
}


@pytest.mark.parametrize(("content", "card"), CARDS.values(), ids=CARDS)
def test_cards_of_all_versions(content, card):
    assert read_cards(content, most=9) == [card]


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\x85"), max_size=90).map(
    str.strip
)


@settings(max_examples=100, deadline=None)
@given(st.builds(Card, name=WORDS.filter(bool), company=WORDS, position=WORDS, note=WORDS))
def test_a_card_that_was_written_is_read_as_it_was(card):
    written = write_cards([card])
    assert read_cards(written.encode(), most=2) == [card]
    assert all(len(line.encode()) <= 75 for line in written.split("\r\n"))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content):
    for begun in (content, b"BEGIN:VCARD\r\n" + content + b"\r\nEND:VCARD"):
        try:
            read_cards(begun, most=5)
        except NoCard:
            continue


def run_in(taken, now):
    while take_piece(taken.pk, now=now):
        pass
    taken.refresh_from_db()
    return taken.made, taken.filled, taken.known, taken.refused


FILE = """Name;Email;Phone;Company;Owner;Note
Amara O.;AMARA@okafor.example;'+49 30 1;Okafor Studio;;Likes tea
Bo;bo@x.example;;Okafor Studio;;
Bo again;bo@x.example;;;;
;nowhere;;;;
Chen;c@x.example;;;nobody@acme.example;
Of Jonas;hidden@x.example;;;;
Dana;d@x.example;;;Jonas@acme.example;
"""


def test_who_is_responsible_goes_by_name_too_where_one_has_it(ines, jonas, now):
    """Other programs export names. Of two of one name nobody is guessed."""
    taken = begin("contact", b"Name,Assigned User\nA,jonas\nB,Ines\n", "people.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    jonas.__class__.objects.create(account=ines.account, name="Ines", email="other@acme.example")
    assert run_in(taken, now) == (1, 0, 0, 1)
    assert Record.objects.get().responsible == jonas
    assert ImportRefusal.objects.get().why == "Several colleagues are called “Ines”."


def test_a_file_is_taken_in_once_with_what_is_known_filled_in(amara, make, come, ines, jonas, now, monkeypatch):
    monkeypatch.setattr(taking, "AT_ONCE", 2)
    make(by=jonas, name="Secret", addresses=("hidden@x.example",))
    come(from_amara("Of Bo", message_id="bo@x").replace(b"Amara@Okafor.example", b"Bo@X.example"))
    jonas.email = "jonas@acme.example"
    jonas.save(update_fields=["email"])
    taken = begin("contact", FILE.encode(), "people.csv", by=ines)
    assert taken.mapping == ["name", "email", "phone", "company", "responsible", "note"]
    assert start(taken, mapping=taken.mapping, fills=True) and not start(taken, mapping=[], fills=True)
    assert run_in(taken, now) == (2, 1, 1, 3)
    assert run_in(taken, now) == (2, 1, 1, 3)
    amara.refresh_from_db()
    kept = fields_of(amara)
    assert (kept.name, kept.phones, kept.note) == ("Amara Okafor", ("+49 30 1",), "Likes tea")
    bo = Record.objects.get(name="Bo")
    assert (bo.responsible, bo.source, bo.company) == (ines, "import", Record.objects.get(kind="company"))
    assert Record.objects.get(name="Dana").responsible == jonas
    assert list(ImportRefusal.objects.order_by("row").values_list("row", "column", "why")) == [
        (5, "Email", "“nowhere” is not an e-mail address."),
        (6, "Owner", "No colleague has the name or address “nobody@acme.example”."),
        (7, "", "A record that you cannot view has this address."),
    ]
    assert Event.objects.get(kind="records.imported").facts["made"] == 2
    assert find_letters(taken, now=now) == 1  # R5: what is here already
    assert Activity.objects.get(subject="Of Bo").bindings.filter(record=bo).exists()
    assert not bytes(RecordImport.objects.get().content)


def test_what_was_exported_can_be_imported(amara, make, ines, stranger, now):
    make(name="=cmd()", addresses=("x@x.example", "y@x.example"), phones=("+1 2345678",), note="@home")
    rows = table_of(Record.objects.filter(kind="contact").prefetch_related("addresses", "phones").order_by("pk"))
    written = as_csv(HEAD, rows)
    assert "'=cmd()" in written and "'+1 2345678" in written and "'@home" in written  # C24
    assert write_cards(cards_of(Record.objects.filter(name="=cmd()"))).count("EMAIL") == 2
    taken = begin("contact", written.encode("utf-8-sig"), "back.csv", by=stranger)
    start(taken, mapping=[name if name != "responsible" else "" for name in taken.mapping], fills=True)
    assert run_in(taken, now) == (2, 0, 0, 0)
    made = Record.objects.get(name="=cmd()", account=stranger.account)
    assert fields_of(made).addresses == ("x@x.example", "y@x.example")
    assert (made.note, fields_of(made).phones) == ("@home", ("+1 2345678",))


@pytest.mark.django_db(transaction=True)
def test_a_crash_leaves_whole_pieces_and_the_job_does_the_rest(ines, now, monkeypatch):
    monkeypatch.setattr(taking, "AT_ONCE", 2)
    rows = "".join(f"P{number},p{number}@x.example\n" for number in range(5))
    taken = begin("lead", f"Name,Email\n{rows}".encode(), "x.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    interrupt("crm_import.before_commit", 2)
    with pytest.raises(Crashed):
        run_in(taken, now)
    assert Record.objects.count() == 2
    take_in.now(taken.pk)
    assert Record.objects.count() == 5
    taken.refresh_from_db()
    assert (taken.state, taken.made, bytes(taken.content)) == ("done", 5, b"")

"""What people type into own fields and what files hold for them: read, or refused by name. No database."""

from datetime import date
from decimal import Decimal

import pytest

from letterdesk.crm.models import OwnField, OwnType
from letterdesk.crm.own.read import BadValue, read, read_file
from letterdesk.crm.own.said import NOTHING, Said, in_file, in_words


def field(kind):
    return OwnField(name="Size", type=kind)


@pytest.mark.parametrize(
    ("kind", "typed", "said"),
    [
        ("text", "  two   words ", Said(text="two words")),
        ("text", "nul\0", Said(text="nul")),
        ("long", " one\ntwo ", Said(text="one\ntwo")),
        ("number", "1200,5", Said(number=Decimal("1200.5"))),
        ("number", "-12.5", Said(number=Decimal("-12.5"))),
        ("number", "999999999999999", Said(number=Decimal("999999999999999"))),
        ("date", "2026-2-3", Said(day=date(2026, 2, 3))),
        ("yes_no", "no", Said(is_true=False)),
        ("yes_no", "Ja", Said(is_true=True)),
        ("link", "example.com/a?b=c", Said(text="https://example.com/a?b=c")),
        ("link", "http://example.com:8080", Said(text="http://example.com:8080")),
        ("link", "example.com:8080/x", Said(text="https://example.com:8080/x")),
        ("link", "http://intranet/wiki?a=b#c", Said(text="http://intranet/wiki?a=b#c")),
        ("link", "HTTPS://[::1]:8080", Said(text="HTTPS://[::1]:8080")),
        ("link", "https://192.168.1.1", Said(text="https://192.168.1.1")),
        ("link", "https://bücher.example/ü", Said(text="https://bücher.example/ü")),
        *((kind, "  ", NOTHING) for kind in OwnType.values if kind not in {"choice", "choices"}),
    ],
)
def test_what_is_typed_is_read(kind, typed, said):
    assert read(field(kind), [typed]) == said
    assert bool(said) is (said != NOTHING)


def test_money_is_an_amount_and_a_currency():
    assert read(field("money"), ["1200.5", "eur"]) == Said(number=Decimal("1200.50"), currency="EUR")
    assert read(field("money"), ["", "EUR"]) == NOTHING
    for typed, why in ((["-1", ""], "0 upwards"), (["1", "Euro"], "three letters"), (["x", ""], "not a number")):
        with pytest.raises(BadValue, match=why):
            read(field("money"), typed)


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        ("text", "x" * 301, "At most 300"),
        ("long", "x" * 10_001, "At most 10000"),
        ("number", "1e5", "not a number"),
        ("number", "NaN", "not a number"),
        ("number", "٣", "not a number"),
        ("number", "1" * 5000, "not a number"),
        ("number", "1.00001", "at most 15 digits"),
        ("number", "123456789012.3456", "at most 15 digits"),
        ("date", "2026-02-30", "not a day"),
        ("date", "soon", "not a day"),
        ("date", "0000-01-01", "not a day"),
        ("yes_no", "perhaps", "neither yes nor no"),
        ("link", "javascript:alert(1)", "not the address"),
        ("link", "data:text/html,x", "not the address"),
        ("link", "ftp://example.com", "not the address"),
        ("link", "https://" + "x" * 2000 + ".example", "not the address"),
        ("link", "two words", "not the address"),
        ("link", "https://user:password@x.example", "not the address"),
        ("link", "https://user@x.example", "not the address"),
        ("link", "https://@x.example", "not the address"),
        ("link", "customer", "not the address"),
        ("link", "http://", "not the address"),
        ("link", "http:///x", "not the address"),
        ("link", "https://x.example:99999", "not the address"),
        ("link", "https://[x", "not the address"),
        ("link", "https://a..b", "not the address"),
        ("link", "https://x.example\\@y.example", "not the address"),
        ("link", "https://-x", "not the address"),
        ("link", "https:x.example", "not the address"),
        ("link", "https://x.example/a\nb", "not the address"),
    ],
)
def test_what_cannot_be_is_refused_in_words(kind, typed, why):
    with pytest.raises(BadValue, match=why) as refused:
        read(field(kind), [typed])
    assert refused.value.field.name == "Size" and str(refused.value).startswith("Size: ")


@pytest.mark.parametrize(
    ("kind", "cell", "said"),
    [
        ("number", "1.234,56", Said(number=Decimal("1234.56"))),
        ("number", "1,234.56", Said(number=Decimal("1234.56"))),
        ("number", "1\u202f234,5", Said(number=Decimal("1234.5"))),
        ("number", "1'234'567", Said(number=Decimal(1234567))),
        ("number", "1.234.567", Said(number=Decimal(1234567))),
        ("number", "- 1 234 567.8", Said(number=Decimal("-1234567.8"))),
        ("number", "12,34,567.5", Said(number=Decimal("1234567.5"))),
        ("number", "0,125", Said(number=Decimal("0.125"))),
        ("number", "\u22125", Said(number=Decimal(-5))),
        ("money", "€ 1.200,50", Said(number=Decimal("1200.50"), currency="EUR")),
        ("money", "1200 USD", Said(number=Decimal(1200), currency="USD")),
        ("money", "7", Said(number=Decimal(7))),
        ("date", "24.12.2026", Said(day=date(2026, 12, 24))),
        ("yes_no", "да", Said(is_true=True)),
        ("text", " ", NOTHING),
    ],
)
def test_a_file_is_read_as_people_write(kind, cell, said):
    assert read_file(field(kind), cell) == said


@pytest.mark.parametrize(
    ("kind", "cell", "why"),
    [
        ("number", "1.200", "two ways. Write 1200 or 1.2000"),
        ("number", "1,200", "two ways. Write 1200 or 1.2000"),
        *(
            ("number", none, "not a number")
            for none in ("12.12.2026", "192.168.1.1", "1,2,3", "1 2", "030 12345", "1.234.5", "1,23,45", "1.234,5.6")
        ),
        ("money", "1.2.3 EUR", "not a number"),
        ("money", "EUR 5 USD", "not an amount"),
        ("money", "5" + " " * 100_000 + "!", "not an amount"),
        ("money", "plenty", "not a"),
        ("date", "12/24/2026", "not a day"),
    ],
)
def test_what_means_different_things_in_different_countries_is_refused(kind, cell, why):
    with pytest.raises(BadValue, match=why):
        read_file(field(kind), cell)


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("number", ["1.2340"], "1.234"),
        ("number", ["1000"], "1,000"),
        ("number", ["0"], "0"),
        ("money", ["1200.5", "EUR"], "1,200.50 EUR"),
        ("date", ["2026-12-24"], "24 Dec 2026"),
        ("yes_no", ["no"], "No"),
        ("text", ["=1+1"], "=1+1"),
    ],
)
def test_what_is_written_into_a_file_is_read_from_it_again(kind, typed, words):
    said = read(field(kind), typed)
    assert read_file(field(kind), str(in_file(field(kind), said))) == said
    assert in_words(field(kind), said) == words

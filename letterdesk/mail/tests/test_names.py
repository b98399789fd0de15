"""Folder names keep their octets and are readable (A32)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.mail.imap_names import is_usable, new_wire_name, shown_name, wire_name, wire_octets

pytestmark = pytest.mark.case("A32")


@given(st.binary(max_size=40))
def test_any_octets_come_back_exactly(octets):
    name = wire_name(octets)
    assert wire_octets(name) == octets
    assert "\0" not in name
    name.encode("utf-8")  # no lone surrogates: any database takes it


@given(st.text(max_size=30))
def test_names_of_every_script_come_back_exactly(text):
    octets = text.encode("utf-8", "replace")
    assert wire_octets(wire_name(octets)) == octets


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Co", "Zl", "Zp"]), max_size=30))
def test_a_new_name_is_shown_as_it_was_written(name):
    wire = new_wire_name(name)
    assert wire.isascii()
    assert shown_name(wire) == name


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        ("Entw&APw-rfe", "Entwürfe"),
        ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"),
        ("R&-D", "R&D"),
        ("bad &AP", "bad &AP"),
        ("half &2AA-", "half &2AA-"),
        ("raw Gelöscht", "raw Gelöscht"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("a\r\nb", "a��b"),
        ("x\u202egpj.exe", "x�gpj.exe"),
    ],
)
def test_the_shown_name_is_readable_and_harmless(wire, shown):
    assert shown_name(wire) == shown


def test_only_a_name_that_a_command_can_carry_is_usable():
    assert is_usable("INBOX")
    assert not is_usable("")
    assert not is_usable(wire_name(b"a\0b"))

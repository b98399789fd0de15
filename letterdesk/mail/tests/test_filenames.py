"""Names of files: what is shown is what it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.mail.names import MOST_IN_NAME, safe_filename
from letterdesk.mail.tests.test_parse import letter, multi, part


def name_of(disposition, content_type="application/pdf"):
    raw = multi("mixed", part("text/plain", b"x"), part(content_type, b"x", f"Content-Disposition: {disposition}"))
    return letter(raw).parts[0].filename


@pytest.mark.case("B07")
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("Angebot Müller & Söhne (2).pdf", "Angebot Müller & Söhne (2).pdf"),
        ("请查收.docx", "请查收.docx"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\me\\cv.doc", "cv.doc"),
        ("/etc/shadow", "shadow"),
        ("Invoice 11/2026.pdf", "Invoice 11_2026.pdf"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("photo\u2067gpj\u2069.exe", "photogpj.exe"),
        ("bill.pdf\x00.exe", "bill.pdf.exe"),
        ("a\r\nContent-Type: text/html\r\n\r\nb.pdf", "a Content-Type_ text_html b.pdf"),
        ("invoice.svg.exe", "invoice.svg.exe"),
        ("invoice.pdf" + " " * 300 + ".exe", "invoice.pdf.exe"),
        ("inv\u200boice.p\u00addf", "invoice.pdf"),
        ('a"b<c>d|e?f*.txt', "a_b_c_d_e_f_.txt"),
        ("con.txt", "_con.txt"),
        ("LPT1", "_LPT1"),
        (".htaccess", "htaccess"),
        ("name. ", "name"),
        ("", "attachment.pdf"),
        ("...", "attachment.pdf"),
        ("\u202e\u200b", "attachment.pdf"),
    ],
)
def test_a_name_is_safe_and_its_suffix_is_in_sight(name, safe):
    assert safe_filename(name, "application/pdf") == safe


@pytest.mark.case("B07")
def test_a_name_of_64_kb_is_cut_and_keeps_its_suffix():
    short = safe_filename("x" * 65_536 + ".svg.exe", "image/png")
    assert len(short) <= MOST_IN_NAME
    assert short.endswith(".exe")


@pytest.mark.case("B07")
@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=plain.pdf", "plain.pdf"),
        ('attachment; filename="two words; and more.pdf"', "two words; and more.pdf"),
        ("attachment; filename=two words.pdf", "two words.pdf"),
        ('attachment; filename="a\\"b.pdf"', "a_b.pdf"),
        ("attachment; filename*=utf-8''%e2%82%ac%20rates.pdf", "€ rates.pdf"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates.pdf", "£ rates.pdf"),
        ("attachment; filename*=koi8-r''%F0%D2%C9.pdf", "При.pdf"),
        ("attachment; filename*0*=utf-8''%d0%9f; filename*1=lan; filename*2*=%20B.pdf", "Пlan B.pdf"),
        ("attachment; filename*1=b.pdf; filename*0=a", "ab.pdf"),
        ("attachment; filename=wrong.pdf; filename*=utf-8''right.pdf", "right.pdf"),
        ('attachment; filename="=?utf-8?b?0J/RgNC4?=.pdf"', "При.pdf"),
        ('attachment; filename="=?utf-8?b?0J/R?= =?utf-8?b?gNC4LnBkZg==?="', "При.pdf"),
        ('attachment; filename="Gr\u00fc\u00dfe.pdf"', "Grüße.pdf"),
        ("attachment; filename*=nonsense''%ff%fe.pdf", "ÿþ.pdf"),
        ("attachment; filename*=utf-8''%2e%2e%2f%2e%2e%2fpasswd", "passwd"),
        ("attachment; filename*=utf-8''a%0d%0aX-Evil:%20b.pdf", "a X-Evil_ b.pdf"),
        ("attachment; filename*=utf-8''a%00.exe", "a.exe"),
        ("attachment", "attachment.pdf"),
    ],
)
def test_names_are_read_in_all_their_encodings(disposition, name):
    assert name_of(disposition) == name


@given(st.text(max_size=300))
def test_no_name_is_ever_unsafe(name):
    safe = safe_filename(name, "image/png")
    assert 0 < len(safe) <= MOST_IN_NAME
    assert not set(safe) & set('/\\:"<>|?*\r\n\0')
    assert safe not in {".", ".."}
    assert not any(
        unicodedata.bidirectional(character) in {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "PDF"} for character in safe
    )
    assert safe_filename(safe, "image/png") == safe

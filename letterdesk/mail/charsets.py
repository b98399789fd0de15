"""Bytes to text whatever the label says: a wrong or unknown charset costs a few characters, never the letter (B01)."""

import encodings.aliases
import re
from functools import lru_cache

# What senders mean by a label, where that is more than the label says (WHATWG Encoding 4.2).
_MEANT = {
    "ascii": "utf_8",
    "us_ascii": "utf_8",
    "ansi_x3_4_1968": "utf_8",
    "ansi_x3_110_1983": "cp1252",
    "iso_8859_1": "cp1252",
    "latin_1": "cp1252",
    "latin1": "cp1252",
    "iso_8859_9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x_gbk": "gb18030",
    "ks_c_5601_1987": "cp949",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "x_sjis": "cp932",
    "sjis": "cp932",
    "iso_8859_8_i": "iso8859_8",
    "x_mac_cyrillic": "mac_cyrillic",
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_7": "utf_7",
    "iso2022_jp": "iso2022_jp_2",
    "windows_31j": "cp932",
}
# Python's text codecs that are no charsets, or that cost more than they are worth (idna and punycode are quadratic).
_REFUSED = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "rot_13"}
_BINARY = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "uu_codec", "zlib_codec"}
_KNOWN = (set(encodings.aliases.aliases.values()) | {"utf_8", "cp720", "koi8_u", "cp874"}) - _REFUSED - _BINARY
_CODE_PAGE = re.compile(r"^(?:windows|cp|ibm)_")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_JAPANESE_ESCAPE = re.compile(rb"\x1b[$(][@B-J]")
_NOT_ASCII = {"utf_7", "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be", "hz"}
_SAMPLE = 20_000  # bytes that a guess looks at


def decode(raw: bytes, label: str = "") -> str:
    """Text of `raw`, labelled `label` (any spelling, or empty). Never raises; what nothing explains becomes U+FFFD."""
    codec = codec_of(label)
    if raw.isascii() and codec not in _NOT_ASCII and b"\x1b" not in raw:
        return raw.decode("ascii")
    if not codec.startswith("iso2022") and _JAPANESE_ESCAPE.search(raw, 0, _SAMPLE):
        codec = "iso2022_jp_2"
    try:
        return raw.decode(codec or "utf_8")
    except UnicodeError:
        return _guess(raw, codec)


@lru_cache(maxsize=512)
def codec_of(label: str) -> str:
    """The Python codec for a charset label of a mail, empty when there is none that we would use."""
    name = _NOT_IN_NAMES.sub("_", label[:60].lower()).strip("_")
    name = _MEANT.get(name) or _MEANT.get(name.removeprefix("x_")) or name
    name = _CODE_PAGE.sub("cp", name)
    name = encodings.aliases.aliases.get(name, name)
    name = _MEANT.get(name, name)
    return name if name in _KNOWN else ""


def _guess(raw: bytes, codec: str) -> str:
    """Text of bytes whose label is absent, unknown or untrue."""
    if codec and codec != "utf_8":
        return raw.decode(codec, "replace")
    sample = raw[:_SAMPLE].decode("utf_8", "replace")
    wrong = sample.count("\ufffd")
    right = sum(1 for character in sample if character > "\x7f") - wrong
    if right >= 4 * wrong:
        return raw.decode("utf_8", "replace")
    return raw.decode(_unlabelled(raw[:_SAMPLE]), "replace")


def _unlabelled(raw: bytes) -> str:
    """Cyrillic has mostly high letters, western text few; koi8-r has its small letters where cp1251 has capitals."""
    if _is_chinese(raw):
        return "gb18030"
    high = [byte for byte in raw if byte >= 0xC0]
    letters = sum(1 for byte in raw if 0x41 <= (byte & 0xDF) <= 0x5A) + len(high)
    if len(high) < 4 or 2 * len(high) < letters:
        return "cp1252"
    small_in_koi8 = sum(1 for byte in high if byte < 0xE0)
    return "koi8_r" if 2 * small_in_koi8 > len(high) else "cp1251"


def _is_chinese(raw: bytes) -> bool:
    """Whether all high bytes come in pairs that are common signs (GB 2312), and these outweigh the Latin letters."""
    text = raw.decode("gb2312", "ignore")
    signs = sum(1 for character in text if character > "\x7f")
    letters = sum(1 for character in text if character.isascii() and character.isalpha())
    return len(text) + signs == len(raw) and signs > letters


def clean_text(text: str) -> str:
    """`text` without NUL, other control characters and lone surrogates, so that any database takes it (A38)."""
    if _UNWANTED.search(text) is None:
        return text
    return _UNWANTED.sub("", text)


_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean_line(text: str) -> str:
    """`text` on one line, without control characters and without what turns the direction of writing around (B07)."""
    if not text.isprintable():  # what is printable has neither, nor any space but U+0020
        text = _TURNING.sub("", clean_text(_CONTROL.sub(" ", text)))
    return " ".join(text.split())


# Sets without a `+` behind: the `re` of Python looks for their first character many times faster.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

"""Folder names: exact octets for the server, a readable name for people (A32).

A wire name is a `str` that any database takes and that turns back into exactly the octets that LIST gave. Octets
that are not UTF-8 (and NUL) stand in it as characters of the private use area, U+F700 + octet.
"""

import binascii
import re

_ESCAPE = 0xF700
_ESCAPED = re.compile("[\uf700-\uf7ff]")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\uf700-\uf7ff]")
_NOT_ASCII = re.compile("[^\x20-\x7e]+")


def wire_name(octets: bytes) -> str:
    """The storable form of a folder name's octets."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(each) if 0 < each < 0x80 else chr(_ESCAPE + each) for each in octets)
    if _ESCAPED.search(text):  # the name itself has our private characters: keep its octets one by one
        text = _ESCAPED.sub(lambda match: "".join(chr(_ESCAPE + each) for each in match[0].encode()), text)
    return text.replace("\0", chr(_ESCAPE))


def wire_octets(name: str) -> bytes:
    """The octets of a wire name. `encode` refuses them when they contain NUL."""
    if not _ESCAPED.search(name):
        return name.encode("utf-8")
    return b"".join(bytes([ord(each) - _ESCAPE]) if _ESCAPED.match(each) else each.encode("utf-8") for each in name)


def is_usable(name: str) -> bool:
    """Whether a command can carry this wire name: it is not empty and has no NUL."""
    return bool(name) and chr(_ESCAPE) not in name and "\0" not in name


def shown_name(name: str) -> str:
    """The name for people: modified UTF-7 decoded where it is right, control and direction characters replaced."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", _SHIFTED.sub(_decode_shift, name))


def new_wire_name(name: str, *, utf8: bool = False) -> str:
    """The wire name for a folder that a person names: modified UTF-7 (RFC 3501 5.1.3), or plain with UTF8=ACCEPT."""
    if utf8:
        return name
    return _NOT_ASCII.sub(_encode_shift, name.replace("&", "&-"))


def _decode_shift(match: re.Match[str]) -> str:
    base64 = match[1].replace(",", "/")
    if not base64:
        return "&"
    try:
        octets = binascii.a2b_base64(base64 + "=" * (-len(base64) % 4))
        return octets.decode("utf-16-be")
    except ValueError:  # binascii.Error and UnicodeDecodeError: leave what is wrong as it stands
        return match[0]


def _encode_shift(match: re.Match[str]) -> str:
    base64 = binascii.b2a_base64(match[0].encode("utf-16-be"), newline=False).decode("ascii")
    return f"&{base64.rstrip('=').replace('/', ',')}-"

"""Message-ID, In-Reply-To and References (RFC 5322 3.6.4), with all that stands in their place in real mail (A46)."""

import hashlib
import re

from letterdesk.mail.charsets import clean_line, decode

MOST_IN_ID = 250  # characters; longer ones keep their beginning and a hash
KEPT_AT_START, KEPT_AT_END = 1, 100  # of the references: the root, and the nearest
_SIMPLE = re.compile(r"[!-;=?-~]{1,250}")
_MOST_READ = 20_000
_BRACKETED = re.compile(r"<([^<>]*)>")


def read_ids(values: list[bytes]) -> tuple[str, ...]:
    """The identifiers in a field, without brackets, each once, in order; of very many the first and the last 100."""
    text = " ".join(decode(value) for value in values)
    found = _BRACKETED.findall(text) or [word for word in text.replace(",", " ").split() if "@" in word]
    ids = list(dict.fromkeys(_made(one) for one in found[:_MOST_READ] + found[_MOST_READ:][-KEPT_AT_END:]))
    ids = [one for one in ids if one]
    return tuple(ids if len(ids) <= KEPT_AT_START + KEPT_AT_END else ids[:KEPT_AT_START] + ids[-KEPT_AT_END:])


def read_message_id(values: list[bytes]) -> str:
    """The letter's own identifier, also one without brackets or @; empty when there is none."""
    text = decode(values[0]) if values else ""
    match = _BRACKETED.search(text)
    return _made(match[1] if match else text)


def _made(text: str) -> str:
    if _SIMPLE.fullmatch(text):
        return text
    text = "".join(clean_line(text).split()).strip("<>")
    if len(text) <= MOST_IN_ID:
        return text
    return f"{text[:150]}~{hashlib.sha256(text.encode()).hexdigest()}"

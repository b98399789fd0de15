"""Subjects without what mail programs put before them, so that a conversation has one (ux.md 1.1)."""

import re
import unicodedata

# Reply and forward prefixes as programs write them, in many languages; compared without regard to case.
_REPLIES = (
    "re aw antw antwort antwoord sv vs vá ref res rif ris bls bl ynt yan σχετ απ απάντηση odp atb "
    "ответ отв відповідь відп resp respuesta réf rép réponse reply "
    "回复 回覆 答复 答覆 返信 회신 답장 תשובה השב רה רד رد الرد تعقيب ตอบกลับ"
)
_FORWARDS = (
    "fwd fw wg vb vl tr enc rv doorst pd továbbítás ilt iletme πρθ προωθ "
    "пересл пер переслано переадр пд 转发 轉寄 轉發 転送 전달 הועבר إعادة ส่งต่อ"
)
_ONE_LETTER = "r|i"  # Italian programs write `R:` and `I:`, without a count


def _alternatives(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


_MOST = 2_000  # characters that are looked at
_COUNT = r"(?:\s?[\[(][0-9]{1,4}[\])]|\^[0-9]{1,4}|[0-9]{1,2})?"  # Re[2]: Re(2): Re^2: Re2:
_REPLY = re.compile(rf"\s*(?:(?:{_alternatives(_REPLIES)}){_COUNT}|r)\s?[:：]\s*", re.IGNORECASE)
_PREFIX = re.compile(
    rf"\s*(?:(?:{_alternatives(_REPLIES)}|{_alternatives(_FORWARDS)}){_COUNT}|{_ONE_LETTER})\s?[:：]\s*", re.IGNORECASE
)
_TAG = re.compile(r"\s*\[[^\[\]0-9]{1,40}\]\s*")  # no digits: a ticket number tells conversations apart
_FORWARDED = re.compile(r"\s*\((?:fwd|fw)\)\s*$", re.IGNORECASE)


def normal_subject(subject: str) -> str:
    """`subject` without reply and forward prefixes, their counts and list tags, whitespace folded; may become empty."""
    text = _folded(subject)
    while True:
        shorter = _without(_PREFIX, text)
        tag = _TAG.match(shorter)
        if tag and tag.end() < len(shorter):
            shorter = shorter[tag.end() :]
        if shorter == text:
            return _FORWARDED.sub("", text).strip()
        text = shorter


def is_reply_subject(subject: str) -> bool:
    """Whether a program has put a reply prefix (not a forward prefix) at the beginning, list tags aside."""
    text = _folded(subject)
    tag = _TAG.match(text)
    return bool(_REPLY.match(text, tag.end() if tag else 0))


def is_forward_subject(subject: str) -> bool:
    """Whether the letter says of itself that it passes another one on: its first prefix is a forward prefix."""
    text = _folded(subject)
    tag = _TAG.match(text)
    at = tag.end() if tag else 0
    return bool(_PREFIX.match(text, at)) and not _REPLY.match(text, at)


def _without(prefix: re.Pattern[str], text: str) -> str:
    at = 0
    while match := prefix.match(text, at):
        at = match.end()
    return text[at:]


def _folded(subject: str) -> str:
    return " ".join(unicodedata.normalize("NFC", subject[:_MOST]).split())

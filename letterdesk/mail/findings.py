"""What a mail server of ours wrote down about the sender of a letter (RFC 8601).

A stranger chooses some of what stands in it, so it is read as its grammar has it: quoted strings and comments are one
piece, whatever they hold, and what our server would not write makes nothing of the whole field.
"""

import re
from collections.abc import Iterator

MOST_IN_FIELD = 16 * 1024  # characters
_PIECE = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<mark>[;()])|(?P<space>\s+)|(?P<word>[^\s"();\\]+)', re.DOTALL)
_IN_COMMENT = re.compile(r"(?P<mark>[()])|\\.|[^()\\]+", re.DOTALL)
_PLAIN = re.compile(r"[^\s;\"\\=()]*")  # what a quoted string may hold to be believed


def passes(value: str, server: str) -> Iterator[tuple[str, dict[str, str]]] | None:
    """What passed, by the words of this server: the method, and the first value of each property.

    `value` of an Authentication-Results field, unfolded. None: it is of another server. Nothing where it is broken.
    """
    (named, *results) = _results(value[:MOST_IN_FIELD]) or [[]]
    if named[:1] != [server]:
        return None
    return (found for words in results if (found := _passed(words)))


def _passed(words: list[str]) -> tuple[str, dict[str, str]] | None:
    """One finding: `dkim=pass header.d=example.com`; None: no pass, or words that nobody should believe."""
    pairs = [word.partition("=") for word in words]
    if not pairs or pairs[0][2].lower() != "pass":
        return None
    said: dict[str, str] = {}
    for name, _equals, value in pairs[1:]:
        said.setdefault(name.lower(), value)
    return pairs[0][0].lower(), said


def _results(value: str) -> list[list[str]]:
    """The words between the semicolons, without comments; none where a quote or a comment does not end."""
    results: list[list[str]] = [[]]
    at, is_new = 0, True
    while at < len(value):
        piece = _PIECE.match(value, at)
        if piece is None or piece[0] == ")":
            return []
        at = piece.end()
        if piece["mark"] == ";":
            results.append([])
        elif piece["mark"]:
            at = _end_of_comment(value, at)
        elif not piece["space"]:
            _add(results[-1], piece, is_new=is_new)
        is_new = bool(piece["mark"] or piece["space"])
        if at < 0:
            return []
    return results


def _add(words: list[str], piece: re.Match[str], *, is_new: bool) -> None:
    """One more word, or more of the last; a quoted string that holds more than one word is no value."""
    quoted = piece["quoted"]
    text = piece["word"] if quoted is None else (quoted if _PLAIN.fullmatch(quoted) else "?@?")
    if is_new or not words:
        words.append(text)
    else:
        words[-1] += text


def _end_of_comment(value: str, at: int) -> int:
    """Where the comment ends that began before `at`; comments nest (RFC 5322 3.2.2). -1: it does not end."""
    depth = 1
    while depth and at < len(value):
        piece = _IN_COMMENT.match(value, at)
        if piece is None:
            return -1
        at = piece.end()
        depth += {"(": 1, ")": -1}.get(piece["mark"] or "", 0)
    return -1 if depth else at

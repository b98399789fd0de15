"""The plain text beside the HTML of a letter of ours: lines, quotes with `>`, lists, addresses of links."""

import re
from html.parser import HTMLParser

_BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "tr", "pre", "hr", "li", "blockquote"}
_APART = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre", "blockquote"}  # a blank line around
_BLANKS = re.compile(r"[ \t\r\n\f]+")


def plain_of(html: str) -> str:
    """Readable text of HTML that was cleaned before; never raises."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[tuple[int, str]] = []  # depth of quotation, text
        self.line = ""
        self.quotes = 0
        self.verbatim = 0
        self.apart = False  # a blank line stands before the next one
        self.link = ""
        self.shown = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._end_line(apart=tag in _APART)
        if tag == "br":
            self._push()
        elif tag == "blockquote":
            self.quotes += 1
        elif tag == "pre":
            self.verbatim += 1
        elif tag == "li":
            self.line = "- "
        elif tag == "a":
            self.link, self.shown = dict(attrs).get("href") or "", ""
        elif tag in {"td", "th"} and self.line:
            self.line += "  "

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.link:
            bare = self.link.removeprefix("mailto:").rstrip("/")
            self.line += "" if bare in self.shown.rstrip("/") else f" <{self.link}>"
            self.link = ""
        if tag in _BLOCKS:
            self._end_line(apart=tag in _APART)
        if tag == "blockquote":
            self.quotes = max(0, self.quotes - 1)
        elif tag == "pre":
            self.verbatim = max(0, self.verbatim - 1)

    def handle_data(self, data: str) -> None:
        self.shown += data
        if self.verbatim:
            *whole, self.line = (self.line + data).split("\n")
            self.lines += [(self.quotes, each) for each in whole]
            return
        text = _BLANKS.sub(" ", data)
        self.line += text.lstrip() if not self.line or self.line.endswith(" ") else text

    def text(self) -> str:
        self._end_line(apart=False)
        rows: list[str] = []
        for quotes, line in self.lines:
            mark = ">" * quotes
            row = f"{mark} {line}".rstrip() if mark and line else mark or line.rstrip()
            if row.strip(">") or not rows or rows[-1].strip(">"):
                rows.append(row)
        return "\n".join(rows).strip("\n").replace("\xa0", " ")

    def _end_line(self, *, apart: bool) -> None:
        if self.line.strip():
            self._push()
        self.line = ""
        self.apart = self.apart or apart

    def _push(self) -> None:
        if self.apart and self.lines:
            self.lines.append((min(self.quotes, self.lines[-1][0]), ""))
        self.apart = False
        self.lines.append((self.quotes, self.line.strip() if not self.verbatim else self.line))
        self.line = ""

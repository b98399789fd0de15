"""The letters that are measured with: generated, the same ones each time, like business mail in size and shape.

A quarter is plain text, the rest has HTML; 15 % carry attachments up to 250 KB; conversations of one to eight letters;
several scripts. About 35 KB in the mean.
"""

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime

START = datetime(2026, 1, 1, tzinfo=UTC)
LINE = 57  # bytes that a line of base64 holds; it is 78 characters long, line end included
MOST_LINES = 3200  # of an attachment: 250 KB as they travel
SHIFTS = 1000
SCRIPTS = (
    "the quick offer about delivery contract invoice meeting project budget office chair desk window price week month",
    "angebot lieferung vertrag rechnung besprechung projekt büro stuhl fenster preis woche monat straße größe",
    "предложение доставка договор счёт встреча проект бюджет офис кресло окно цена неделя месяц",
    "عرض توصيل عقد فاتورة اجتماع مشروع ميزانية مكتب كرسي نافذة سعر أسبوع شهر",
    "見積 納品 契約 請求書 会議 企画 予算 事務所 椅子 窓 価格 週 月",
)


class Corpus:
    """`count` letters; the same seed gives the same bytes. The word `zanzibar<n>` is in one letter in a thousand.

    `plain` leaves HTML and attachments out: many letters, few bytes, for what looks at rows and words alone.
    """

    def __init__(self, count: int, *, seed: int = 7, plain: bool = False) -> None:
        self.count = count
        self._plain = plain
        self._chance = random.Random(seed)
        self._words = [script.split() for script in SCRIPTS]
        self._rare = [
            f"{a}{b}{c}" for a in ("ka", "mo", "ti", "ru", "se") for b in "abdefg" for c in ("lin", "tor", "nex")
        ]
        self._noise = _base64(random.Random(seed + 1).randbytes(LINE * (MOST_LINES + SHIFTS)))

    def __iter__(self) -> Iterator[tuple[datetime, bytes]]:
        """(date of receipt, raw bytes), oldest first."""
        thread: list[str] = []
        subject, left = "", 0
        for number in range(self.count):
            if not left:
                left, thread, subject = self._chance.randint(1, 8), [], self._text(6)
            left -= 1
            at = START + timedelta(minutes=20 * number)
            message_id = f"<{number}.{self._chance.getrandbits(48):x}@bench.example>"
            yield at, self._letter(number, at, message_id=message_id, thread=thread, subject=subject)
            thread.append(message_id)

    def _letter(self, number: int, at: datetime, *, message_id: str, thread: list[str], subject: str) -> bytes:
        person = self._chance.randint(1, 900)
        head = [
            f"Received: from mx{person % 7}.example by mail.bench.example; {format_datetime(at)}",
            f"From: {Header(self._text(2).title(), 'utf-8').encode()} <person{person}@client{person % 90}.example>",
            "To: Sales <sales@bench.example>",
            f"Subject: {Header(('Re: ' if thread else '') + subject, 'utf-8').encode()}",
            f"Date: {format_datetime(at)}",
            f"Message-ID: {message_id}",
            "MIME-Version: 1.0",
        ]
        if thread:
            head += [f"In-Reply-To: {thread[-1]}", "References: " + "\r\n ".join(thread)]
        return ("\r\n".join(head) + "\r\n" + self._body(number)).encode()

    def _body(self, number: int) -> str:
        needle = f"zanzibar{number // 1000} " if number % 1000 == 500 else ""
        plain = needle + "\n\n".join(
            self._text(self._chance.randint(30, 120)) for _ in range(self._chance.randint(1, 6))
        )
        if self._plain or self._chance.random() < 0.25:
            return _part("text/plain", plain)
        body = _multipart("alternative", [_part("text/plain", plain), _part("text/html", self._html(plain))])
        if self._chance.random() < 0.2:  # of three quarters: 15 % of all
            size, start = self._chance.randint(130, MOST_LINES) * 78, self._chance.randint(0, SHIFTS) * 78
            content = self._noise[start : start + size].rstrip()
            attachment = (
                "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
                f'Content-Disposition: attachment; filename="report-{number}.pdf"\r\n\r\n{content}\r\n'
            )
            body = _multipart("mixed", [body, attachment])
        return body

    def _html(self, plain: str) -> str:
        style = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.5;color:#222222;margin:0 0 12px 0"
        rows = "".join(
            f'<tr><td style="{style}" bgcolor="#ffffff" valign="top"><p style="{style}">{part}</p></td></tr>\n'
            for part in plain.split("\n\n")
        )
        filler = f'<tr><td style="{style}">&nbsp;</td></tr>\n' * self._chance.randint(20, 125)
        return f'<html><body><table width="100%" cellpadding="0" cellspacing="0">{rows}{filler}</table></body></html>'

    def _text(self, words: int) -> str:
        script = self._words[0] if self._chance.random() < 0.6 else self._chance.choice(self._words)
        chosen = self._chance.choices(script, k=words)
        chosen[0] = f"{self._chance.choice(self._rare)}{self._chance.randint(0, 400)}"
        return " ".join(chosen)


def _part(kind: str, text: str) -> str:
    return (
        f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{_base64(text.encode())}\r\n"
    )


def _base64(content: bytes) -> str:
    return base64.encodebytes(content).decode().replace("\n", "\r\n").rstrip()


def _multipart(kind: str, parts: list[str]) -> str:
    boundary = f"=_{kind}_bench"
    inner = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'

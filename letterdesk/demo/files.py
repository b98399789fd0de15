"""Small real files to attach: a one-page PDF, a PNG picture, a calendar invitation."""

import struct
import zlib
from datetime import datetime, timedelta


def pdf(title: str) -> bytes:
    """A one-page PDF that shows its title (ASCII; other letters become "?")."""
    shown = title.encode("ascii", "replace").decode().replace("(", "[").replace(")", "]")
    page = f"BT /F1 20 Tf 72 740 Td ({shown}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )


def png(width: int = 320, height: int = 180, colour: tuple[int, int, int] = (4, 104, 108)) -> bytes:
    """A PNG with a soft vertical shade of one colour."""
    rows = b"".join(b"\0" + bytes(min(255, part + 90 * y // height) for part in colour) * width for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def invitation(subject: str, organiser: str, start: datetime) -> bytes:
    """A calendar invitation of one hour (RFC 5545). `start` in UTC."""
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Letterdesk//Demo//EN", "METHOD:REQUEST", "BEGIN:VEVENT",
        f"UID:{start:%Y%m%d%H%M}@nordlicht.example", f"DTSTAMP:{start:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{subject}", f"ORGANIZER:mailto:{organiser}", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()

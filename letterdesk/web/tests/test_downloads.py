"""Files of letters are handed over to keep, whatever they call themselves (C07)."""

import pytest

from letterdesk.web.mail.downloads import as_file, safe_name
from letterdesk.web.tests.conftest import raw_letter

KINDS = [
    "text/html",
    "text/xml",
    "application/xml",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/plain",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/ecmascript",
    "application/x-javascript",
    "text/vbscript",
    "application/pdf",
    "text/calendar",
    "text/vcard",
    "application/json",
    "application/ld+json",
    "application/rss+xml",
    "application/atom+xml",
    "application/mathml+xml",
    "application/x-shockwave-flash",
    "application/java-archive",
    "application/x-java-applet",
    "application/msword",
    "application/rtf",
    "application/zip",
    "application/gzip",
    "application/x-msdownload",
    "application/x-sh",
    "application/x-httpd-php",
    "text/x-php",
    "application/octet-stream",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/x-tar",
    "application/wasm",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/bmp",
    "image/tiff",
    "image/x-icon",
    "image/avif",
    "audio/mpeg",
    "audio/ogg",
    "video/mp4",
    "video/webm",
    "message/rfc822",
    "message/delivery-status",
    "multipart/mixed",
    "text/markdown",
    "text/csv",
    "text/tab-separated-values",
    "text/cache-manifest",
    "application/manifest+json",
    "application/pkcs7-mime",
    "application/pgp-signature",
    "model/gltf+json",
    "font/woff2",
    "application/vnd.mozilla.xul+xml",
    "application/x-xpinstall",
    "text/x-component",
]


@pytest.mark.case("C07")
@pytest.mark.parametrize("kind", [*KINDS, "", "nonsense", "text/html\r\nX: y", "../x", "TEXT/HTML; charset=utf-7"])
def test_a_file_is_never_shown_as_a_page(kind):
    answer = as_file(b"<script>alert(1)</script>", name="a.html", content_type=kind)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
    assert "\n" not in answer.headers["Content-Type"]


def test_there_are_at_least_sixty_kinds():
    assert len(KINDS) >= 60


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\x.exe", "C_Windows_x.exe"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("", "file"),
        ("...", "file"),
        ("Rechnung für März.pdf", "Rechnung für März.pdf"),
        ("x" * 300 + ".pdf", "x" * 117 + ".pdf"),
    ],
)
def test_names_lose_what_could_fool(name, safe):
    assert safe_name(name) == safe


def test_an_attachment_comes_with_its_own_bytes(browser, deliver):
    letter = deliver(raw_letter(files=[("offer é.pdf", "application/pdf", b"%PDF-\x00\xff", "")]))[0]
    answer = browser.get(f"/attachments/{letter.attachments.get().public_id}")
    assert answer.content == b"%PDF-\x00\xff"
    assert "offer%20%C3%A9.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"

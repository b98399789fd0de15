"""Names of attached files that are safe to show, to save and to put in Content-Disposition (B07)."""

import mimetypes
import re

from letterdesk.mail.charsets import clean_line

MOST_IN_NAME = 150  # characters
_MOST_IN_SUFFIX = 20
_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x00-\x1f]+')
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\U000e0000-\U000e007f]")
_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
_SPACES_BEFORE_SUFFIX = re.compile(r"\s{2,}|\s+(?=\.)")
_CALLED = {
    "message/rfc822": "letter.eml",
    "message/global": "letter.eml",
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "disposition-notification.txt",
    "text/rfc822-headers": "headers.txt",
    "text/calendar": "invitation.ics",
    "application/ics": "invitation.ics",
    "application/ms-tnef": "winmail.dat",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "application/pkcs7-mime": "smime.p7m",
    "text/vcard": "contact.vcf",
    "text/x-vcard": "contact.vcf",
    "text/plain": "text.txt",
    "text/html": "page.html",
    "application/octet-stream": "attachment.bin",
    "image/jpeg": "image.jpg",
}


def safe_filename(name: str, content_type: str) -> str:
    """A file name without folders, control and invisible characters, at most `MOST_IN_NAME` long, its last suffix kept.

    Never empty: what has no name is called after its type.
    """
    name = clean_line(_INVISIBLE.sub("", name.replace("\\", "/")[-4096:] if len(name) > 4096 else name))
    name = name.replace("\\", "/").rsplit("/", 1)[-1] if _is_path(name) else name
    name = _SPACES_BEFORE_SUFFIX.sub(" ", _FORBIDDEN.sub("_", name)).replace(" .", ".").strip(" .")
    if not name:
        return default_name(content_type)
    if _DEVICES.match(name):
        name = "_" + name
    return _shortened(name)


def _is_path(name: str) -> bool:
    """Whether the slashes are folders (`../x`, `C:\\x`, `/etc/x`), not a part of the name (`Invoice 11/2026.pdf`)."""
    return name.startswith(("/", "\\", ".", "~")) or name[1:3] in {":\\", ":/"} or "\\" in name or "../" in name


def _shortened(name: str) -> str:
    if len(name) <= MOST_IN_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > _MOST_IN_SUFFIX:
        return name[:MOST_IN_NAME].rstrip(" .")
    return f"{stem[: MOST_IN_NAME - len(suffix) - 2].rstrip(' .')}….{suffix}"


def default_name(content_type: str) -> str:
    """What a part without a name is called."""
    return _CALLED.get(content_type) or "attachment" + (mimetypes.guess_extension(content_type, strict=False) or ".bin")

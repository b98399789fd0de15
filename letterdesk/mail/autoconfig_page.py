"""Reading a domain's autoconfig page (Thunderbird's clientConfig 1.1). The page is foreign: no DTD, no entities."""

from dataclasses import dataclass
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

_SECURITY = {"ssl": "tls", "starttls": "starttls"}
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-%_")


@dataclass(frozen=True, slots=True)
class PageServer:
    """A server as the page has it: host and user may contain %EMAILADDRESS%, %EMAILLOCALPART%, %EMAILDOMAIN%."""

    host: str
    port: int
    security: str
    user: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page tells."""

    imap: PageServer | None
    smtp: PageServer | None
    provider: str = ""


def read_page(page: bytes) -> Page | None:
    """The first encrypted IMAP and SMTP servers of the page; None when it is no such page."""
    root = _parse(page)
    if root is None or root.tag != "clientConfig":
        return None
    provider = " ".join((root.findtext("emailProvider/displayName") or "").split())[:100]
    return Page(_first(root, "incomingServer", "imap"), _first(root, "outgoingServer", "smtp"), provider)


def _parse(page: bytes) -> Element | None:
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(page, True)  # noqa: FBT003  # expat takes it by position
        return builder.close()
    except (expat.ExpatError, ValueError, AssertionError, LookupError):
        return None


def _refuse(*_: object) -> NoReturn:
    raise ValueError("a page with a DTD is not read")


def _first(root: Element, tag: str, kind: str) -> PageServer | None:
    for server in root.iterfind(f"emailProvider/{tag}[@type='{kind}']"):
        host = (server.findtext("hostname") or "").strip().lower()
        port = (server.findtext("port") or "").strip()
        security = _SECURITY.get((server.findtext("socketType") or "").strip().lower())
        is_fit = host and set(host.replace("%emaildomain%", "")) <= _HOST
        if security and is_fit and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536:
            host = host.replace("%emaildomain%", "%EMAILDOMAIN%")
            return PageServer(host, int(port[:6]), security, (server.findtext("username") or "").strip()[:320])
    return None

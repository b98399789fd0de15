"""HTML of letters made fit to be shown: an allow-list, by nh3, every time it is read (rules 7, 8; C01, C02, C10, C12).

What comes out is shown as it is: whoever wants to change it (fold quotes, rewrite images) does so before, or here.
`<style>` blocks are dropped: nh3 cannot look into them, their selectors reach whatever else is in the document, and
programs for mail have taught senders to repeat in `style` attributes what matters.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nh3

from letterdesk.mail.cost import is_cheap
from letterdesk.mail.styles import clean_style
from letterdesk.mail.text import html_to_text, text_to_html

ImageUrl = Callable[[str], str | None]
_MOST_PASSES = 4

_ALLOWED = tomllib.loads(Path(__file__).with_name("allowed.toml").read_text("utf-8"))
_ATTRIBUTES = {element: set(names) for element, names in _ALLOWED["attributes"].items()}
_IMAGES = {"src", "background", "srcset"}
_WITHOUT_BLANKS = re.compile(r"[\x00-\x20\x7f\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_LINK = re.compile(r"(?:https?://[^/\\?#]|mailto:|tel:)", re.IGNORECASE)
_REMOTE = re.compile(r"https?://[^/\\?#]", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """HTML that may be shown, and how many remote images it lacks. `simplified`: too complex, so this is its text."""

    html: str
    blocked_images: int
    simplified: bool = False


def clean_html(html: str, *, image_url: ImageUrl | None = None) -> Cleaned:
    """`html` by the allow-list; cleaning the result again changes nothing (C02).

    `image_url` gets the address of each image (`https://…`, or `cid:…`) and says what stands in its place, None for
    nothing. Without it, all images that are not in the HTML itself are left out.
    """
    if not is_cheap(html):
        return Cleaned(text_to_html(html_to_text(html)), 0, simplified=True)
    attributes = _Attributes(image_url)
    cleaner = _cleaner(attributes)
    cleaned = cleaner.clean(html)
    for _ in range(_MOST_PASSES):
        again = cleaner.clean(cleaned)
        if again == cleaned:
            attributes.raise_first()
            return Cleaned(cleaned, len(attributes.blocked))
        cleaned = again
    return Cleaned(text_to_html(html_to_text(html)), len(attributes.blocked), simplified=True)


def _cleaner(attributes: "_Attributes") -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(_ALLOWED["tags"]),
        clean_content_tags=set(_ALLOWED["content_too"]),
        attributes=_ATTRIBUTES,
        attribute_filter=attributes.keep,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative="pass_through",
    )


@dataclass(slots=True)
class _Attributes:
    """Decides about single attributes, and remembers which images were left out."""

    image_url: ImageUrl | None
    blocked: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    errors: list[Exception] = field(default_factory=list)

    def keep(self, element: str, name: str, value: str) -> str | None:
        """The value to write, or None to leave the attribute out. Raises nothing: nh3 would only print it."""
        if name == "style":
            return clean_style(value, self.image) or None
        if name == "href":
            return clean_link(value)
        if name == "srcset":
            self.image(value.strip().partition(" ")[0].rstrip(","))  # counted; one size is enough: the one in `src`
            return None
        if name in _IMAGES:
            return self.image(value)
        return value

    def image(self, source: str) -> str | None:
        """What stands in for the image at `source`."""
        if source in self.given:
            return source
        source = _WITHOUT_BLANKS.sub("", source)
        if _DATA_IMAGE.fullmatch(source):
            return source
        source = "https:" + source if source.startswith("//") else source
        is_remote = _REMOTE.match(source) is not None
        if not is_remote and source[:4].lower() != "cid:":
            return None
        found = self._ask(source)
        if found:
            self.given.add(found)
        elif is_remote:
            self.blocked.add(source)
        return found

    def _ask(self, source: str) -> str | None:
        if self.image_url is None:
            return None
        try:
            return self.image_url(source)
        except Exception as error:  # told after nh3 is done
            self.errors.append(error)
            return None

    def raise_first(self) -> None:
        if self.errors:
            raise self.errors[0]


def clean_link(value: str) -> str | None:
    """A link target with http, https, mailto or tel, without the blanks in it that browsers overlook; else None."""
    value = _WITHOUT_BLANKS.sub("", value)
    value = "https:" + value if value.startswith("//") else value
    return value if _LINK.match(value) else None

"""What templates say often: icons, times in the reader's zone, sizes, initials."""

import json
import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from letterdesk.crm.models import Direction
from letterdesk.mail.subjects import normal_subject
from letterdesk.mail.survey import Amount
from letterdesk.outbound.trouble import count_for
from letterdesk.web.mail import words as mail_words
from letterdesk.web.sheet import sheet

register = template.Library()
UNITS = ("", "kB", "MB", "GB")


@register.simple_tag
@lru_cache(maxsize=512)  # pages have hundreds, of a few dozen kinds
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it, or an aria-label, says it."""
    use = f"{static('web/icons.svg')}#{name}"
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"/></svg>', size and f"icon-{size}", use)


@register.simple_tag
def way(direction: str, size: str = "") -> SafeString:
    """Whether a letter came in or went out: an arrow, whose title and text say it."""
    return _arrow(Direction(direction), size, get_language())


@lru_cache(maxsize=64)
def _arrow(direction: Direction, size: str, _language: str | None) -> SafeString:
    arrow = icon("arrow-down-left" if direction == Direction.INCOMING else "arrow-up-right", size)
    text = '<span class="crm-way" title="{0}">{1}<span class="sr">{0}</span></span>'
    return format_html(text, direction.label, arrow)


@register.inclusion_tag("web/outbox/count.html", takes_context=True)
def outbox_chip(context: template.Context) -> dict[str, int]:
    """How many letters wait for a word of the reader; asked where it is shown alone."""
    return {"count": count_for(context["request"].user)}


@register.simple_tag
def stylesheet() -> str:
    """The address of the style sheet of all pages."""
    return sheet().address


@register.filter
def short_time(moment: datetime | None) -> str:
    """The time as a list shows it, in the active zone: 10:38, 3 Nov, 3 Nov 2025."""
    if moment is None:
        return ""
    return _short(timezone.localtime(moment), timezone.localdate())


@register.filter
def short_moment(moment: datetime | None) -> str:
    """A moment to come, in the active zone: 18:00, or Mon 1 Dec, 08:00."""
    if moment is None:
        return ""
    local, today = timezone.localtime(moment), timezone.localtime()
    return date_format(local, "H:i" if local.date() == today.date() else _("D j M, H:i"))


@register.filter
def short_date(moment: datetime | None) -> str:
    """The day in the active zone: 25 Aug, 25 Aug 2025."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return date_format(local, _("j M") if local.year == timezone.localtime().year else _("j M Y"))


@register.filter
def long_time(moment: datetime | None) -> str:
    """The whole time in the active zone: Tue 3 Nov 2026, 10:38."""
    return _long(timezone.localtime(moment)) if moment else ""


@register.simple_tag
def when(moment: datetime, css: str = "") -> SafeString:
    """When something was: as a list shows it, the whole time as its title, both in the active zone."""
    minute = timezone.localtime(moment).isoformat(timespec="minutes")
    return _time(minute, timezone.localdate(), css, get_language())


@lru_cache(maxsize=4096)  # a list has fifty, and is looked at again and again
def _time(minute: str, today: date, css: str, _language: str | None) -> SafeString:
    local = datetime.fromisoformat(minute)  # with its offset from UTC: moments of two zones are told apart
    css = css and format_html(' class="{}"', css)
    return format_html('<time{} datetime="{}" title="{}">{}</time>', css, minute, _long(local), _short(local, today))


def _short(local: datetime, today: date) -> str:
    if local.date() == today:
        return _formatted(local, "H:i")
    return _formatted(local, _("j M") if local.year == today.year else _("j M Y"))


def _long(local: datetime) -> str:
    return _formatted(local, _("D j M Y, H:i"))


def _formatted(local: datetime, form: str) -> str:
    return _to_the_minute(local.replace(second=0, microsecond=0, tzinfo=None), form, get_language())


@lru_cache(maxsize=4096)  # a list has a hundred, and is looked at again and again
def _to_the_minute(local: datetime, form: str, _language: str | None) -> str:
    return date_format(local, form)


@register.filter
def dialled(number: str) -> str:
    """A telephone number as `tel:` takes it (RFC 3966 3): digits, and a plus in front; an extension is left out."""
    said = re.split(r"[^\W\d_]", number.replace("(0)", ""), maxsplit=1)[0]
    digits = "".join(sign for sign in said if sign.isdecimal())
    return f"+{digits}" if said.strip().startswith("+") else digits


@register.filter
def file_size(count: int | None) -> str:
    """Bytes for people, in decimal units: 212 kB."""
    size = float(count or 0)
    if size < 1000:
        return _("%(count)d bytes") % {"count": size}
    power = 1 if size < 1e6 else 2 if size < 1e9 else 3
    number = size / 1000**power
    return f"{number:.0f} {UNITS[power]}" if number >= 10 else f"{number:.1f} {UNITS[power]}"


@register.filter
def amount(told: Amount) -> str:
    """Letters and their size: 4,120 letters, 610 MB."""
    letters = ngettext("%(count)s letter", "%(count)s letters", told.letters) % {"count": intcomma(told.letters)}
    return f"{letters}, {file_size(told.size)}"


@register.filter
def translated(text: str) -> str:
    """What the mail protocols or the sync say, in the reader's language (mail/words.py)."""
    return mail_words.translated(text)


@register.filter
def any_error(steps: list[dict[str, object]]) -> bool:
    """Whether one of these steps failed."""
    return any(step["error"] for step in steps)


@register.filter
def as_json(value: object) -> str:
    """For a data attribute that a script reads."""
    return json.dumps(value)


@register.filter
def initials(name: str) -> str:
    """One or two letters for an avatar."""
    words = [word for word in str(name).replace("@", " ").split() if word[0].isalnum()]
    chosen = words[:1] + words[-1:] if len(words) > 1 else words[:1]
    return "".join(word[0] for word in chosen) or "?"


@register.filter
def direction(subject: str) -> str:
    """The direction of a subject by its first strong character, reply prefixes and list tags aside: ltr, rtl, auto."""
    for character in normal_subject(str(subject)):
        found = unicodedata.bidirectional(character)
        if found in {"L", "R", "AL"}:
            return "ltr" if found == "L" else "rtl"
    return "auto"

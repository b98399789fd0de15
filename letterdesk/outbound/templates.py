"""Templates: texts whose placeholders (`placeholders.py`) are filled in for the letter in which they are put.

One is plain or formatted, cleaned by the same rules as letters; pictures stand in none. Its files go along.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Required, TypedDict, Unpack

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Left
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mail.text import text_to_html
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.search.text import fold, prepare, shown

from . import drafts, files
from .drafts import BadDraft
from .models import Draft, Template, TemplateFile
from .placeholders import check_filled, check_known, check_whole, check_words, fill, fill_html, whole
from .words import clean, text_of

LONGEST = 50_000  # characters
MOST = 500  # of one person
OPENING = 100  # characters of a text, where it is found by its name
_PICTURE = re.compile(r'<img(?:\s+[\w-]+(?:="[^"]*")?)*\s*/?>')  # as nh3 writes it


class Said(TypedDict, total=False):
    """What `keep` takes."""

    name: Required[str]
    subject: Required[str]
    text: Required[str]
    share: Required[str]
    html: str
    template: Template | None


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with what is known here, as a letter takes it."""

    subject: str
    html: str
    text: str


def filled(template: Template, values: Mapping[str, str]) -> Filled:
    """Raises UnknownPlaceholder, and MissingValue for a field of a record that has none."""
    check_filled(f"{template.subject}\n{template.text}", values)
    text = fill(template.text, values)
    html = fill_html(template.html, values) if template.html else f"<div>{text_to_html(text)}</div>"
    return Filled(" ".join(fill(template.subject, values).split()), html, text)


def put_into(draft: Draft, template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """What `drafts.save` takes so that the filled text stands above what is written. Of its subject only into none.

    Raises as `filled`; nothing is written then.
    """
    found = filled(template, values)
    put = {"subject": found.subject} if not draft.subject.strip() and found.subject else {}
    if draft.body_html or not draft.body_text.strip():
        return put | {"body_html": f"{found.html}{draft.body_html}", "body_text": ""}
    return put | {"body_html": "", "body_text": f"{found.text}\n{draft.body_text}"}


@transaction.atomic
def insert(draft: Draft, template: Template, values: Mapping[str, str], *, by: Employee, now: datetime) -> Draft:
    """Put it above what is written, with its files. Returns the new version. Raises as `filled` and `drafts.save`."""
    put: Any = put_into(draft, template, values)
    files.take_over(draft, template, now=now)
    return drafts.save(draft, by=by, seen=draft.version, now=now, **put)


def key_of(name: str) -> str:
    """A name as it is looked for: folded as the words of letters are, so that both databases find the same."""
    return fold(shown(prepare(name)))


def named(employee: Employee, typed: str, *, most: int) -> QuerySet[Template]:
    """Templates that this employee may use with this in their names, those that begin so first.

    Of each only its names, its `opening` and whether it `has_files`: texts are long.
    """
    wanted = key_of(typed)
    found = Template.objects.visible_to(employee).filter(key__contains=wanted).only("public_id", "name")
    has_files = Exists(TemplateFile.objects.filter(template=OuterRef("pk")))
    found = found.annotate(begins=Q(key__startswith=wanted), opening=Left("text", OPENING), has_files=has_files)
    first: QuerySet[Template] = found.order_by("-begins", "key", "pk")[:most]
    return first


def keep_with_files(by: Employee, given: Sequence[files.Given], *, now: datetime, **said: Unpack[Said]) -> Template:
    """As `keep`, and add files to it: all or nothing. Outside any transaction. Raises as `keep` and `files.attach`."""
    files.write_bytes(by.account_id, given, now=now)
    with transaction.atomic():
        row = keep(by, **said)
        files.give_template(row, given, now=now)
        return row


@transaction.atomic
def keep(
    by: Employee, *, name: str, subject: str, text: str, share: str, html: str = "", template: Template | None = None
) -> Template:
    """Make or change a template of one's own. `share`: "", "department" or "all". Raises BadDraft and its kin.

    With `html` it is formatted, and `text` is made of it.
    """
    html = whole(_PICTURE.sub("", clean(html))) if html else ""
    name, text = " ".join(name.replace("\0", "").split())[:80], _plain(html, text)
    if not name or not text:
        raise BadDraft(_("A template needs a name and a text."))
    if max(len(text), len(html)) > LONGEST:
        raise BadDraft(_("This text is too long."))
    check_known(f"{subject}\n{text}")
    check_words(f"{subject}\n{text}")
    if html:
        check_whole(html, text)
    if template is None and Template.objects.filter(owner=by).count() >= MOST:
        raise BadDraft(_("You have %(most)d templates, which is the most.") % {"most": MOST})
    row = template or Template(account_id=by.account_id, owner=by)
    row.name, row.key, row.text, row.html = name, key_of(name), text, html
    row.subject = " ".join(subject.replace("\0", "").split())[:300]
    row.is_everyones = share == "all"
    row.department_id = by.department_id if share == "department" else None
    row.save()
    return row


def _plain(html: str, text: str) -> str:
    return text_of(html).strip() if html else text.replace("\0", "").replace("\r\n", "\n").strip()


@transaction.atomic
def remove(template: Template, *, now: datetime) -> None:
    """Remove it, and let go of its files. Letters that were written with it stay as they are."""
    row = Template.objects.select_for_update().get(pk=template.pk)
    collect.let_go_of_all(row.account_id, row.holder, now=now)
    row.delete()

"""What the operators that are not text mean, as conditions on letters."""

import json
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from letterdesk.accounts.models import Department, Employee

from ..models import Folder, FolderRole, Labelled, Mark, Placement
from .query import STATUSES, And, Condition, Node, Not, Or

ASIDE = (FolderRole.SPAM, FolderRole.TRASH)  # looked into only where the query says so: in:spam, in:anywhere
ANYWHERE = ("anywhere", "all")
IN_CRM = "crm"  # no folder: letters that stand in CRM
_FLAGS = {"unread": Q(is_seen=False), "starred": Q(is_flagged=True), "answered": Q(is_answered=True)}


def condition(asked: Condition) -> Q:
    """The condition on Message rows that an operator stands for."""
    value: Any = asked.value
    match asked.name:
        case "has" | "is" | "status" | "snoozed":
            return _state(value)
        case "assigned":
            return _assigned(value)
        case "in":
            return _in(value)
        case "label":
            return Q(Exists(_labelled(value))) | Q(Exists(_has_keyword(value)))
        case "mailbox":
            return Q(mailbox__address__icontains=value) | Q(mailbox__name__icontains=value)
    return _measured(asked.name, value)


def in_webmail(*, also_aside: bool) -> Q:
    """Letters that lie in some folder; without `also_aside`, in one that is neither spam nor trash."""
    return _placed(Q() if also_aside else ~Q(folder__in=Folder.objects.filter(role__in=ASIDE)))


def names_folder(node: Node) -> bool:
    """Whether a query says where to look, so that spam and trash are looked into, too."""
    match node:
        case Condition(name, value):
            return name == "in" and str(value).lower() != IN_CRM
        case Not(part):
            return names_folder(part)
        case And(parts) | Or(parts):
            return any(map(names_folder, parts))
    return False


def _measured(name: str, value: datetime | int) -> Q:
    """`after:` a day includes the day, `before:` a day does not."""
    column = {
        "larger": "size__gt",
        "smaller": "size__lt",
        "after": "received_at__gte",
        "newer_than": "received_at__gte",
        "before": "received_at__lt",
        "older_than": "received_at__lt",
    }[name]
    return Q(**{column: value})


def _in(name: str) -> Q:
    if name.lower() in ANYWHERE:
        return Q()
    lies_there = _placed(named_folder(name))
    return Q(in_crm=True) | lies_there if name.lower() == IN_CRM else lies_there


def _places() -> QuerySet[Placement]:
    shown: QuerySet[Placement] = Placement.objects.filter(message=OuterRef("pk")).shown()
    return shown


def _placed(where: Q) -> Q:
    return Q(Exists(_places().filter(where)))


def named_folder(name: str, way: str = "folder__") -> Q:
    """A role ("inbox"), a folder's whole name, or its last step ("Offers" of "Clients/Offers").

    `way` is how a row finds its folder.
    """
    last_step = Q(**{f"{way}name__iendswith": f"/{name}"}) | Q(**{f"{way}name__iendswith": f".{name}"})
    named = Q(**{f"{way}name__iexact": name}) | last_step
    role = {"junk": "spam", "bin": "trash", "archived": "archive"}.get(name.lower(), name.lower())
    return named | Q(**{f"{way}role": role}) if role and role in FolderRole.values else named


def _state(value: str | datetime) -> Q:
    """A moment stands for: asleep at that moment."""
    if isinstance(value, datetime):
        return Q(Exists(_marks().asleep(value)))
    if value == "attachment":
        return Q(has_attachments=True)
    if value in STATUSES:
        return Q(conversation__status=value)
    if value == "pinned":
        return Q(Exists(_marks().filter(pinned_at__isnull=False)))
    return ~_placed(_FLAGS["unread"]) if value == "read" else _placed(_FLAGS[value])


def _assigned(to: int | str) -> Q:
    """To the employee with that key, to nobody ("none"), or to a person or department with that in the name."""
    if isinstance(to, int):
        return Q(conversation__assignee=to)
    if to.lower() == "none":
        return Q(conversation__status="open", conversation__assignee=None, conversation__department=None)
    name = to.removeprefix("@")
    people, departments = Employee.objects.filter(name__icontains=name), Department.objects.filter(name__icontains=name)
    by_person = Q(conversation__assignee__in=people.values("pk"))
    return by_person | Q(conversation__department__in=departments.values("pk"))


def _marks() -> Any:
    return Mark.objects.filter(conversation=OuterRef("conversation"))


def _labelled(label: str) -> QuerySet[Labelled]:
    """Labels of ours by their name."""
    labelled: QuerySet[Labelled] = Labelled.objects.filter(conversation=OuterRef("conversation"))
    return labelled.filter(label__key=" ".join(label.split()).casefold())


def _has_keyword(label: str) -> QuerySet[Any]:
    """Places with a keyword, found in the text of the JSON list: with its quotes, so that no part of one matches."""
    texts = {json.dumps(label), json.dumps(label, ensure_ascii=False)}
    any_of = Q()
    for text in texts:
        any_of |= Q(text__icontains=text)
    return _places().annotate(text=Cast("keywords", TextField())).filter(any_of)

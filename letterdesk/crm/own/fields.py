"""Administrators say which own fields contacts, companies, leads and deals have, and what can be chosen in them.

A field or an option is retired, and what was said stays; or it is deleted, and all that was said goes with it: how many
records that are is told before, and what came since is not deleted unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.retention.receipts import lock

from ..models import Kind, OwnField, OwnOption, OwnType, OwnValue
from ..records.export import HEAD
from ..records.fields import STAGED
from .read import option_key

LONGEST_NAME = 60
LONGEST_OPTION = 100
MOST_FIELDS = 50  # of one kind of record, retired ones too
MOST_OPTIONS = 200  # of one field, retired ones too
MOST_LISTED = 5  # of one kind of record in its list
MOST_ON_CARD = 3  # on a card of the board


class BadField(ValueError):
    """This cannot be an own field; the text says why, in words for people."""


class OptionsChanged(BadField):
    """Another administrator changed the options after the one who changes them now had opened them."""

    def __init__(self) -> None:
        super().__init__(
            _("Somebody changed these options while you were writing. Yours stand below; save again to replace theirs.")
        )


@dataclass(frozen=True, slots=True)
class FieldSaid:
    """A field as it is wanted, but for its options."""

    name: str
    is_required: bool = False
    is_listed: bool = False
    is_on_card: bool = False  # of leads and deals, which have a board
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class OptionSaid:
    """An option as it is wanted; `option` None: a new one."""

    name: str
    is_retired: bool = False
    option: OwnOption | None = None


@transaction.atomic
def make_field(kind: str, said: FieldSaid, *, type: str, by: Employee, options: Sequence[str] = ()) -> OwnField:
    """Another field of this kind of record, behind the others. Raises NotAllowed, BadField."""
    must_administrate(by, by.account_id)
    lock(by.account_id)
    there = OwnField.objects.filter(account=by.account_id, kind=Kind(kind))
    if there.count() >= MOST_FIELDS:
        raise BadField(_("There are %(most)d own fields at most. Delete one first.") % {"most": MOST_FIELDS})
    last = there.aggregate(last=Max("position"))["last"]
    made = OwnField(account=by.account, kind=Kind(kind), type=OwnType(type), position=0 if last is None else last + 1)
    _write(made, said)
    made.save(force_insert=True)
    if options and not made.has_options:
        raise BadField(_("Only fields in which one chooses have options."))
    _write_options(made, [OptionSaid(name) for name in options])
    _must_offer(made)
    _tell("own_field.created", made, by, type=made.type)
    return made


@transaction.atomic
def change_field(field: OwnField, said: FieldSaid, *, by: Employee) -> list[str]:
    """Its name, whether it has to be filled in, is shown in the list or on cards, is retired; returns what changed.

    Raises NotAllowed, BadField.
    """
    must_administrate(by, field.account_id)
    _hold(field)
    before = {name: getattr(field, name) for name in FieldSaid.__dataclass_fields__}
    _write(field, said)
    _must_offer(field)
    changed = [name for name, value in before.items() if getattr(field, name) != value]
    if changed:
        field.save(update_fields=[*changed, "key"])
        _tell("own_field.changed", field, by, changed=changed)
    return changed


@transaction.atomic
def move_up(field: OwnField, *, by: Employee) -> None:
    """One place further to the front of its kind's. Raises NotAllowed, BadField."""
    must_administrate(by, field.account_id)
    _hold(field)
    same = OwnField.objects.filter(account=field.account_id, kind=field.kind).order_by("position", "pk")
    order = list(same.values_list("pk", flat=True))
    place = order.index(field.pk)
    order.insert(max(place - 1, 0), order.pop(place))
    for position, pk in enumerate(order):
        OwnField.objects.filter(pk=pk).update(position=position)
    _tell("own_field.changed", field, by, changed=["position"])


@transaction.atomic
def write_options(field: OwnField, wanted: Sequence[OptionSaid], *, by: Employee, seen: str = "") -> None:
    """Names, order and retirement of its options; those that are not named come behind them.

    `seen`: the `version_of_options` that the person saw; empty: whatever they were. Raises BadField, and OptionsChanged
    where somebody else wrote since.
    """
    must_administrate(by, field.account_id)
    _hold(field)
    if seen and seen != version_of_options(field):
        raise OptionsChanged
    if not field.has_options:
        raise BadField(_("Only fields in which one chooses have options."))
    named = {said.option.pk for said in wanted if said.option is not None}
    if OwnOption.objects.filter(pk__in=named).exclude(field=field).exists():  # F10
        raise ValueError(f"an option is not of own field {field.pk}")
    rest = OwnOption.objects.filter(field=field).exclude(pk__in=named).order_by("position", "pk")
    renamed = _write_options(field, [*wanted, *(OptionSaid(each.name, each.is_retired, each) for each in rest)])
    _must_offer(field)
    _tell("own_field.changed", field, by, changed=["options"], renamed=renamed)


def version_of_options(field: OwnField) -> str:
    """What `write_options` would replace, as a short word: another one after every change."""
    rows = OwnOption.objects.filter(field=field.pk).order_by("position", "pk")
    return sha256(repr(list(rows.values_list("pk", "name", "is_retired"))).encode()).hexdigest()[:16]


def records_with(field: OwnField, option: OwnOption | None = None) -> int:
    """At how many records a field, or one of its options, is filled in, in the bin too: what deleting takes along."""
    rows = OwnValue.objects.filter(field=field.pk)
    return (rows.filter(option=option.pk) if option else rows).values("record").distinct().count()


@transaction.atomic
def delete_option(option: OwnOption, *, by: Employee, seen: int) -> int:
    """Delete an option, and take it from the records that have it; returns how many. Raises NotAllowed, BadField.

    `seen`: how many the person was told.
    """
    must_administrate(by, option.account_id)
    _hold(option.field)
    count = records_with(option.field, option)
    _must_be_seen(count, seen)
    _tell("own_field.changed", option.field, by, changed=["options"], records=count)
    OwnOption.objects.filter(pk=option.pk).delete()
    _must_offer(option.field)
    return count


@transaction.atomic
def delete_field(field: OwnField, *, by: Employee, seen: int) -> int:
    """Delete a field with all that it says; returns at how many records. Raises NotAllowed, BadField.

    `seen`: how many the person was told.
    """
    must_administrate(by, field.account_id)
    _hold(field)
    count = records_with(field)
    _must_be_seen(count, seen)
    _tell("own_field.deleted", field, by, name=field.name, records=count)
    reach("own_field_delete.before_commit")
    OwnField.objects.filter(pk=field.pk).delete()
    return count


def _hold(field: OwnField) -> None:
    """Wait for whoever writes into it, and let nobody begin to (`own_values.write_own`). Raises BadField."""
    lock(field.account_id)
    if OwnField.objects.select_for_update().filter(pk=field.pk).first() is None:
        raise BadField(_("This own field was deleted meanwhile."))
    field.refresh_from_db()


def _must_be_seen(count: int, seen: int) -> None:
    if count > seen:
        raise BadField(_("Meanwhile it is filled in at %(count)d records. Look at it again.") % {"count": count})


def _must_offer(field: OwnField) -> None:
    """Nobody could save a record whose form asks for a choice among nothing."""
    if not (field.has_options and field.is_required) or field.is_retired:
        return
    if not OwnOption.objects.filter(field=field.pk, is_retired=False).exists():
        raise BadField(_("A field that has to be filled in needs an option that can be chosen."))


def _write(field: OwnField, said: FieldSaid) -> None:
    before, field.name = field.name, _clean(said.name, LONGEST_NAME)
    if field.name in HEAD and field.name != before:
        raise BadField(_("A column of every file is called “%(name)s”: choose another name.") % {"name": field.name})
    field.key = option_key(field.name)
    same = OwnField.objects.filter(account=field.account_id, kind=field.kind)
    if same.filter(key=field.key).exclude(pk=field.pk).exists():
        raise BadField(_("There is an own field “%(name)s” already.") % {"name": field.name})
    others = same.filter(is_retired=False).exclude(pk=field.pk)
    if said.is_listed and not said.is_retired and others.filter(is_listed=True).count() >= MOST_LISTED:
        raise BadField(_("The list shows %(most)d own fields at most.") % {"most": MOST_LISTED})
    if said.is_on_card and not said.is_retired and others.filter(is_on_card=True).count() >= MOST_ON_CARD:
        raise BadField(_("A card shows %(most)d own fields at most.") % {"most": MOST_ON_CARD})
    field.is_required, field.is_listed, field.is_retired = said.is_required, said.is_listed, said.is_retired
    field.is_on_card = said.is_on_card and field.kind in STAGED


def _write_options(field: OwnField, wanted: Sequence[OptionSaid]) -> int:
    """Write them; returns how many got another name."""
    if len(wanted) > MOST_OPTIONS:
        raise BadField(_("A field has %(most)d options at most.") % {"most": MOST_OPTIONS})
    names = [_clean(said.name, LONGEST_OPTION) for said in wanted]
    if any(";" in name for name in names):
        raise BadField(_("An option has no semicolon in its name: files have them between options."))
    keys = [option_key(name) for name in names]
    if len(set(keys)) < len(keys):
        raise BadField(_("Two options have the same name."))
    before = dict(OwnOption.objects.filter(field=field).values_list("pk", "name"))
    for said in wanted:
        if said.option is not None:  # two may take each other's name
            OwnOption.objects.filter(pk=said.option.pk).update(key=f";{said.option.public_id}")
    for position, (said, name) in enumerate(zip(wanted, names, strict=True)):
        values: dict[str, Any] = {
            "name": name, "key": option_key(name), "position": position, "is_retired": said.is_retired,
        }  # fmt: skip
        if said.option is None:
            OwnOption.objects.create(account_id=field.account_id, field=field, **values)
        else:
            OwnOption.objects.filter(pk=said.option.pk).update(**values)
    return sum(
        said.option is not None and before[said.option.pk] != name for said, name in zip(wanted, names, strict=True)
    )


def _clean(name: str, most: int) -> str:
    clean = " ".join(name.replace("\0", " ").split())
    if not clean or len(clean) > most:
        raise BadField(_("A name has 1 to %(most)d characters.") % {"most": most})
    return clean


def _tell(kind: str, field: OwnField, by: Employee, **facts: Any) -> None:
    tell(kind, account=by.account, by=by, subject=f"own_field:{field.public_id}", of=field.kind, **facts)

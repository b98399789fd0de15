"""Which parts of a query can be asked of records, and of letters in CRM. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from letterdesk.mailboxes.search.filters import IN_CRM
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text

from ..models import Kind

OF_LETTERS = frozenset({"larger", "smaller", "after", "before", "newer_than", "older_than"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is left of a query; None: nothing can fit. `is_less`: alternatives went that ask for what is not there."""

    tree: Node | None
    is_less: bool


def asked_of_records(tree: Node | None) -> Asked:
    """A query without the alternatives that ask for what records do not have."""
    return _asked(tree, _records_have)


def asked_of_letters(tree: Node | None) -> Asked:
    """The same for letters in CRM."""
    return _asked(tree, _letters_have)


def _asked(tree: Node | None, has: Callable[[Node], bool]) -> Asked:
    left = _left_of(tree, has) if tree is not None else None
    return Asked(left, left != tree)


def _left_of(node: Node, has: Callable[[Node], bool]) -> Node | None:
    match node:
        case Not(part):
            left = _left_of(part, has)
            return Not(part) if left == part else None  # without a part it would find more than was asked for
        case And(parts):
            all_of = [left for part in parts if (left := _left_of(part, has)) is not None]
            return And(tuple(all_of)) if len(all_of) == len(parts) else None
        case Or(parts):
            any_of = [left for part in parts if (left := _left_of(part, has)) is not None]
            return Or(tuple(any_of)) if len(any_of) > 1 else next(iter(any_of), None)
    return node if has(node) else None


def _records_have(node: Node) -> bool:
    match node:
        case Text(_, field):
            return field in {"", "sender"}
        case Condition("label"):
            return True
    return _both_have(node)


def _letters_have(node: Node) -> bool:
    match node:
        case Text() | Condition("has", "attachment"):
            return True
        case Condition(name) if name in OF_LETTERS:
            return True
    return _both_have(node)


def _both_have(node: Node) -> bool:
    match node:
        case Condition("in", place):
            return str(place).lower() == IN_CRM
        case Condition(kind, Text()):
            return kind in Kind.values
    return False

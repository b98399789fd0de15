"""Who works in the demo company, and which mailboxes they have."""

from dataclasses import dataclass

NAME = "Nordlicht Office Furniture"
DOMAIN = "nordlicht.example"
ZONE = "Europe/Berlin"
PASSWORD = "letterdesk-demo"  # noqa: S105  printed at the start of the demo; its server listens on loopback alone


@dataclass(frozen=True, slots=True)
class Person:
    """An employee of the demo company."""

    key: str
    name: str
    role: str
    department: str

    @property
    def address(self) -> str:
        return f"{self.key}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class SharedMailbox:
    """A mailbox that a department answers together."""

    key: str
    name: str
    owner: str
    department: str | None  # None: everyone

    @property
    def address(self) -> str:
        return f"{self.key}@{DOMAIN}"


PEOPLE = (
    Person("ines", "Ines Marek", "administrator", "Sales"),
    Person("lea", "Lea Santos", "employee", "Sales"),
    Person("jonas", "Jonas Weber", "supervisor", "Service"),
)
SHARED = (
    SharedMailbox("sales", "Sales", "ines", "Sales"),
    SharedMailbox("support", "Support", "jonas", None),
)
ADDRESSES = tuple(person.address for person in PEOPLE) + tuple(box.address for box in SHARED)

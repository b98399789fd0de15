"""What the grid is asked: filter, order, columns. It stands in the address; columns are remembered on this device."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _

from letterdesk.web.request import Request

COLUMNS = ("owner", "type", "health", "synced", "kept", "size", "oldest", "leaves", "access")
FIGURES = ("kept", "size", "oldest", "leaves")  # counted, where one sorts by them, for all
TYPES = ("personal", "shared")
COOKIE = "mailbox_columns"
A_YEAR = 31_536_000


@dataclass(frozen=True)
class Column:
    """A column: its name, and the address that sorts by it. `order`: ascending, descending or none."""

    key: str
    label: str
    address: str
    order: str
    is_number: bool


@dataclass(frozen=True)
class GridQuery:
    """A question to the grid."""

    words: str = ""
    health: str = ""
    kind: str = ""
    owner: str = ""
    sort: str = "address"
    is_descending: bool = False
    columns: tuple[str, ...] = COLUMNS
    chosen_columns: bool = False
    page_number: int = 1

    @classmethod
    def of(cls, request: Request) -> "GridQuery":
        """Read it from the address; what makes no sense is left out."""
        asked = request.GET
        sort = asked.get("sort", "").removeprefix("-")
        chosen = "columns" in asked
        named = asked.getlist("column") if chosen else request.COOKIES.get(COOKIE, " ".join(COLUMNS)).split()
        number = asked.get("page", "")
        return cls(
            words=asked.get("q", "").strip()[:200],
            health=asked.get("health", ""),
            kind=asked.get("type", "") if asked.get("type") in TYPES else "",
            owner=asked.get("owner", ""),
            sort=sort if sort in {"address", *COLUMNS} else "address",
            is_descending=asked.get("sort", "").startswith("-"),
            columns=tuple(column for column in COLUMNS if column in named),
            chosen_columns=chosen,
            page_number=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
        )

    def takes(self, line: Any) -> bool:
        """Whether a line fits the filters."""
        mailbox = line.mailbox
        text = f"{mailbox.address} {mailbox.name} {mailbox.owner.name}".casefold()
        return (
            all(word in text for word in self.words.casefold().split())
            and self.health in {"", line.health.key}
            and self.kind in {"", "shared" if line.is_shared else "personal"}
            and self.owner in {"", mailbox.owner.public_id}
        )

    def page(self, count: int, size: int) -> tuple[int, int]:
        """The page to show, and how many there are."""
        pages = max(1, -(-count // size))
        return min(max(self.page_number, 1), pages), pages

    def shown_columns(self) -> list[Column]:
        """The address, then the chosen columns."""
        labels = column_labels()
        return [self._column("address", _("Address")), *(self._column(key, labels[key]) for key in self.columns)]

    @property
    def all_columns(self) -> list[tuple[str, str, bool]]:
        """Every column that can be chosen: key, label, whether it is shown."""
        return [(key, label, key in self.columns) for key, label in column_labels().items()]

    @property
    def filters(self) -> str:
        """The filters as the end of an address, without order and page."""
        named = {"q": self.words, "health": self.health, "type": self.kind, "owner": self.owner}
        return urlencode({key: value for key, value in named.items() if value})

    @property
    def everything(self) -> str:
        """Filters and order as the end of an address."""
        return f"{self.filters}&sort={'-' if self.is_descending else ''}{self.sort}".lstrip("&")

    def _column(self, key: str, label: str) -> Column:
        is_ours = key == self.sort
        turned = is_ours and not self.is_descending
        order = ("descending" if self.is_descending else "ascending") if is_ours else "none"
        address = f"?{self.filters}&sort={'-' if turned else ''}{key}".replace("?&", "?")
        return Column(key, label, address, order, is_number=key in {"kept", "size"})


def column_labels() -> dict[str, str]:
    """What the columns are called."""
    return {
        "owner": _("Owner"),
        "type": _("Type"),
        "health": _("Health"),
        "synced": _("Last sync"),
        "kept": _("Kept"),
        "size": _("Size"),
        "oldest": _("Oldest"),
        "leaves": _("Next deletion"),
        "access": _("Access"),
    }


def remember(query: GridQuery, answer: HttpResponse) -> HttpResponse:
    """Keep the chosen columns on this device."""
    if query.chosen_columns:
        answer.set_cookie(COOKIE, " ".join(query.columns), max_age=A_YEAR, samesite="Lax", httponly=True)
    return answer

"""Where the reader is: which list, how filtered and sorted, which folder a conversation is opened in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from letterdesk.mailboxes.lists import (
    PAGE,
    Page,
    Wanted,
    list_awaiting,
    list_folders,
    list_label,
    list_sleeping,
    matching,
)
from letterdesk.mailboxes.models import Folder, FolderRole, Label
from letterdesk.mailboxes.retention.own_times import periods_under
from letterdesk.mailboxes.retention.periods import Periods
from letterdesk.plans import limits
from letterdesk.team import lists as team
from letterdesk.web.request import Request
from letterdesk.web.sidebar import LabelLine, Line, Shelf, shelves

# As the address says it → as lists.py does.
ONLY = {"": "", "unread": "unread", "starred": "flagged", "attachments": "attachments"}
ALL, SNOOZED, AWAITED, LABEL, TEAM, MINE = "all", "snoozed", "awaited", "label", "team", "mine"
SOON_FIRST = {SNOOZED: "snoozed", AWAITED: "awaited"}  # on one page, what comes back soonest first
MOST_AT_ONCE = 5000  # conversations that "all that match" reaches
MOST_ROWS = 300  # that a page of a list keeps (list.js)


def _rows_shown(request: Request) -> int:
    """A page that refreshes itself says how many rows it shows: all of them are told anew."""
    shown = request.headers.get("X-Live", "")
    return min(max(int(shown), PAGE), MOST_ROWS) if shown.isascii() and shown.isdigit() and len(shown) < 5 else PAGE


@dataclass(frozen=True)
class Board:
    """A list beside the sidebar. Whatever the page, its parts are asked once.

    `view` is "" for a folder's list, "all" for all inboxes, "snoozed", "awaited" (an answer), "label" with `label`,
    "team" with the shared mailbox `team_of` and one of its views, or "mine": what is the reader's, in all mailboxes.
    """

    shelves: list[Shelf]
    period: Periods
    view: str = ALL
    show: str = ""
    sort: str = ""
    label: LabelLine | None = None
    team_of: Shelf | None = None
    team_view: str = ""

    @property
    def name(self) -> str:
        """What the list is called."""
        if self.label is not None:
            return self.label.name
        if self.team_of is not None:
            return self.team_of.mailbox.name or self.team_of.mailbox.address
        if self.view == MINE:
            return _("Assigned to me")
        return {SNOOZED: _("Snoozed"), AWAITED: _("Awaiting an answer")}.get(self.view) or _("All inboxes")

    @property
    def base(self) -> str:
        """The address of the list, without filter."""
        if self.label is not None:
            return reverse("label_list", args=[self.label.public_id])
        if self.team_of is not None:
            return reverse("team_list", args=[self.team_of.mailbox.public_id, self.team_view])
        if self.view == MINE:
            return reverse("assigned_to_me")
        return reverse(SOON_FIRST.get(self.view, "all_inboxes"))

    @property
    def address(self) -> str:
        """The address of the list, filter and order included."""
        return self.with_query()

    @property
    def newest_first(self) -> str:
        """The address of the list in its usual order."""
        return self.with_query(sort="")

    @property
    def oldest_first(self) -> str:
        """The address of the list the other way round."""
        return self.with_query(sort="oldest")

    def with_query(self, **more: str) -> str:
        """The list's address with other filters; empty ones are left out."""
        asked = {"show": self.show, "sort": self.sort, **more}
        kept = {key: value for key, value in asked.items() if value}
        return f"{self.base}?{urlencode(kept)}" if kept else self.base

    @property
    def key(self) -> str:
        """What a form says to mean this list; `board_named` reads it."""
        if self.team_of is not None:
            return f"{TEAM}.{self.team_of.mailbox.public_id}.{self.team_view}"
        return f"{LABEL}.{self.label.public_id}" if self.label is not None else self.view

    @property
    def shows_mailboxes(self) -> bool:
        """Whether rows say whose they are."""
        return self.view not in {"", TEAM} and len(self.shelves) > 1

    @property
    def is_team(self) -> bool:
        """Whether its list is one of team work."""
        return self.view in {TEAM, MINE}

    @property
    def done(self) -> str:
        """What "done" means for its rows: closing in shared mailboxes, archiving in personal ones, or each its own."""
        if self.team_of is not None:
            return "reopen" if self.team_view == "closed" else "close"
        return "done" if any(shelf.is_shared for shelf in self.shelves) else "archive"

    @property
    def mine_total(self) -> int | None:
        """How many open conversations are the reader's; None where nobody shares a mailbox with them."""
        shared = [shelf.mine for shelf in self.shelves if shelf.is_shared]
        return sum(shared) if shared else None

    @property
    def acts_on(self) -> list[Shelf]:
        """The shared mailboxes whose conversations its rows can be given to somebody."""
        here = [self.team_of] if self.team_of is not None else self.shelves
        return [shelf for shelf in here if shelf.is_shared and shelf.may_act]

    @property
    def may_act(self) -> bool:
        """Whether there is anything that the reader may act on."""
        if self.team_of is not None:
            return self.team_of.may_act
        return any(shelf.may_act for shelf in self.shelves)

    def found(self, public_id: str) -> tuple[Shelf, Line]:
        """The shelf and line of a folder. 404 for what the reader does not see."""
        for shelf, line in self.lines():
            if line.folder.public_id == public_id:
                return shelf, line
        raise Http404

    def lines(self) -> Iterator[tuple[Shelf, Line]]:
        """All folders in the sidebar."""
        for shelf in self.shelves:
            for line in shelf.folders:
                yield shelf, line

    @property
    def folders(self) -> list[Folder]:
        """The folders that the list is made of; none: it is made of conversations, wherever they lie."""
        if self.is_team:
            return []
        return [line.folder for _shelf, line in self.lines() if line.folder.role == FolderRole.INBOX]

    def page(self, wanted: Wanted) -> Page:
        """A page of the list."""
        if self.view in SOON_FIRST:
            return list_sleeping(wanted) if self.view == SNOOZED else list_awaiting(wanted)
        if self.is_team:
            return team.list_view(self.team_view, wanted, mailbox=self._team_mailbox)
        return list_label(self._label(wanted), wanted) if self.label is not None else list_folders(self.folders, wanted)

    @property
    def _team_mailbox(self) -> int | None:
        return self.team_of.mailbox.pk if self.team_of is not None else None

    def matching(self, wanted: Wanted) -> list[tuple[int, int | None]]:
        """All that the list holds, at most MOST_AT_ONCE: keys of conversation and folder, None: wherever it lies."""
        if self.is_team:
            found = team.matching(self.team_view, wanted, mailbox=self._team_mailbox, most=MOST_AT_ONCE)
            return [(pk, None) for pk in found]
        if self.view in SOON_FIRST:
            return [(row.conversation.pk, row.folder_id) for row in self.page(wanted).rows]
        return list(matching(self._label(wanted) if self.label else self.folders, wanted, most=MOST_AT_ONCE))

    def _label(self, wanted: Wanted) -> Label:
        found: Label | None = Label.objects.visible_to(wanted.employee).filter(pk=self.label and self.label.pk).first()
        if found is None:
            raise Http404
        return found

    def wanted(self, request: Request, now: datetime) -> Wanted:
        """What of the list is asked for."""
        owns = all(folder.mailbox.owner_id == request.employee.pk for folder in self.folders)
        hides = any(getattr(shelf.mailbox, "has_hidden", True) for shelf in self.shelves)  # the sidebar knows
        return Wanted(
            request.employee,
            now,
            self.period,
            only=ONLY[self.show],
            oldest_first=self.sort == "oldest",
            before=request.GET.get("before", ""),
            limit=_rows_shown(request),
            owns_all=(owns and self.view in {"", ALL}) or (self.is_team and not hides),
        )

    def conversation_address(self, conversation_id: str, folder_id: str = "") -> str:
        """The address of a conversation beside this list."""
        return self._opened.replace("-f-", folder_id).replace("-c-", conversation_id)

    @cached_property
    def _opened(self) -> str:
        asked = {"view": self.key, "show": self.show, "sort": self.sort}
        kept = {key: value for key, value in asked.items() if value}
        here = reverse("conversation", args=["-f-", "-c-"])
        return f"{here}?{urlencode(kept)}" if kept else here


@dataclass(frozen=True, kw_only=True)
class Place(Board):
    """A list, and the folder in which the reader is."""

    shelf: Shelf
    line: Line

    @property
    def name(self) -> str:
        return self.line.name if self.view == "" else super().name

    @property
    def base(self) -> str:
        return reverse("folder", args=[self.line.folder.public_id]) if self.view == "" else super().base

    @property
    def may_act(self) -> bool:
        return self.shelf.may_act if self.view == "" else super().may_act

    @property
    def done(self) -> str:
        if self.view != "":
            return super().done
        return "close" if self.shelf.is_shared else "archive"

    @property
    def acts_on(self) -> list[Shelf]:
        return [shelf for shelf in super().acts_on if self.view != "" or shelf is self.shelf]

    @property
    def folders(self) -> list[Folder]:
        return [self.line.folder] if self.view == "" else super().folders

    def conversation_address(self, conversation_id: str, folder_id: str = "") -> str:
        return super().conversation_address(conversation_id, folder_id or self.line.folder.public_id)


def board_named(request: Request, key: str, now: datetime) -> Board:
    """The list behind a key ("all", "label.<id>", "team.<mailbox>.<view>", "mine" …).

    404 for others'; PlanError without Webmail (R2).
    """
    account = request.employee.account
    terms = limits.terms(account, now=now)
    if not terms.has_integration:
        limits.require(account, integration=True, now=now)  # R2: refuses in words
    period = periods_under(account, terms.days_kept, now=now)
    boards = shelves(request.employee, now, period=period)
    show, sort = request.GET.get("show", ""), request.GET.get("sort", "")
    view, _dot, rest = key.partition(".")
    label = next((one for shelf in boards for one in shelf.labels if one.public_id == rest), None)
    mailbox_id, _dot, team_view = rest.partition(".")
    team_of = next((each for each in boards if each.is_shared and each.mailbox.public_id == mailbox_id), None)
    if view not in {ALL, *SOON_FIRST, LABEL, TEAM, MINE} or (view == LABEL and label is None):
        raise Http404
    if view == TEAM and (team_of is None or team_view not in team.VIEWS):
        raise Http404
    return Board(
        boards,
        period,
        view=view,
        show=show if show in ONLY else "",
        sort="oldest" if sort == "oldest" and view not in SOON_FIRST else "",
        label=label if view == LABEL else None,
        team_of=team_of if view == TEAM else None,
        team_view={TEAM: team_view, MINE: team.MINE}.get(view, ""),
    )


def place_of(request: Request, folder_id: str, now: datetime) -> Place:
    """Find the folder in what the reader may see. 404 for others' folders; PlanError where there is no Webmail (R2).

    `?view=` says that the list beside it is another one.
    """
    board = board_named(request, request.GET.get("view", "") or ALL, now)
    shelf, line = board.found(folder_id)
    view = board.view if request.GET.get("view") else ""
    return Place(
        board.shelves,
        board.period,
        view=view,
        show=board.show,
        sort="oldest" if request.GET.get("sort") == "oldest" and view not in SOON_FIRST else "",
        label=board.label if view == LABEL else None,
        team_of=board.team_of if view == TEAM else None,
        team_view=board.team_view if view in {TEAM, MINE} else "",
        shelf=shelf,
        line=line,
    )

"""What somebody looks at among the tasks: as a list, board or calendar, whose, and which. All of them share it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from letterdesk.accounts.models import Employee
from letterdesk.tasks.lists import STATUSES, task_list
from letterdesk.web.request import Request

VIEWS = ("list", "board", "calendar", "bin")
WHOSE = ("mine", "all")
STATUS_NAMES = dict(zip(STATUSES, (gettext_lazy("Open"), gettext_lazy("Done"), gettext_lazy("All")), strict=True))


@dataclass(frozen=True, slots=True)
class Filter:
    """`of` is one of WHOSE, `status` of STATUSES; `person`: those for which this colleague is responsible."""

    view: str
    of: str
    status: str
    words: str
    person: Employee | None

    @classmethod
    def asked(cls, request: Request) -> "Filter":
        """What the address asks for: ?view=&of=&status=&person=&q=; what it does not know is left out."""
        asked = request.GET
        named = asked.get("person", "")
        colleagues = Employee.objects.visible_to(request.employee)
        return cls(
            view=_one_of(VIEWS, asked.get("view")),
            of=_one_of(WHOSE, asked.get("of")),
            status=_one_of(STATUSES, asked.get("status")),
            words=asked.get("q", "").strip()[:200],
            person=colleagues.filter(public_id=named).first() if named else None,
        )

    def found(self, employee: Employee, now: datetime, *, status: str = "") -> QuerySet[Any]:
        """The tasks that `employee` may see of them; with another status than the address says."""
        scope = "bin" if self.view == "bin" else self.of
        return task_list(
            employee, scope, now=now, status=status or self.status, words=self.words, responsible=self.person
        )

    def address(self, **changes: str) -> str:
        """The address of this, or of this with other parts; what is as usual is not said."""
        parts = {
            "view": self.view,
            "of": self.of,
            "status": self.status,
            "person": self.person.public_id if self.person else "",
            "q": self.words,
            **changes,
        }
        usual = {"view": "list", "of": "mine", "status": "open"}
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in parts.items() if value and value != usual.get(name)})
        return reverse("tasks") + (f"?{query.urlencode()}" if query else "")

    def facts(self, request: Request) -> dict[str, Any]:
        """What every view of tasks shows of it."""
        icons = {"list": "list-checks", "board": "kanban", "calendar": "calendar"}
        names = {"list": _("List"), "board": _("Board"), "calendar": _("Calendar")}
        working = Employee.objects.visible_to(request.employee).working().order_by("name")
        return {
            "area": "tasks",
            "view": self.view,
            "of": self.of,
            "status": self.status,
            "query": self.words,
            "person": self.person,
            "people": cast("list[Employee]", list(working)),
            "statuses": STATUS_NAMES.items(),
            "views": [(each, names[each], icons[each], self.address(view=each)) for each in names],
            "here": request.get_full_path(),
        }


def _one_of(known: tuple[str, ...], wish: str | None) -> str:
    return wish if wish in known else known[0]

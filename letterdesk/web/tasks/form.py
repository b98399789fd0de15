"""The form of a task: what it says, who is in it, when it is due."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Employee
from letterdesk.tasks.create import LONGEST_TITLE
from letterdesk.tasks.models import Task
from letterdesk.web.moments import MomentField

TYPED = "%Y-%m-%dT%H:%M"


class TaskForm(forms.Form):
    """A new task, or one that is there; people are those who work in the account."""

    title = forms.CharField(max_length=LONGEST_TITLE, label=_("Title"))
    description = forms.CharField(
        max_length=20_000, required=False, label=_("Description"), widget=forms.Textarea(attrs={"rows": 3})
    )
    responsible = forms.ModelChoiceField(
        Employee.objects.none(), to_field_name="public_id", empty_label=None, label=_("Responsible")
    )
    deadline = MomentField(
        required=False,
        label=_("Deadline"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=TYPED),
    )
    participants = forms.ModelMultipleChoiceField(
        Employee.objects.none(),
        to_field_name="public_id",
        required=False,
        label=_("Participants"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, employee: Employee, *args: Any, task: Task | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        colleagues = Employee.objects.visible_to(employee).working()
        if task is not None:  # who left stays named until somebody chooses another
            colleagues |= Employee.objects.visible_to(employee).filter(pk=task.responsible_id)
        for name in ("responsible", "participants"):
            self.fields[name].queryset = colleagues.order_by("name")  # type: ignore[attr-defined]

    def wish(self) -> dict[str, Any]:
        """The fields of a valid form, as `create` and `change` take them."""
        names = ("title", "description", "responsible", "deadline", "participants")
        return {name: self.cleaned_data[name] for name in names}


def form_of(task: Task, employee: Employee) -> TaskForm:
    """The form, filled with what the task says."""
    before = {
        "title": task.title,
        "description": task.description,
        "responsible": task.responsible.public_id,
        "deadline": task.deadline,
        "participants": [person.public_id for person in task.participants.all()],
    }
    return TaskForm(employee, task=task, initial=before)

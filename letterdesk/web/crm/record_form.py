"""The form of a contact, company, lead or deal: the fields of its kind, addresses and telephones one a line."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Kind, Record, Stage
from letterdesk.crm.own.values import all_said_at, own_fields_of
from letterdesk.crm.records.fields import LONGEST_NAME, Fields
from letterdesk.crm.records.naming import as_kept, named_or_new
from letterdesk.crm.records.stages import pipelines_among, stages_for
from letterdesk.web.crm.own_form import OWN, inputs_of, name_of

FIELDS = {
    Kind.CONTACT: ("name", "position", "company", "addresses", "phones", "responsible", "came_from", "note"),
    Kind.COMPANY: ("name", "addresses", "phones", "responsible", "came_from", "note"),
    Kind.LEAD: ("name", "stage", "company", "addresses", "phones", "responsible", "came_from", "note"),
    Kind.DEAL: ("name", "stage", "amount", "currency", "contact", "company", "responsible", "came_from", "note"),
}
NEW_ONE = _("A name that is not there yet is made.")


class RecordForm(forms.Form):
    """A new record, or one that is there. Company and contact are named; what has no such name is made (`wish`)."""

    name = forms.CharField(max_length=LONGEST_NAME, label=_("Name"))
    stage = forms.ChoiceField(label=_("Stage"))
    amount = forms.DecimalField(required=False, max_digits=15, decimal_places=2, min_value=0, label=_("Amount"))
    currency = forms.CharField(required=False, max_length=3, label=_("Currency"))
    position = forms.CharField(required=False, max_length=200, label=_("Position"))
    contact = forms.CharField(required=False, max_length=LONGEST_NAME, label=_("Contact"), help_text=NEW_ONE)
    company = forms.CharField(required=False, max_length=LONGEST_NAME, label=_("Company"), help_text=NEW_ONE)
    addresses = forms.CharField(
        required=False, max_length=20_000, label=_("Email addresses, one a line"),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )  # fmt: skip
    phones = forms.CharField(
        required=False, max_length=5_000, label=_("Telephones, one a line"), widget=forms.Textarea(attrs={"rows": 1})
    )
    responsible = forms.ModelChoiceField(
        Employee.objects.none(), to_field_name="public_id", empty_label=None, label=_("Responsible")
    )
    came_from = forms.CharField(required=False, max_length=200, label=_("Source"))
    note = forms.CharField(required=False, max_length=20_000, label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(
        self,
        kind: str,
        employee: Employee,
        *args: Any,
        record: Record | None = None,
        given: Mapping[str, Record] = MappingProxyType({}),
        **more: Any,
    ) -> None:
        """`given`: the contact and company that a new one belongs to, as long as nobody names another."""
        self.given = given
        named = {name: each.name for name, each in given.items()}
        more["initial"] = _said(record) if record is not None else more.get("initial", {}) | named
        super().__init__(*args, **more)
        self.kind, self.employee, self.record = Kind(kind), employee, record
        every = own_fields_of(employee.account, kind, with_retired=True)
        self.own = [field for field in every if not field.is_retired]
        self.every = every
        self.order_fields(FIELDS[self.kind])
        for name in set(self.fields) - set(FIELDS[self.kind]):
            del self.fields[name]
        self.own_said = all_said_at(record) if record is not None and every else {}
        own = inputs_of(self.own, self.own_said)
        if self.is_bound and record is not None:  # one that came back since the form was opened says what it said
            own = {name: each for name, each in own.items() if not self._lacks(name, each)}
            self.own = [each.field for each in own.values()]
        self.fields.update(own)
        colleagues = Employee.objects.visible_to(employee).working()
        if record is not None:  # who left stays named until somebody chooses another
            colleagues |= Employee.objects.visible_to(employee).filter(pk=record.responsible_id)
        self.fields["responsible"].queryset = colleagues  # type: ignore[attr-defined]
        people = [(each.public_id, str(each)) for each in colleagues.order_by("name")]  # asked once, not for each look
        self.fields["responsible"].choices = people  # type: ignore[attr-defined]
        self.stages = stages_for(employee, kind, to_change=True) if "stage" in self.fields else []
        if self.stages:
            self.fields["stage"].choices = by_pipeline(self.stages)  # type: ignore[attr-defined]
        for name in {"company", "contact"} & set(self.fields):
            self.fields[name].widget.attrs |= {"list": f"known-{name}", "autocomplete": "off"}

    def _lacks(self, name: str, field: forms.Field) -> bool:
        """Whether the form that was sent did not show this field."""
        return bool(field.widget.value_omitted_from_data(self.data, self.files, name))

    def clean(self) -> dict[str, Any]:
        """Nothing that was typed is passed over: it is told what an own field was told that is gone meanwhile."""
        said: dict[str, Any] = super().clean() or {}
        gone = sorted(name for name in self.data if name.startswith(OWN) and not self._is_asked(name))
        typed = [" ".join(str(self.data[name]).split()) for name in gone]
        if any(typed):
            named = {option.public_id: option.name for field in self.every for option in field.options.all()}
            lost = [named.get(each, each) for each in typed if each]
            told = _("You wrote “%(typed)s” into a field that is no longer there. Save again to do without it.")
            self.add_error(None, told % {"typed": ", ".join(lost)})
        return said

    def _is_asked(self, name: str) -> bool:
        return any(name == each or name.startswith(f"{each}_") for each in self.fields)

    def wish(self, *, now: Any) -> Fields:
        """What a valid form says. Makes the company and the contact that it names for the first time: in a transaction.

        Raises BadRecord.
        """
        said = self.cleaned_data
        stage = next((stage for stage in self.stages if stage.public_id == said.get("stage")), None)
        company = self._other("company", Kind.COMPANY, now)
        return Fields(
            name=said["name"],
            responsible=said["responsible"],
            came_from=said["came_from"],
            note=said["note"],
            position=said.get("position", ""),
            company=company,
            contact=self._other("contact", Kind.CONTACT, now, company=company),
            stage=stage,
            amount=said.get("amount"),
            currency=said.get("currency", ""),
            addresses=tuple(re.split(r"[\n;,]", said.get("addresses", ""))),  # as mail programs copy them, too
            phones=tuple(said.get("phones", "").splitlines()),
            own={field: said[name_of(field)] for field in self.own},
        )

    def _other(self, name: str, kind: Kind, now: Any, company: Record | None = None) -> Record | None:
        """The record that a field names. Untouched, it is what it was, also where the reader may not see it."""
        if name not in self.fields:
            return None
        typed = " ".join(self.cleaned_data[name].split())
        if self.record is not None and name not in self.changed_data:
            before: Record | None = getattr(as_kept(self.record), name)
            return before
        if name in self.given and typed == " ".join(self.given[name].name.split()):  # others may be called the same
            return self.given[name]
        return named_or_new(
            self.employee, kind, typed, responsible=self.cleaned_data["responsible"], company=company, now=now
        )


def _said(record: Record) -> dict[str, Any]:
    """What stands in a record, as the form shows it; of company and contact what the reader may see."""
    return {
        "name": record.name,
        "stage": record.stage.public_id if record.stage else "",
        "amount": record.amount,
        "currency": record.currency,
        "position": record.position,
        "contact": record.contact.name if record.contact else "",
        "company": record.company.name if record.company else "",
        "addresses": "\n".join(address.email for address in record.addresses.all()),
        "phones": "\n".join(phone.number for phone in record.phones.all()),
        "responsible": record.responsible.public_id,
        "came_from": record.came_from,
        "note": record.note,
    }


def by_pipeline(stages: list[Stage]) -> list[tuple[str, Any]]:
    """Stages to choose from; of several pipelines in a group for each."""
    pipelines = pipelines_among(stages)
    if len(pipelines) < 2:
        return [(stage.public_id, stage.name) for stage in stages]
    return [
        (pipeline.name, [(stage.public_id, stage.name) for stage in stages if stage.pipeline_id == pipeline.pk])
        for pipeline in pipelines
    ]

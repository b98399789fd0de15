"""The form of a note, and that of a call: who called, when, how long, what came of it."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.crm.models import Direction, Note
from letterdesk.crm.records.notes import LONGEST, MOST_MINUTES, Said
from letterdesk.web.moments import MomentField
from letterdesk.web.tasks.form import TYPED

CALL = ("direction", "at", "minutes")


class NoteForm(forms.Form):
    """A note or a call, new or one that is there."""

    direction = forms.ChoiceField(
        choices=[(Direction.OUTGOING, _("We called")), (Direction.INCOMING, _("They called"))], label=_("Who called")
    )
    at = MomentField(label=_("When"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=TYPED))
    minutes = forms.IntegerField(
        required=False, min_value=0, max_value=MOST_MINUTES, label=_("Minutes"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip
    text = forms.CharField(
        required=False, max_length=LONGEST, label=_("Note"), widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"})
    )

    def __init__(self, *args: Any, is_call: bool, note: Note | None = None, **more: Any) -> None:
        if note is not None:
            more["initial"] = {name: getattr(note, name) for name in (*CALL, "text")}
        super().__init__(*args, **{"auto_id": "call-%s" if is_call else "note-%s", **more})
        self.is_call = is_call
        for name in () if is_call else CALL:
            del self.fields[name]
        if is_call:
            self.fields["text"].label = _("What came of it")

    def said(self, note: Note | None = None) -> Said:
        """What a valid form says. A moment that was not touched is what it was, to the second."""
        typed = self.cleaned_data
        at = typed.get("at")
        if at is not None and note is not None and at == note.at.replace(second=0, microsecond=0):
            at = note.at
        return Said(typed["text"], typed.get("direction", ""), at, typed.get("minutes"))


def writing_forms(refused: NoteForm | None) -> dict[str, Any]:
    """The forms below a record's name: a note and a call; the one that was refused with what was typed."""
    fresh = [NoteForm(is_call=False), NoteForm(is_call=True, initial={"at": timezone.now()})]
    return {"writing_forms": [refused if refused and refused.is_call == form.is_call else form for form in fresh]}

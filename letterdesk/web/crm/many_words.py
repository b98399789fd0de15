"""What is said of a change of many records: what became of them, and how far it is."""

from collections.abc import Mapping

from django.utils.translation import ngettext

from letterdesk.crm.models import ChangeOfMany, OneOfMany

What, State = ChangeOfMany.What, OneOfMany.State


def told(change: ChangeOfMany, counts: Mapping[str, int]) -> list[str]:
    """What became of its records, in sentences; `counts`: how many are in which state."""
    if change.undone_at is not None:
        lines = [ngettext("%(n)d is as it was.", "%(n)d are as they were.", counts[State.BACK]) % {"n": counts["back"]}]
        stays = ngettext(
            "%(n)d stayed: somebody went on from there, or you may not change it any more.",
            "%(n)d stayed: somebody went on from there, or you may not change them any more.",
            counts[State.STAYS],
        )
        return lines + ([stays % {"n": counts[State.STAYS]}] if counts[State.STAYS] else [])
    lines = [_done(change, counts[State.DONE])]
    if same := counts[State.SAME]:
        lines.append(ngettext("%(n)d was so before.", "%(n)d were so before.", same) % {"n": same})
    if refused := counts[State.REFUSED]:
        lines.append(ngettext("%(n)d could not be changed.", "%(n)d could not be changed.", refused) % {"n": refused})
    return lines


def how_far(change: ChangeOfMany, counts: Mapping[str, int]) -> tuple[int, int]:
    """How many records are done with, of how many."""
    if change.undone_at is None:
        return change.total - counts[State.WAITING], change.total
    back = counts[State.BACK] + counts[State.STAYS]
    return back, back + counts[State.DONE]


def _done(change: ChangeOfMany, n: int) -> str:
    texts = {
        What.RESPONSIBLE: ngettext("%(n)d went to %(what)s.", "%(n)d went to %(what)s.", n),
        What.LABEL: ngettext("%(n)d got the label “%(what)s”.", "%(n)d got the label “%(what)s”.", n),
        What.UNLABEL: ngettext("%(n)d lost the label “%(what)s”.", "%(n)d lost the label “%(what)s”.", n),
        What.STAGE: ngettext("%(n)d went to the stage “%(what)s”.", "%(n)d went to the stage “%(what)s”.", n),
        What.BIN: ngettext("%(n)d is in the bin.", "%(n)d are in the bin.", n),
    }
    return texts[What(change.what)] % {"n": n, "what": change.said}

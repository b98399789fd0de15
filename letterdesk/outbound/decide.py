"""What follows from an attempt to hand over a letter: a pure function. The shell in deliver.py writes it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from letterdesk.mail.submit import Answer, Attempt

from .asked_wait import asked_wait
from .models import RecipientState as R
from .models import State

GIVEN_UP_AFTER = timedelta(days=5)  # RFC 5321 4.5.4.1
WAITS = tuple(timedelta(minutes=each) for each in (1, 5, 15, 30, 60, 120, 240))  # then every four hours


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The letter's new state; `next_at` where it is tried again; each recipient's state and answer that changed."""

    state: State
    recipients: Mapping[str, tuple[R, Answer]] = field(default_factory=dict)
    next_at: datetime | None = None
    code: str = ""
    text: str = ""


def conclude(
    attempt: Attempt, *, asked: Sequence[str], taken_before: bool, attempts: int, tried_since: datetime,
    now: datetime,
    jitter: float = 0.0,
) -> Conclusion:  # fmt: skip
    """Judge an attempt for the recipients `asked`. `taken_before`: some recipient has the letter since an earlier one;
    `attempts` counts this one, the first was at `tried_since`; `jitter` 0–1 stretches the wait by up to a fifth."""
    wait = max(WAITS[min(attempts, len(WAITS)) - 1], _asked_for(attempt))
    again = None if now - tried_since >= GIVEN_UP_AFTER else now + wait * (1 + jitter / 5)
    if attempt.error is not None:
        is_lasting = attempt.error.needs_person
        return _all(asked, Answer(0, attempt.error.text), None if is_lasting else again, taken_before=taken_before,
                    code=attempt.error.code)  # fmt: skip
    if attempt.phase == "dot":  # P6: nobody knows; never sent again by itself
        return _after_dot_without_answer(attempt, asked, again)
    if attempt.phase == "answered" and attempt.last.is_yes:
        return _taken(attempt, asked, again, attempts)
    return _refused(attempt, asked, again, taken_before=taken_before)


def _asked_for(attempt: Attempt) -> timedelta:
    return max(asked_wait(each.code, each.text) for each in (attempt.last, *attempt.recipients.values()))


def _all(asked: Sequence[str], answer: Answer, again: datetime | None, *, taken_before: bool, code: str) -> Conclusion:
    """All recipients fare alike."""
    if again is not None:
        each = dict.fromkeys(asked, (R.DEFERRED, answer))
        return Conclusion(State.DEFERRED, each, again, code, answer.text)
    each = dict.fromkeys(asked, (R.REFUSED, answer))
    return Conclusion(State.SENT if taken_before else State.FAILED, each, None, code, answer.text)


def _after_dot_without_answer(attempt: Attempt, asked: Sequence[str], again: datetime | None) -> Conclusion:
    """Who was put off did not get it; they are asked again once a person, or Sent, has said what became of it."""
    each = {}
    for address in asked:
        answer = attempt.recipients.get(address, Answer(0))
        each[address] = (R.UNKNOWN if answer.is_yes else _of_refusal(answer, again), answer)
    return Conclusion(State.UNKNOWN, each, None, "no_answer", attempt.last.text)


def _taken(attempt: Attempt, asked: Sequence[str], again: datetime | None, attempts: int) -> Conclusion:
    """The server has it, for those whom it took; those it wants later are tried alone (E06)."""
    each: dict[str, tuple[R, Answer]] = {}
    for address in asked:
        answer = attempt.recipients.get(address, Answer(0))
        if answer.is_yes:
            each[address] = (R.ACCEPTED, Answer(attempt.last.code, attempt.last.text))
        else:
            each[address] = (_of_refusal(answer, again), answer)
    waits = any(state == R.DEFERRED for state, _answer in each.values())
    refusal = next((answer for state, answer in each.values() if state != R.ACCEPTED), None)
    code, text = ("recipients_refused", refusal.text) if refusal else ("", "")
    return Conclusion(State.DEFERRED if waits else State.SENT, each, again if waits else None, code, text)


def _refused(attempt: Attempt, asked: Sequence[str], again: datetime | None, *, taken_before: bool) -> Conclusion:
    """Nobody got it: an answer for the whole letter, or one for each recipient."""
    whole = Answer(0) if attempt.given_up else attempt.last
    is_whole = attempt.phase != "envelope" or len(attempt.recipients) < len(asked) or whole.code in {0, 421}
    each = {}
    for address in asked:
        own = attempt.recipients.get(address)
        answer = own if own is not None and not own.is_yes and own.code else whole if is_whole else own or whole
        each[address] = (_of_refusal(answer, again), answer)
    waits = any(state == R.DEFERRED for state, _answer in each.values())
    state = State.DEFERRED if waits else State.SENT if taken_before else State.FAILED
    code = "recipients_refused" if not is_whole else f"smtp_{whole.code}" if whole.code else "disconnected"
    return Conclusion(state, each, again if waits else None, code, whole.text)


def _of_refusal(answer: Answer, again: datetime | None) -> R:
    """5xx is for good, everything else may help later (RFC 5321 4.2.1)."""
    is_lasting = 500 <= answer.code < 600
    return R.REFUSED if is_lasting or again is None else R.DEFERRED

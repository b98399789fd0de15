"""People of the account read a letter as it was written, also the copy that a provider filed as it travelled (0036).

What that copy, or an answer that quotes it, has of ours leads where it led, and the picture is gone: so nobody here is
counted, signed in or not, and everybody sees where a link leads. What another account of this installation wrote to
this one stays as it came, for there these are readers.
"""

from dataclasses import replace

from letterdesk.mail.parse import Body

from .models import TrackedLetter
from .tracked_address import letters_in, untracked, without_pictures


def as_written(body: Body, account_id: int) -> Body:
    """The text of a letter that somebody of this account reads. One query, and none without an address of ours."""
    html, text = body.html or "", body.text or ""
    named = letters_in(html) | letters_in(text)
    if not named:
        return body
    own = TrackedLetter.objects.filter(account=account_id, public_id__in=named).values_list("public_id", flat=True)
    ours = frozenset(own)
    return replace(
        body,
        html=body.html and without_pictures(untracked(html, is_html=True, only=ours), only=ours),
        text=body.text and untracked(text, is_html=False, only=ours),
    )

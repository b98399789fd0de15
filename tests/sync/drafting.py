"""What the tests of drafts on the server do: write on, let a minute pass, look what lies there, edit it there."""

from datetime import timedelta

from letterdesk.events.dispatch import dispatch
from letterdesk.outbound import drafts
from letterdesk.outbound.keep_copies import QUIET, keep_copies
from letterdesk.outbound.take_in import look_at_copies


def write(copy, draft, text):
    draft.refresh_from_db()
    by = copy.mailbox.owner
    return drafts.save(draft, by=by, seen=draft.version, now=copy.now, bcc=[("", "b@acme.example")], body_text=text)


def round_of(copy):
    """A minute passes: what was written is kept, the sync runs, what it told is heard."""
    copy.later += QUIET + timedelta(seconds=1)
    look_at_copies(now=copy.now)
    keep_copies(now=copy.now)
    copy.settle()
    dispatch(copy.now)
    look_at_copies(now=copy.now)


def on_server(copy):
    """The letters of the server's folder of drafts that are not marked as deleted."""
    return [each for each in copy.server.boxes["Drafts"].letters if "\\Deleted" not in each.flags]


def texts(copy):
    return sorted(each.raw.split(b"\r\n\r\n", 1)[1].strip().decode() for each in on_server(copy))


def edit_there(copy, old, new):
    """Another program goes on with the draft and keeps its Message-ID."""
    box = copy.server.boxes["Drafts"]
    [mine] = on_server(copy)
    box.drop([mine.uid])
    box.add(mine.raw.replace(old, new), flags={"\\Draft"})

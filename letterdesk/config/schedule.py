"""When what is due is woken: minute, hour, day, month, weekday, in UTC. The only page where it says so."""

from letterdesk.accounts.sweep import sweep_accounts
from letterdesk.events.dispatch import dispatch_events
from letterdesk.lib.jobs import every
from letterdesk.mailboxes.jobs import collect_blobs, forget_mailboxes, forget_words

SCHEDULE = (
    every("* * * * *", dispatch_events),  # what a lost wake-up left
    every("7 * * * *", collect_blobs),
    every("27 * * * *", forget_mailboxes),
    every("37 * * * *", forget_words),
    every("17 3 * * *", sweep_accounts),
)

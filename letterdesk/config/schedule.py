"""When what is due is woken: minute, hour, day, month, weekday, in UTC. The only page where it says so."""

from letterdesk.accounts.sweep import sweep_accounts
from letterdesk.crm.jobs import link_missed
from letterdesk.crm.jobs import purge_bin as purge_crm_bin
from letterdesk.events.dispatch import dispatch_events
from letterdesk.lib.jobs import every
from letterdesk.mailboxes.follow import follow_plans
from letterdesk.mailboxes.jobs import (
    collect_blobs,
    forget_mailboxes,
    forget_old_actions,
    forget_words,
    free_released,
    sweep_letters,
    wake_snoozed,
)
from letterdesk.mailboxes.left import follow_leavers
from letterdesk.outbound.jobs import deliver_due, sweep_sent
from letterdesk.plans.jobs import audit_usage
from letterdesk.tasks.jobs import forget_old_notices, purge_bin, tell_reminders
from letterdesk.tenancy.jobs import follow_exports, purge_closed

SCHEDULE = (
    every("* * * * *", dispatch_events),  # what a lost wake-up left
    every("* * * * *", deliver_due),  # what a lost wake-up left, and what is tried again
    every("* * * * *", wake_snoozed),
    every("* * * * *", tell_reminders),
    every("* * * * *", follow_plans),  # R11: a trial that has ended by the clock
    every("*/10 * * * *", sweep_letters),  # R20: sweep, loose time and collector together take less than an hour
    every("7-57/10 * * * *", collect_blobs),
    every("9-59/10 * * * *", link_missed),  # what a lost wake-up left
    every("27 * * * *", forget_mailboxes),
    every("33 * * * *", follow_leavers),
    every("37 * * * *", forget_words),
    every("53 * * * *", free_released),
    every("43 * * * *", purge_bin),
    every("53 * * * *", purge_crm_bin),
    every("53 * * * *", purge_closed),
    every("3-53/10 * * * *", follow_exports),  # what a lost wake-up left, and what is over
    every("7 3 * * *", audit_usage),
    every("13 3 * * *", sweep_sent),
    every("17 3 * * *", sweep_accounts),
    every("47 3 * * *", forget_old_actions),
    every("53 3 * * *", forget_old_notices),
)

"""When what is due is woken: minute, hour, day, month, weekday, in UTC. The only page where it says so."""

from letterdesk.accounts.sweep import sweep_accounts
from letterdesk.crm.jobs import check_search, keep_written_letters, link_missed, look_at_tables, read_letters
from letterdesk.crm.jobs import purge_bin as purge_crm_bin
from letterdesk.events.dispatch import dispatch_events
from letterdesk.intake.jobs import forget_old as forget_arrived
from letterdesk.intake.jobs import take_waiting
from letterdesk.lib.jobs import every
from letterdesk.mailboxes.follow import follow_plans
from letterdesk.mailboxes.jobs import (
    audit_tallies,
    check_receipts,
    collect_blobs,
    cover_holds,
    fold_tallies,
    forget_mailboxes,
    forget_old_actions,
    forget_words,
    free_released,
    remind,
    sweep_letters,
    wake_snoozed,
)
from letterdesk.mailboxes.left import follow_leavers
from letterdesk.notifications.jobs import forget_old_notifications, mail_digests, push_what_is_due
from letterdesk.outbound.jobs import count_opens, deliver_due, forget_when_read, sweep_sent, tend_drafts
from letterdesk.outbound.signing import check_signing_keys
from letterdesk.plans.jobs import audit_usage
from letterdesk.tasks.jobs import forget_old_notices, purge_bin, tell_reminders
from letterdesk.team.jobs import follow_missed, forget_old_openings
from letterdesk.tenancy.jobs import follow_exports, purge_closed

SCHEDULE = (
    every("* * * * *", dispatch_events),  # what a lost wake-up left
    every("* * * * *", deliver_due),  # what a lost wake-up left, and what is tried again
    every("* * * * *", take_waiting),  # what a lost wake-up left, and what is tried again
    every("* * * * *", tend_drafts),
    every("* * * * *", count_opens),  # what a lost wake-up left
    every("* * * * *", wake_snoozed),
    every("* * * * *", tell_reminders),
    every("* * * * *", remind),
    every("* * * * *", cover_holds),  # what was interrupted, and what a lost wake-up left
    every("* * * * *", push_what_is_due),  # what a lost wake-up left, and what quiet hours held back
    every("* * * * *", mail_digests),
    every("* * * * *", follow_plans),  # R11: a trial that has ended by the clock
    every("*/10 * * * *", sweep_letters),  # R20: sweep, loose time and collector together take less than an hour
    every("7-57/10 * * * *", collect_blobs),
    every("* * * * *", read_letters),
    every("9-59/10 * * * *", link_missed),  # what a lost wake-up left
    every("4-54/10 * * * *", keep_written_letters),  # what a lost wake-up left
    every("2-52/10 * * * *", follow_missed),  # what a lost wake-up left
    every("27 * * * *", forget_mailboxes),
    every("29 * * * *", forget_when_read),
    every("33 * * * *", follow_leavers),
    every("37 * * * *", forget_words),
    every("41 * * * *", look_at_tables),
    every("53 * * * *", free_released),
    every("47 * * * *", fold_tallies),
    every("43 * * * *", purge_bin),
    every("53 * * * *", purge_crm_bin),
    every("53 * * * *", purge_closed),
    every("3-53/10 * * * *", follow_exports),  # what a lost wake-up left, and what is over
    every("7 3 * * *", audit_usage),
    every("11 3 * * *", audit_tallies),
    every("13 3 * * *", sweep_sent),
    every("19 3 * * *", check_receipts),
    every("17 3 * * *", sweep_accounts),
    every("23 3 * * *", check_signing_keys),
    every("31 3 * * *", check_search),  # with what a lost wake-up left of own fields
    every("41 3 * * *", forget_arrived),
    every("47 3 * * *", forget_old_actions),
    every("53 3 * * *", forget_old_notices),
    every("57 3 * * *", forget_old_notifications),
    every("57 3 * * *", forget_old_openings),
)

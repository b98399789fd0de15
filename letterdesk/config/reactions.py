"""Who reacts to what, in this order. The only page where it says so.

A reaction takes the event, works on the database alone (what needs the network enqueues a job), is idempotent,
and runs in the transaction that marks the event as dispatched.
"""

from letterdesk.crm.jobs import after_leaving as after_written
from letterdesk.crm.jobs import after_new_addresses, after_own_field, after_receiving, after_saving
from letterdesk.events.reactions import Reaction
from letterdesk.mailboxes.follow import after_plan_change
from letterdesk.mailboxes.jobs import after_hold_placed
from letterdesk.mailboxes.jobs import after_letters as after_answers
from letterdesk.mailboxes.left import after_hand_over
from letterdesk.notifications import colleagues, happenings
from letterdesk.notifications.letters import after_letters
from letterdesk.outbound.jobs import after_receiving as after_reports
from letterdesk.outbound.server_copies import after_stored
from letterdesk.sync.reconsider import after_resume
from letterdesk.tasks.follow_merge import after_merge
from letterdesk.tasks.guest_reach import after_letter as after_guest_letter
from letterdesk.team.jobs import after_access_ended, after_leaving, after_reminded
from letterdesk.team.jobs import after_letters as after_team_letters

REACTIONS: dict[str, tuple[Reaction, ...]] = {
    "message.received": (after_answers, after_receiving, after_team_letters, after_letters, after_reports),
    "mailbox.shared": (after_team_letters, happenings.after_access_given),
    "mailbox.unshared": (after_access_ended,),
    "draft.stored": (after_stored,),
    "record.created": (after_new_addresses,),
    "record.changed": (after_new_addresses,),
    "record.restored": (after_new_addresses,),
    "record.merged": (after_merge,),
    "own_field.changed": (after_own_field,),
    "own_field.deleted": (after_own_field,),
    "employee.dismissed": (after_leaving,),
    "employee.reinstated": (after_hand_over,),
    "mailbox.transferred": (after_hand_over,),
    "mailbox.disconnected": (after_hand_over,),
    "mailbox.resumed": (after_resume,),
    "mailbox.failing": (happenings.after_failing,),
    "mailbox.recovered": (happenings.after_recovery,),
    "mailbox.suspended": (happenings.after_suspension,),
    "polled.failing": (happenings.after_polled_failing,),
    "polled.recovered": (happenings.after_polled_mended,),
    "polled.resumed": (happenings.after_polled_mended,),
    "polled.paused": (happenings.after_polled_mended,),
    "polled.changed": (happenings.after_polled_mended,),
    "polled.disconnected": (happenings.after_polled_mended,),
    "sendsave.asked": (happenings.after_crm_asks,),
    "arrived.unreadable": (happenings.after_crm_asks,),
    "arrived.failing": (happenings.after_crm_asks,),
    "sendsave.answered": (happenings.after_crm_answered,),
    "sendsave.dropped": (happenings.after_crm_answered,),
    "activity.saved": (happenings.after_crm_answered, after_saving),
    "linking.failing": (happenings.after_linking_failing,),
    "linking.recovered": (happenings.after_linking_recovered,),
    "mailbox.access_asked": (happenings.after_access_asked,),
    "mailbox.access_declined": (happenings.after_access_declined,),
    "conversation.assigned": (colleagues.after_assigned,),
    "conversation.reminded": (after_reminded, colleagues.after_reminded),
    "conversation.reminder_set": (colleagues.after_reminder_ended,),
    "conversation.reminder_ended": (colleagues.after_reminder_ended,),
    "conversation.shared": (colleagues.after_shown,),
    "comment.added": (colleagues.after_comment,),
    "draft.discarded": (happenings.after_discarded,),
    "letter.queued": (happenings.after_queued,),
    "letter.held_back": (happenings.after_held_back,),
    "letter.bounced": (after_guest_letter, happenings.after_not_reached),
    "letter.dismissed": (happenings.after_dismissed,),
    "letter.sent": (after_written, after_guest_letter, happenings.after_sent),
    "letter.deferred": (after_written,),
    "letter.failed": (after_guest_letter, happenings.after_not_sent),
    "letter.unknown": (happenings.after_not_sent,),
    "task.created": (happenings.after_task,),
    "task.changed": (happenings.after_task,),
    "task.commented": (happenings.after_task_comment,),
    "task.guest_waits": (happenings.after_guest_waits,),
    "task.guest_dropped": (happenings.after_guest_waits,),
    "task.reminded": (happenings.after_reminder,),
    "task.overdue": (happenings.after_reminder,),
    "plan.changed": (after_plan_change,),
    "plan.ending": (happenings.after_plan_ending,),
    "hold.placed": (after_hold_placed,),
}

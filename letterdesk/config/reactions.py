"""Who reacts to what, in this order. The only page where it says so.

A reaction takes the event, works on the database alone (what needs the network enqueues a job), is idempotent,
and runs in the transaction that marks the event as dispatched.
"""

from letterdesk.crm.jobs import after_new_addresses, after_receiving
from letterdesk.events.reactions import Reaction
from letterdesk.mailboxes.follow import after_plan_change
from letterdesk.mailboxes.left import after_hand_over
from letterdesk.sync.reconsider import after_resume

REACTIONS: dict[str, tuple[Reaction, ...]] = {
    "message.received": (after_receiving,),
    "record.created": (after_new_addresses,),
    "record.changed": (after_new_addresses,),
    "record.restored": (after_new_addresses,),
    "employee.reinstated": (after_hand_over,),
    "mailbox.transferred": (after_hand_over,),
    "mailbox.disconnected": (after_hand_over,),
    "mailbox.resumed": (after_resume,),
    "plan.changed": (after_plan_change,),
}

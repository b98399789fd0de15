"""Who takes letters that come in: by SMTP, each by local parts of its own, or fetched. The only page that says so."""

from letterdesk.crm.polled.take import POLLED
from letterdesk.crm.returned import RETURNED
from letterdesk.crm.sendsave.take import SENDSAVE
from letterdesk.intake.doors import Door
from letterdesk.tasks.guest_letters import GUESTS

DOORS: tuple[Door, ...] = (SENDSAVE, POLLED, GUESTS, RETURNED)

"""The normative table of rules.md, "Plan catalogue", as it is written there."""

TABLE = """
|  | Free | Project+ | Start+ | CRM+ | Standard | Professional | Demo |
|---|---|---|---|---|---|---|---|
| Mailbox integration (Webmail) | no | no | yes | yes | yes | yes | yes |
| Connected mailboxes per employee | - | - | 1 | 5 | 5 | 10 | 10 |
| Shared mailboxes per account | - | - | unlimited | unlimited | unlimited | unlimited | 3 |
| Days a message stays in Webmail | - | - | 30 | 30 | 30 | 90 | 30 |
| Days of mail fetched when a mailbox is connected, at most | - | - | 30 | 30 | 30 | 90 | 30 |
| Outgoing e-mails per month | 1,000, from CRM only | unspecified | 2,000 | 35,000 | 50,000 | 1,000,000 | unspecified |
"""

LINES = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in TABLE.strip().splitlines()]
NAMES = LINES[0][1:] if LINES[0][0] == "" else LINES[0]
ROWS = {line[0]: dict(zip(NAMES, line[1:], strict=True)) for line in LINES[2:]}
KEYS = dict(zip(NAMES, ("free", "project", "start", "crm", "standard", "professional", "demo"), strict=True))
FIELDS = {
    "Connected mailboxes per employee": "mailboxes_per_employee",
    "Shared mailboxes per account": "shared_mailboxes",
    "Days a message stays in Webmail": "days_kept",
    "Days of mail fetched when a mailbox is connected, at most": "days_fetched",
    "Outgoing e-mails per month": "outgoing_per_month",
}
INTEGRATION = "Mailbox integration (Webmail)"

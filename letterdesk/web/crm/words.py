"""What the pages of CRM call things: the kinds of records, their lists and icons."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from letterdesk.crm.models import Kind


@dataclass(frozen=True)
class KindWords:
    """How a kind of record is called and addressed."""

    kind: Kind
    plural: str  # in addresses
    many: Promise
    new: Promise
    icon: str
    what: Promise  # what an empty list says

    @property
    def has_stages(self) -> bool:
        return self.kind in {Kind.LEAD, Kind.DEAL}


KINDS = (
    KindWords(
        Kind.CONTACT, "contacts", _("Contacts"), _("New contact"), "contact",
        _("People you write with. Add one, or make one from a letter: their letters are kept here from then on."),
    ),
    KindWords(
        Kind.COMPANY, "companies", _("Companies"), _("New company"), "building-2",
        _("Whom your contacts work for. A company shows the letters of all its people."),
    ),
    KindWords(
        Kind.LEAD, "leads", _("Leads"), _("New lead"), "funnel",
        _("People who wrote for the first time. A mailbox can make them by itself: see its settings."),
    ),
    KindWords(
        Kind.DEAL, "deals", _("Deals"), _("New deal"), "handshake",
        _("What you are negotiating. A letter of a client goes to the deal that was active last."),
    ),
)  # fmt: skip
BY_PLURAL = {words.plural: words for words in KINDS}
BY_KIND = {str(words.kind): words for words in KINDS}

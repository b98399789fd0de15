"""Why a letter is not in CRM, in words for people."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .decide import WhyNot

WHY_NOT: dict[WhyNot, str | Promise] = {
    WhyNot.BINNED: _("Not saved: the letter lies in the bin with its task."),
    WhyNot.GONE: _("Not saved: the letter is in no folder any more."),
    WhyNot.NO_WEBMAIL: _("Not saved: your plan has no Webmail."),
    WhyNot.SPAM: _("Not saved: the letter is in the spam folder."),
    WhyNot.TRASH: _("Not saved: the letter is in the trash."),
    WhyNot.DRAFTS: _("Not saved: the letter is a draft."),
    WhyNot.UNLINKED: _("Not saved: a colleague said that it does not belong there."),
    WhyNot.NOBODY: _("Not saved: the letter names no address that one could write to."),
    WhyNot.INTERNAL: _("Not saved: only colleagues and own mailboxes are in this letter."),
    WhyNot.EXCLUDED: _("Not saved: the address is on the list of exclusions."),
    WhyNot.BULK: _("Not saved: a newsletter or mailing list."),
    WhyNot.AUTOMATIC: _("Not saved: a program wrote this letter."),
    WhyNot.KNOWN_OFF: _("Not saved: this mailbox does not save letters of known addresses."),
    WhyNot.UNKNOWN_OFF: _("Not saved: nobody in CRM has this address, and this mailbox makes nothing of it."),
    WhyNot.HISTORY: _("Not saved: the letter was there before the mailbox was connected, and nothing is made of it."),
    WhyNot.BEFORE_UPGRADE: _(
        "Not saved: the letter is from a time when your plan had no Webmail, and nothing is made of it."
    ),
    WhyNot.IN_CRM_BIN: _("Not saved: who has this address lies in CRM's bin."),
}

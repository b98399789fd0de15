"""What the mail protocols and the sync say, in the reader's language.

Their rooms know no language: they say, and store, one English sentence with its facts filled in. Here each sentence
has its entry for translators, with the blanks `{host}` that the room fills; on a page it is known again by its words,
and said with the same facts. What a server said itself stays as it is.
"""

import re
from functools import lru_cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

SENTENCES = (
    # mail/errors.py
    _("The server answered: {detail}"),
    _("We could not find a server called {host}."),
    _("{host}:{port} did not answer within {seconds} s."),
    _("{host}:{port} refused the connection."),
    _("This server address is not allowed by the administrator."),
    _("An encrypted connection to {host} could not be made: {detail}"),
    _("The certificate of {host} expired."),
    _("The certificate of {host} expired on {day}."),
    _("The certificate of {host} is not valid before {day}."),
    _("The certificate of {host} is for another name."),
    _("The certificate of {host} is for {names}."),
    _("The certificate of {host} is self-signed, or its issuer is not known here."),
    _("{host} offers no encryption on port {port}."),
    _("{host} takes a sign-in over an encrypted connection only."),
    _("What answers at {host}:{port} is not an IMAP server."),
    _("What answers at {host}:{port} is not an SMTP server."),
    _("The server said that the user name or password is wrong."),
    _("{provider} needs an app password here, not the usual one."),
    _("IMAP is turned off for this account."),
    _("Sending is blocked by the provider for this account."),
    _("{provider} no longer lets us in: sign in again."),
    _("The mail server did not accept the sign-in."),
    _("Your organisation must approve this application at {provider} first."),
    _("{provider} gave no access: {detail}"),
    _("{provider} does not accept this Letterdesk. Whoever runs it has to check its registration there: {detail}"),
    _("The password that is kept here cannot be read: the key that encrypted it is missing."),
    _("{provider} cannot be asked for access at the moment: {detail}"),
    _("The account already has its maximum of open connections."),
    _("The server is not available at the moment: {detail}"),
    _("The server does not support {capability}."),
    _("The server closed the connection: {detail}"),
    _("The server sent something that is not IMAP: {detail}"),
    _("The server sent more than the {limit} bytes that are allowed."),
    _("This text cannot be sent to a mail server: {detail}"),
    # facts in them that are words of ours
    _("nothing"),
    _("This provider"),
    _("The server"),
    _("signing in with a password"),
    _("signing in by OAuth"),
    _("no answer in time"),
    _("connection closed"),
    _("no lasting access was given"),
    _("not allowed: {missing}"),
    _("the answer has no token"),
    _("the answer was meant for somebody else"),
    _("it contains a NUL character"),
    _("user name or password contains a NUL character"),
    _("user name or password contains a control character"),
    # a test of a sign-in (mail/check.py), and what one has to know before it (mail/providers.toml)
    _("{folders} folders, {letters} letters in the inbox"),
    _("not encrypted"),
    _(
        "Google needs an app password: turn on 2-Step Verification, then create one at"
        " myaccount.google.com/apppasswords."
    ),
    _(
        'Microsoft accepts no passwords here any more. Where "Continue with Microsoft" is missing,'
        " whoever runs Letterdesk has to set it up."
    ),
    _("Yahoo needs an app password: Account security, Generate app password."),
    _("AOL needs an app password: Account security, Generate app password."),
    _("iCloud needs an app-specific password: account.apple.com, Sign-In and Security."),
    _("In GMX, first allow POP3 and IMAP: E-Mail, Settings, POP3/IMAP retrieval."),
    _("In GMX, first allow POP3 and IMAP: E-Mail, Settings, POP3/IMAP."),
    _("In WEB.DE, first allow POP3 and IMAP: E-Mail, Settings, POP3/IMAP retrieval."),
    _("In mail.com, first allow POP3 and IMAP in the settings."),
    _("Mail.ru needs a password for external applications: account settings, Security."),
    _("Yandex needs an app password, and IMAP turned on in Mail, Settings, Email clients."),
    _("Fastmail needs an app password: Settings, Privacy & Security."),
    _("In Zoho, first allow IMAP: Settings, Mail accounts. With two factors an app password is needed."),
    _("Telekom needs the password for e-mail programs, which is set in the customer centre."),
    _("Orange: mail programs have to be allowed in the account's settings."),
    _("QQ Mail needs an authorization code, which its settings hand out when IMAP is turned on."),
    _("NetEase needs an authorization code, which its settings hand out when IMAP is turned on."),
    _(
        "Proton has no IMAP of its own: run Proton Mail Bridge beside Letterdesk, allow its address, and use the"
        " Bridge's password."
    ),
    # letters on their way (outbound)
    _("This letter can no longer be read from our storage. Its text is kept: edit it again."),
    _("The mailbox {address} is suspended by plan."),
    _("The mailbox {address} is disconnected."),
    _("Who sent this letter may not write from %(address)s any more."),
    _("The sender from which this letter was to leave was removed."),
    _("The letter could not be handed over for five days."),
    _("Webmail is not in your plan %(plan)s."),
    # the sync: a mailbox that cannot be kept in step, a folder's note in the ledger
    _("The disk on which Letterdesk keeps letters is full. What is here can be read."),
    _("Letterdesk cannot store letters now ({what}). It tries again by itself."),
    _("Something went wrong here ({what})."),
    _("The server gave this folder a new identity {times} times in a row."),
    _("The server says that most of this folder is gone. Letterdesk keeps it until that is certain."),
    _("The folder is off."),
    # letters in quarantine (mail/limited.py, mail/parse.py, mailboxes/quarantine.py)
    _("It takes more than five seconds of computing to read."),
    _("It takes too long to read."),
    _("It takes too much memory to read."),
    _("It makes the parser fail."),
    _("Reading it failed ({what})."),
    _("The server has this letter and hands out nothing."),
    _("The letter is larger than what is fetched."),
    _("The server refuses to hand out this letter."),
    _("The server refuses to hand out this letter. ({detail})"),
)
BLANK = re.compile(r"\{(\w+)\}|%\((\w+)\)s")


def translated(text: str) -> str:
    """A sentence of SENTENCES in the reader's language, its facts too where they are words of ours; else the text."""
    for sentence, pattern in _patterns() if text else ():
        if found := pattern.fullmatch(text):
            return _filled(gettext(sentence), {name: translated(fact) for name, fact in found.groupdict().items()})
    return text


def _filled(sentence: str, facts: dict[str, str]) -> str:
    return BLANK.sub(lambda blank: facts[blank[1] or blank[2]], sentence)


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Each sentence with what it looks like when filled; those with most words of their own first."""
    most_said = sorted(SENTENCES, key=lambda sentence: len(BLANK.sub("", sentence)), reverse=True)
    return [(sentence, _pattern(sentence)) for sentence in most_said]


def _pattern(sentence: str) -> re.Pattern[str]:
    said, made, at = BLANK.finditer(sentence), "", 0
    for blank in said:
        made += re.escape(sentence[at : blank.start()]) + f"(?P<{blank[1] or blank[2]}>.*?)"
        at = blank.end()
    return re.compile(made + re.escape(sentence[at:]), re.DOTALL)

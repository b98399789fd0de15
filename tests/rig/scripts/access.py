"""Sign-in, availability, encryption and silence."""

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class _Two(Liar):
    """Two letters, and a switch."""

    striking = False

    def setup(self):
        self.inbox.add(letter(1))
        self.inbox.add(letter(2))


class _Refusing(_Two):
    """Sign-in is answered by `answer` while striking."""

    answer = b"NO"

    def before(self, session, command):
        if self.striking and command.name in {"LOGIN", "AUTHENTICATE"}:
            session.tagged(command, self.answer)
            return True
        return None


class AuthRevoked(_Refusing):
    """A40: the password was changed."""

    answer = b"NO [AUTHENTICATIONFAILED] Authentication failed."


class BareNo(_Refusing):
    """A40: a refusal without a code."""

    answer = b"NO LOGIN failed."


class AuthUnavailable(_Refusing):
    """A40: the directory behind the server is down: not the person's fault."""

    answer = b"NO [UNAVAILABLE] Temporary authentication failure."


class AuthLimit(_Refusing):
    """A40: too much was asked."""

    answer = b"NO [LIMIT] Too many requests."


class AuthInUse(_Refusing):
    """A40: the mailbox is locked by another session."""

    answer = b"NO [INUSE] Mailbox is locked."


class AppPassword(_Refusing):
    """A40: the provider wants an app password."""

    answer = b"NO [ALERT] Application-specific password required: https://support.example/app (Failure)"


class FolderInUse(_Two):
    """A40: one folder is locked for a while."""

    def before(self, session, command):
        if self.striking and command.name in {"SELECT", "EXAMINE"} and b"INBOX" in command.raw.upper():
            session.tagged(command, b"NO [INUSE] Mailbox is in use.")
            return True
        return None


class SignedOutMidway(_Two):
    """A40: the session ends when the password changes: the folder looks as if it could not be had."""

    def before(self, session, command):
        if self.striking and command.name in {"SELECT", "EXAMINE", "STATUS", "UID SEARCH", "LIST"}:
            session.raw(b"* BYE [UNAVAILABLE] Session terminated.\r\n")
            session.close()
            return True
        return None


class TooMany(_Two):
    """A41: BYE for the connection that is one too many."""

    @property
    def greeting(self):
        full = self.striking
        return b"* BYE [LIMIT] Too many connections from your address\r\n" if full else Liar.greeting


class NotImap(_Two):
    """Something else listens behind the port."""

    greeting = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"


class SilentGreeting(_Two):
    """Nothing is said at all."""

    def alter(self, session, command, chunk):
        if command is None:
            session.stall(20)


class StarttlsStripped(_Two):
    """A44: somebody in between took STARTTLS out of the capabilities."""

    capabilities = "IMAP4rev1 UIDPLUS"


class StarttlsInjected(_Two):
    """A44: plain text behind the OK of STARTTLS, before encryption, to be read as if it were encrypted."""

    capabilities = "IMAP4rev1 STARTTLS UIDPLUS"
    starttls = True

    def alter(self, session, command, chunk):
        if command and command.name == "STARTTLS":
            return chunk + b"* CAPABILITY IMAP4rev1 INJECTED\r\n* 0 EXISTS\r\n"
        return chunk


class StarttlsHonest(_Two):
    """A44: STARTTLS as it should be."""

    capabilities = "IMAP4rev1 STARTTLS UIDPLUS"
    starttls = True


class StarttlsPreauth(_Two):
    """A44: PREAUTH before STARTTLS would keep a careless client in plain text (CVE-2020-12398)."""

    capabilities = "IMAP4rev1 UIDPLUS"
    greeting = b"* PREAUTH [CAPABILITY %s] in already\r\n"


class SilentIdle(_Two):
    """A39: IDLE is accepted, and nothing ever told."""

    def before(self, session, command):
        if command.name == "IDLE":
            session.raw(b"+ idling\r\n")
            session._read_line()
            session.tagged(command, b"OK done")
            return True
        return None


class ByeInIdle(_Two):
    """A39: the server ends an IDLE by BYE."""

    def before(self, session, command):
        if self.striking and command.name == "IDLE":
            session.raw(b"+ idling\r\n* BYE Autologout; idle for too long\r\n")
            session.close()
            return True
        return None


class StormInIdle(_Two):
    """A39: thousands of EXISTS in an IDLE."""

    def before(self, session, command):
        if self.striking and command.name == "IDLE":
            self.striking = False
            session.raw(b"+ idling\r\n" + b"* 2 EXISTS\r\n* OK Still here\r\n" * 5000)
            session._read_line()
            session.tagged(command, b"OK done")
            return True
        return None


class SlowSignIn(_Two):
    """A41: sign-in takes a while; remembers how many were under way at once."""

    under_way = most = 0

    def before(self, session, command):
        if command.name in {"LOGIN", "AUTHENTICATE"}:
            with self.lock:
                self.under_way += 1
                self.most = max(self.most, self.under_way)
            session.stall(0.05)
            with self.lock:
                self.under_way -= 1

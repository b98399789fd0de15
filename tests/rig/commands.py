"""The commands of the invented server, as RFC 9051, RFC 7162 and RFC 6851 want them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from .boxes import Box, Kept
from .criteria import matches, read_date_time, write_date_time
from .grammar import Command, compact, in_set

SYSTEM = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft"


class Commands:
    """Mixed into a session: `answer` finds the method of a command."""

    server: Any
    box: Box | None
    known: dict[int, int]

    def answer(self, command: Command) -> None:
        """Carry out one command, correctly."""
        method = getattr(self, "do_" + command.name.lower().replace(" ", "_"), None)
        if method is None:
            self.tagged(command, b"BAD Unknown command")
            return
        with self.server.lock:
            ending = method(command)
            if self.box is not None and command.name not in {"FETCH", "STORE", "SEARCH"}:
                self.tell_changes()
        if ending is not None:
            self.tagged(command, ending)

    def tagged(self, command: Command, text: bytes) -> None:
        """The completion of a command."""
        self.respond(command.tag + b" " + text + b"\r\n")

    def untagged(self, text: bytes) -> None:
        """An untagged response."""
        self.respond(b"* " + text + b"\r\n")

    # Any state ------------------------------------------------------------------------------------------------------

    def do_capability(self, _: Command) -> bytes:
        self.untagged(b"CAPABILITY " + self.server.capabilities.encode())
        return b"OK done"

    def do_noop(self, _: Command) -> bytes:
        return b"OK done"

    do_check = do_noop

    def do_id(self, _: Command) -> bytes:
        self.untagged(b'ID ("name" "Liar")')
        return b"OK done"

    def do_logout(self, command: Command) -> None:
        self.untagged(b"BYE see you")
        self.tagged(command, b"OK done")
        self.close()

    def do_starttls(self, command: Command) -> bytes | None:
        if not self.server.starttls:
            return b"BAD not here"
        self.tagged(command, b"OK begin")
        self.begin_tls()
        return None

    def do_login(self, command: Command) -> bytes:
        right = command.words[1].decode() == self.server.password
        return self._signed_in() if right else b"NO [AUTHENTICATIONFAILED] wrong"

    def do_authenticate(self, command: Command) -> bytes:
        if len(command.words) < 2:
            self.raw(b"+ \r\n")
            self._read_line()
        return self._signed_in()

    def _signed_in(self) -> bytes:
        return b"OK [CAPABILITY " + self.server.capabilities.encode() + b"] in"

    def do_enable(self, command: Command) -> bytes:
        known = [word.upper() for word in command.words if word.upper().decode() in self.server.capabilities]
        self.enabled.update(known)
        self.untagged(b" ".join([b"ENABLED", *known]))
        return b"OK done"

    def do_namespace(self, _: Command) -> bytes:
        self.untagged(b'NAMESPACE (("" "/")) NIL NIL')
        return b"OK done"

    # Folders --------------------------------------------------------------------------------------------------------

    def do_list(self, command: Command) -> bytes:
        flat = [word for word in command.words if isinstance(word, bytes)]
        if b"" in flat and flat[-1] == b"":
            self.untagged(b'LIST (\\Noselect) "/" ""')
            return b"OK done"
        for box in list(self.server.boxes.by_name.values()):
            self.list_line(box)
        if b"RETURN" in flat and "LIST-STATUS" in self.server.capabilities:
            items = next(
                (
                    words[at + 1]
                    for words in command.words
                    if isinstance(words, list)
                    for at, word in enumerate(words)
                    if word == b"STATUS"
                ),
                [],
            )
            for box in list(self.server.boxes.by_name.values()):
                self.status_line(box, items)
        return b"OK done"

    do_lsub = do_list

    def list_line(self, box: Box) -> None:
        """One LIST response; scripts may override."""
        self.untagged(b"LIST (%s) %s %s" % (" ".join(box.attributes).encode(), b'"/"', quoted(box.name)))

    def do_status(self, command: Command) -> bytes:
        name, items = command.words[0].decode(), command.words[1]
        if name not in self.server.boxes:
            return b"NO [NONEXISTENT] no such folder"
        self.status_line(self.server.boxes[name], items)
        return b"OK done"

    def status_line(self, box: Box, items: Iterable[bytes]) -> None:
        """One STATUS response."""
        unseen = sum("\\Seen" not in each.flags for each in box.letters)
        facts = {
            b"MESSAGES": len(box.letters),
            b"UIDNEXT": box.uidnext,
            b"UIDVALIDITY": box.uidvalidity,
            b"UNSEEN": unseen,
            b"RECENT": 0,
            b"HIGHESTMODSEQ": box.modseq,
            b"SIZE": sum(len(each.raw) for each in box.letters),
        }
        told = [b"%s %d" % (item.upper(), facts[item.upper()]) for item in items if item.upper() in facts]
        if b"MAILBOXID" in [item.upper() for item in items]:
            told.append(b"MAILBOXID (%s)" % box.object_id.encode())
        self.untagged(b"STATUS %s (%s)" % (quoted(box.name), b" ".join(told)))

    def do_create(self, command: Command) -> bytes:
        name = command.words[0].decode()
        if name in self.server.boxes:
            return b"NO [ALREADYEXISTS] there"
        self.server.boxes.make(name)
        return b"OK done"

    def do_subscribe(self, _: Command) -> bytes:
        return b"OK done"

    do_unsubscribe = do_subscribe

    def do_append(self, command: Command) -> bytes:
        name, *options, raw = command.words
        if name.decode() not in self.server.boxes:
            return b"NO [TRYCREATE] no such folder"
        flags = next(([flag.decode() for flag in option] for option in options if isinstance(option, list)), [])
        date = next((read_date_time(option) for option in options if isinstance(option, bytes)), None)
        box = self.server.boxes[name.decode()]
        kept = box.add(raw, flags=flags, date=date or datetime.now(UTC))
        return self._told(b"APPENDUID %d %d" % (box.uidvalidity, kept.uid))

    def _told(self, code: bytes) -> bytes:
        return b"OK [%s] done" % code if "UIDPLUS" in self.server.capabilities else b"OK done"

    # A selected folder ----------------------------------------------------------------------------------------------

    def do_select(self, command: Command) -> bytes:
        name, *options = command.words
        self.box = None
        if name.decode() not in self.server.boxes:
            return b"NO [NONEXISTENT] no such folder"
        box = self.server.boxes[name.decode()]
        self.readonly = command.name == "EXAMINE"
        for line in self.select_lines(box):
            self.untagged(line)
        self.box, self.known = box, {each.uid: each.modseq for each in box.letters}
        words = options[0] if options else []
        if b"QRESYNC" in words:
            self._resync(box, words[words.index(b"QRESYNC") + 1])
        return b"OK [READ-ONLY] in" if self.readonly else b"OK [READ-WRITE] in"

    do_examine = do_select

    def select_lines(self, box: Box) -> list[bytes]:
        """What SELECT tells; scripts may override."""
        lines = [
            b"FLAGS (" + SYSTEM + b")",
            b"OK [PERMANENTFLAGS (" + SYSTEM + b" \\*)] flags",
            b"%d EXISTS" % len(box.letters),
            b"0 RECENT",
            b"OK [UIDVALIDITY %d] valid" % box.uidvalidity,
            b"OK [UIDNEXT %d] next" % box.uidnext,
        ]
        if "CONDSTORE" in self.server.capabilities:
            lines.append(b"OK [HIGHESTMODSEQ %d] highest" % box.modseq)
        if "OBJECTID" in self.server.capabilities:
            lines.append(b"OK [MAILBOXID (%s)] id" % box.object_id.encode())
        return lines

    def _resync(self, box: Box, words: list) -> None:
        if int(words[0]) != box.uidvalidity:
            return
        self.tell_vanished(box, int(words[1]), [uid for _, uid in box.vanished])
        for kept in box.letters:
            if kept.modseq > int(words[1]):
                self.fetch_line(kept, [b"UID", b"FLAGS", b"MODSEQ"])

    def tell_vanished(self, box: Box, since: int, among: Iterable[int]) -> None:
        """VANISHED (EARLIER) for what went after a MODSEQ (RFC 7162 3.2.10)."""
        among = set(among)
        if gone := [uid for modseq, uid in box.vanished if modseq > since and uid in among]:
            self.untagged(b"VANISHED (EARLIER) " + compact(gone))

    def do_close(self, _: Command) -> bytes:
        if not self.readonly:
            self.box.drop(each.uid for each in self.box.letters if "\\Deleted" in each.flags)
        return self.do_unselect(_)

    def do_unselect(self, _: Command) -> bytes:
        self.box = None
        return b"OK done"

    def tell_changes(self) -> None:
        """What other sessions changed since this client was last told."""
        there = {each.uid: each for each in self.box.letters}
        for number, uid in reversed(list(enumerate(self.known, 1))):
            if uid not in there:
                del self.known[uid]
                self.untagged(b"VANISHED %d" % uid if b"QRESYNC" in self.enabled else b"%d EXPUNGE" % number)
        new = [uid for uid in there if uid not in self.known]
        for uid, modseq in self.known.items():
            if there[uid].modseq > modseq:
                self.fetch_line(there[uid], [b"UID", b"FLAGS"])
        self.known = {uid: each.modseq for uid, each in there.items()}
        if new:
            self.untagged(b"%d EXISTS" % len(there))

    def do_idle(self, command: Command) -> bytes:
        self.raw(b"+ idling\r\n")
        self.server.lock.release()
        try:
            while not self.wait_for_input(0.02):
                with self.server.lock:
                    if self.box is not None:
                        self.tell_changes()
            self._read_line()
        finally:
            self.server.lock.acquire()
        return b"OK done"

    # Letters --------------------------------------------------------------------------------------------------------

    def chosen(self, sequence_set: bytes) -> list[Kept]:
        """The letters that a set of UIDs names."""
        if sequence_set == b"$":
            return []
        uids = set(in_set(sequence_set, self.box.uids()))
        return [each for each in self.box.letters if each.uid in uids]

    def do_uid_fetch(self, command: Command) -> bytes:
        items = command.words[1] if isinstance(command.words[1], list) else [command.words[1]]
        items = [item.upper() for item in items]
        options = command.words[2] if len(command.words) > 2 else []
        since = int(options[options.index(b"CHANGEDSINCE") + 1]) if b"CHANGEDSINCE" in options else 0
        if b"VANISHED" in options:
            among = in_set(command.words[0].replace(b"*", b"4294967295"), sorted(u for _, u in self.box.vanished))
            self.tell_vanished(self.box, since, among)
        if since and b"MODSEQ" not in items:
            items.append(b"MODSEQ")
        for kept in self.chosen(command.words[0]):
            if kept.modseq > since:
                self.fetch_line(kept, items if b"UID" in items else [b"UID", *items])
        return b"OK done"

    def fetch_line(self, kept: Kept, items: list[bytes]) -> None:
        """One FETCH response with these items."""
        number = list(self.known).index(kept.uid) + 1 if kept.uid in self.known else len(self.known)
        values = b" ".join(filter(None, (self.fetch_item(kept, item) for item in items)))
        self.untagged(b"%d FETCH (%s)" % (number, values))
        if kept.uid in self.known:
            self.known[kept.uid] = kept.modseq

    def fetch_item(self, kept: Kept, item: bytes) -> bytes:
        """One item of a FETCH response."""
        if item.startswith(b"BODY") and b"[" in item:
            return self.body_item(kept, item)
        values = {
            b"UID": b"%d" % kept.uid,
            b"FLAGS": b"(%s)" % " ".join(sorted(kept.flags)).encode(),
            b"MODSEQ": b"(%d)" % kept.modseq,
            b"RFC822.SIZE": b"%d" % len(kept.raw),
            b"INTERNALDATE": b'"%s"' % write_date_time(kept.date),
        }
        return item + b" " + values[item] if item in values else b""

    def body_item(self, kept: Kept, item: bytes) -> bytes:
        """BODY[…] with its literal; scripts may override."""
        section, _, partial = item[item.index(b"[") :].partition(b"<")
        head, _, _ = kept.raw.partition(b"\r\n\r\n")
        data = head + b"\r\n\r\n" if section.startswith(b"[HEADER") else kept.raw
        name = b"BODY" + section
        if partial:
            start, _, size = partial.rstrip(b">").partition(b".")
            data = data[int(start) : int(start) + int(size)]
            name += b"<" + start + b">"
        return b"%s {%d}\r\n%s" % (name, len(data), data)

    def do_uid_search(self, command: Command) -> bytes:
        words = list(command.words)
        returning = words[:1] == [b"RETURN"]
        if returning:
            words = words[2:]
        found = [each.uid for each in self.box.letters if matches(each, words, self.box)]
        self.search_line(command, found, returning=returning)
        return b"OK done"

    def search_line(self, command: Command, found: list[int], *, returning: bool) -> None:
        """The answer to SEARCH (RFC 9051 6.4.4; RFC 4731)."""
        if returning:
            every = b" ALL " + compact(found) if found else b""
            self.untagged(b'ESEARCH (TAG "%s") UID%s' % (command.tag, every))
        else:
            self.untagged(b" ".join([b"SEARCH", *(b"%d" % uid for uid in found)]))

    def do_uid_store(self, command: Command) -> bytes:
        where, *rest = command.words
        options = rest.pop(0) if b"UNCHANGEDSINCE" in (rest[0] if isinstance(rest[0], list) else []) else None
        action, flags = rest[0].upper(), rest[1] if isinstance(rest[1], list) else rest[1:]
        words = {flag.decode() for flag in flags}
        refused = []
        for kept in self.chosen(where):
            if options and kept.modseq > int(options[1]):
                refused.append(kept.uid)
                continue
            before = kept.flags
            after = before | words if action[:1] == b"+" else before - words if action[:1] == b"-" else words
            self.box.flag(kept, after)
            items = [b"UID", b"MODSEQ"] if b"SILENT" in action else [b"UID", b"FLAGS", b"MODSEQ"]
            self.fetch_line(kept, items if "CONDSTORE" in self.server.capabilities else items[:-1])
        return b"OK [MODIFIED %s] some" % compact(refused) if refused else b"OK done"

    def do_uid_copy(self, command: Command) -> bytes:
        copied = self.copied(command)
        return copied if isinstance(copied, bytes) else self._told(copied[0])

    def do_uid_move(self, command: Command) -> bytes:
        copied = self.copied(command)
        if isinstance(copied, bytes):
            return copied
        if "UIDPLUS" in self.server.capabilities:
            self.untagged(b"OK [%s] moved" % copied[0])  # RFC 6851 4.3
        self.box.drop(copied[1])
        self.tell_changes()
        return b"OK done"

    def copied(self, command: Command) -> bytes | tuple[bytes, list[int]]:
        """Copy; return the COPYUID code and the UIDs, or a refusal."""
        if command.words[1].decode() not in self.server.boxes:
            return b"NO [TRYCREATE] no such folder"
        to = self.server.boxes[command.words[1].decode()]
        olds = self.chosen(command.words[0])
        news = [to.add(each.raw, flags=each.flags, date=each.date) for each in olds]
        code = b"COPYUID %d %s %s" % (
            to.uidvalidity,
            compact(each.uid for each in olds),
            compact(each.uid for each in news),
        )
        return code, [each.uid for each in olds]

    def do_uid_expunge(self, command: Command) -> bytes:
        self.box.drop(each.uid for each in self.chosen(command.words[0]) if "\\Deleted" in each.flags)
        return b"OK done"

    def do_expunge(self, _: Command) -> bytes:
        self.box.drop(each.uid for each in self.box.letters if "\\Deleted" in each.flags)
        return b"OK done"


def quoted(name: str) -> bytes:
    """A quoted string."""
    return b'"' + name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

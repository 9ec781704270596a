"""What exports and directories of a ledger share: hashes, the tree, checkpoints, signers (docs/ledger-format.md)."""

import base64
import hashlib
import json
import re

from ed25519 import is_signed

FORM = 4
NOTE_MAX = 4096
CHANGES_MAX = 100
U64 = 2**64
DASH = "\u2014 "


class Bad(Exception):
    """Something is wrong."""


def need(condition, what):
    if not condition:
        raise Bad(what)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_of(record):
    return sha(b"\0", record)


def chain_of(before, leaf):
    return sha(b"\2", before, leaf)


def number(text):
    """A number in its one spelling."""
    need(re.fullmatch("0|[1-9][0-9]{0,19}", text) and int(text) < U64, "no number: %r" % text)
    return int(text)


def unbase64(text):
    """Base64 in its one spelling: with padding, and no bit set behind the last byte."""
    try:
        found = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise Bad("no base64: %r" % text) from None
    need(base64.b64encode(found).decode() == text, "no plain base64: %r" % text)
    return found


def hash_of(text):
    found = unbase64(text)
    need(len(found) == 32, "no hash: %r" % text)
    return found


def is_origin(text):
    return re.fullmatch(r"[!-*,-~]{1,200}", text) is not None


def plain(value):
    """JSON as the lines of an export have it: no white space, and nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Tip:
    """Where the ledger stands: number of the next record, chain value, roots of the complete subtrees."""

    def __init__(self, size=0, chain=bytes(32), parts=()):
        need(len(parts) == bin(size).count("1"), "so many subtrees cannot be")
        self.size, self.chain, self.parts = size, chain, list(parts)

    def push(self, leaf):
        self.chain = chain_of(self.chain, leaf)
        rest = self.size
        while rest & 1:
            leaf = sha(b"\1", self.parts.pop(), leaf)
            rest >>= 1
        self.parts.append(leaf)
        self.size += 1

    def root(self):
        if not self.parts:
            return sha()
        root = self.parts[-1]
        for part in reversed(self.parts[:-1]):
            root = sha(b"\1", part, root)
        return root


class Key:
    """A public key, `name+id+key`."""

    def __init__(self, text):
        name, more, rest = text.partition("+")
        number_of, again, coded = rest.partition("+")
        need(more and again and is_origin(name), "no public key: %r" % text)
        typed = unbase64(coded)
        need(len(typed) == 33 and typed[0] == 1, "no Ed25519 key: %r" % text)
        self.id = sha(name.encode(), b"\n", typed)[:4]
        need(self.id.hex() == number_of, "the key id is not that of the key")
        self.name, self.key, self.text = name, typed[1:], text


KNOWN = {}


def has_signed(key, body, signatures):
    """Whether one of the signature lines is by this key. Others are passed over: witnesses may add theirs."""
    for line in signatures:
        name, space, coded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not space or name != key.name:
            continue
        try:
            signed = unbase64(coded)
        except Bad:
            continue
        if signed[:4] != key.id or len(signed) < 4:
            continue
        asked = (key.key, body, signed[4:])
        if asked not in KNOWN:
            KNOWN[asked] = is_signed(key.key, body.encode(), signed[4:])
        if KNOWN[asked]:
            return True
    return False


def split_note(text):
    """The signed bytes, and the lines of signatures."""
    need(len(text.encode()) <= NOTE_MAX and text.endswith("\n"), "no signed note")
    body, empty, rest = text.partition("\n\n")
    need(empty and rest.startswith(DASH), "no signed note")
    return body + "\n", rest[:-1].split("\n")


def field(line, name):
    need(line.startswith(name + " "), "%r was expected, not %r" % (name, line))
    return line[len(name) + 1 :]


class Checkpoint:
    def __init__(self, text):
        self.body, self.signatures = split_note(text)
        lines = self.body[:-1].split("\n")
        need(len(lines) >= 5, "the checkpoint is too short")
        self.origin, self.size, self.root = lines[0], number(lines[1]), hash_of(lines[2])
        need(is_origin(self.origin), "no origin")
        self.chain, self.after = hash_of(field(lines[3], "chain")), number(field(lines[4], "after"))
        more = lines[5:]
        self.closes = self.signer = self.form = None
        if more and more[0].startswith("closes "):
            self.closes = number(field(more.pop(0), "closes"))
        if more:
            need(len(more) == 2, "lines that nobody knows")
            self.signer, self.form = number(field(more[0], "signer")), number(field(more[1], "form"))

    def is_by(self, key):
        return self.origin == key.name and has_signed(key, self.body, self.signatures)


class Change:
    """A change of the signer."""

    def __init__(self, text):
        self.text = text
        self.body, self.signatures = split_note(text)
        need(len(self.signatures) == 2, "a change has two signatures")
        lines = self.body[:-1].split("\n")
        need(len(lines) == 7 and is_origin(lines[0]), "no change of the signer")
        self.epoch, self.record = number(field(lines[1], "signer")), number(field(lines[2], "record"))
        self.chain = hash_of(field(lines[3], "chain"))
        self.before, self.to = Key(field(lines[4], "from")), Key(field(lines[5], "to"))
        self.ends = field(lines[6], "ends")
        need(self.ends in ("routine", "compromised"), "nobody knows why the epoch ended")
        need(self.before.name == self.to.name == lines[0], "a key of another ledger")


class Signers:
    """The keys of a ledger, in the order in which they signed it."""

    def __init__(self, first, changes=()):
        self.keys, self.changes = [first], []
        for text in changes:
            self.follow(text)

    def follow(self, text):
        change = Change(text)
        need(change.epoch == len(self.keys), "another epoch was expected")
        need(change.before.text == self.keys[-1].text, "it continues another key")
        for key in (change.before, change.to):
            need(has_signed(key, change.body, change.signatures), "the keys have not signed it")
        need(change.to.text not in [key.text for key in self.keys], "a key signs twice")
        need(not self.changes or change.record > self.changes[-1].record, "it stands in front of the one before")
        need(len(self.changes) < CHANGES_MAX, "too many changes")
        self.keys.append(change.to)
        self.changes.append(change)

    def epoch_at(self, size):
        return sum(change.record < size for change in self.changes)

    def epoch_of(self, text):
        """The epoch of an expected key; the first one where nobody expects any."""
        found = [epoch for epoch, key in enumerate(self.keys) if text in (None, key.text)]
        need(found, "another key was expected")
        return found[0]

    def is_compromised(self, expected):
        return any(change.ends == "compromised" for change in self.changes[expected:])

    def verify(self, checkpoint):
        """The epoch whose key signed it: that of its size, or a later one where it closes an export."""
        due = self.epoch_at(checkpoint.size)
        last = len(self.keys) - 1 if checkpoint.closes is not None else due
        for epoch in [due, *range(last, due, -1)]:
            if checkpoint.is_by(self.keys[epoch]):
                need(checkpoint.signer in (None, epoch), "changes of the signer were left out")
                return epoch
        raise Bad("the checkpoint is not signed by the key of its epoch")

    def compare(self, seq, before, record):
        """A change stands in the record that it names and in no other. `record` is None where it was destroyed."""
        known = [change for change in self.changes if change.record == seq]
        if known:
            need(known[0].chain == before, "the change was made for another history")
        if record is None:
            return
        found = change_in(record)
        need(found == (known[0].text if known else None), "another change of the signer")


def event_of(record):
    try:
        event = json.loads(record)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def change_in(record):
    if b'"ledger.signer"' not in record:
        return None
    event = event_of(record)
    return event.get("signer", "") if event.get("kind") == "ledger.signer" else None


def meets(tip, checkpoint):
    return checkpoint.chain == tip.chain and checkpoint.root == tip.root()

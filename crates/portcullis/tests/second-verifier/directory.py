"""Verifies a ledger's directory (docs/ledger-format.md, "Segments" and "Persons")."""

import base64
import hashlib
import os

from ed25519 import BASE, P, times
from ledger import (
    Bad,
    Checkpoint,
    Key,
    Signers,
    Tip,
    chain_of,
    event_of,
    leaf_of,
    meets,
    need,
    sha,
)
from seal import derive, opens, unseal

FRAME_MAX = 64 * 1024 * 1024


def public_of(seed):
    """The public key of a seed (RFC 8032 section 5.1.5)."""
    half = bytearray(hashlib.sha512(seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    x, y, z, _ = times(int.from_bytes(half, "little"), BASE)
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def little(data):
    return int.from_bytes(data, "little")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def notes_of(data, signatures):
    """Signed notes one after another, each with so many signatures; less than one at the end was never finished."""
    while data:
        body, empty, rest = data.partition(b"\n\n")
        lines = rest.split(b"\n", signatures)
        if not empty or len(lines) <= signatures:
            need(len(data) < 4096, "garbled notes")
            return
        note = body + empty + b"".join(line + b"\n" for line in lines[:signatures])
        need(len(note) <= 4096, "garbled notes")
        data = lines[signatures]
        try:
            yield note.decode()
        except UnicodeDecodeError:
            raise Bad("garbled notes") from None


class Segment:
    def __init__(self, path, keys):
        self.keys, self.data = keys, read(path)
        at = 68
        head = self.data[:at]
        need(len(head) == at and head[:8] == b"PORTLEDG", "no segment")
        self.version, self.first = little(head[8:12]), little(head[12:20])
        need(self.version in (1, 2), "another version")
        self.chain, self.salt = head[20:52], head[52:68]
        self.origin = ""
        if self.version == 2:
            length = self.take(at, 1)[0]
            self.origin = self.text(self.take(at + 1, length))
            at += 1 + length
        count = self.take(at, 1)[0]
        need(count <= 64, "too many tree hashes")
        hashes = self.take(at + 1, 32 * count)
        at += 1 + 32 * count
        self.start = Tip(self.first, self.chain, [hashes[i : i + 32] for i in range(0, len(hashes), 32)])
        name = "ledger segment%s" % ("" if self.version == 1 else " header")
        need(opens(self.key(name), self.data[:at], self.take(at, 29)), "the header's seal")
        self.at = at + 29
        self.header = sha(self.data[: self.at])
        self.note, self.leaves, self.content = None, None, self.key("ledger segment")
        if self.version == 2:
            self.leaves = self.key("ledger segment leaves")
            self.content = self.own_key(read(path[:-4] + ".key"))

    def text(self, data):
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Bad("no text") from None

    def take(self, at, count):
        need(len(self.data) >= at + count, "the header is cut off")
        return self.data[at : at + count]

    def key(self, purpose):
        return derive(self.keys.sealing, "%s %d %s" % (purpose, self.first, self.salt.hex()))

    def own_key(self, data):
        need(data is not None, "the key is gone")
        fixed = b"PORTLKEY" + (1).to_bytes(4, "little") + self.data[12:20] + self.salt
        need(data[:36] == fixed and len(data) > 36 and data[36] in (1, 2, 3), "the key of another segment")
        if data[36] == 1:
            key = self.keys.unwrap(data[:37], data[37:])
            need(len(key) == 32, "no key")
            return key
        length = 45 if data[36] == 2 else 53
        need(len(data) == length + 29, "no note")
        need(opens(self.key("ledger segment destroyed"), data[:length], data[length:]), "a note that is not ours")
        self.note = (little(data[37:45]), little(data[45:53]) if data[36] == 3 else None)
        return None

    def frames(self, is_last, covered):
        """Leaves and records of each frame. What a crash left at the very end is passed over, where nothing covers it."""
        number, chain, at = self.first, self.chain, self.at
        while at < len(self.data):
            head = self.data[at : at + 48]
            try:
                need(len(head) == 48, "torn")
                length, count = little(head[:4]), little(head[4:8])
                need(29 <= length <= FRAME_MAX and 0 < count <= length // 4, "torn")
                if little(head[8:16]) != number:
                    raise Bad("another record was expected")
                own = 29 + 32 * count if self.leaves else 0
                end = at + 48 + own + length
                need(end <= len(self.data), "torn")
                leaves, records = self.opened(head, chain, self.data[at + 48 : end], own, count)
            except Bad as bad:
                is_torn = str(bad) == "torn" or (str(bad) != "another record was expected" and end == len(self.data))
                need(is_last and is_torn and covered <= number, "damage: %s" % bad)
                return
            yield leaves, records
            number, chain, at = number + count, head[16:48], end

    def opened(self, head, chain, body, own, count):
        context = self.header + head[8:16] + head[4:8] + chain + head[16:48]
        records = None
        if self.content is not None:
            records, rest = [], unseal(self.content, context, body[own:])
            while rest:
                length = little(rest[:4])
                need(len(rest) >= 4 + length, "half a record")
                records.append(rest[4 : 4 + length])
                rest = rest[4 + length :]
        leaves = records and [leaf_of(record) for record in records]
        if self.leaves is not None:
            told = unseal(self.leaves, context, body[:own])
            told = [told[i : i + 32] for i in range(0, len(told), 32)]
            need(records is None or told == leaves, "the leaves of other records")
            leaves = told
        need(leaves is not None and len(leaves) == count, "another number of records")
        for leaf in leaves:
            chain = chain_of(chain, leaf)
        need(chain == head[16:48], "it does not continue the chain")
        return leaves, records or [None] * count


class Persons:
    """Who has a key, and who was erased: `kept`, and `erased` by the number of the record that says so."""

    def __init__(self, directory, keys):
        self.kept, self.erased = set(), {}
        data, rows = read(os.path.join(directory, "subjects.key")), read(os.path.join(directory, "subjects"))
        if data is None:
            need(rows is None, "the key of the persons is gone")
            return
        need(data[:12] == b"PORTSUBJ" + (1).to_bytes(4, "little") and len(data) > 20, "no key of persons")
        key = derive(keys.unwrap(data[:20], data[20:]), "ledger subject keys")
        for at in range(0, len(rows or b"") - 127, 128):
            row = rows[at : at + 128]
            subject = row[1:17].hex()
            if row[0] == 1:
                try:
                    own = unseal(key, row[:49], row[57:118])
                except Bad:
                    continue
                if sha(b"portcullis/v1/ledger/subject", own)[:16] == row[1:17]:
                    self.kept.add(subject)
            elif row[0] == 2 and opens(key, row[1:17] + row[57:73], row[73:102]):
                self.erased[subject] = little(row[65:73])

    def check(self, seq, record):
        event = event_of(record)
        for erased in (name for name, at in self.erased.items() if at == seq):
            need(event.get("kind") == "intent" and event.get("operation") == "ledger.erase", "no erasure")
            need(event.get("erases") == erased, "the erasure of somebody else")
        if record.startswith(b'{"schema":3'):
            for one in event.get("personal", []):
                for subject in one["subjects"]:
                    need(subject in self.kept or subject in self.erased, "the key of a person is missing")


class Directory:
    def __init__(self, place, keys, expected):
        self.place, self.keys = place, keys
        need(os.path.isdir(place), "no directory")
        notes = read(os.path.join(place, "checkpoints"))
        need(notes is not None, "the checkpoints are gone")
        self.checkpoints = [Checkpoint(text) for text in notes_of(notes, 1)]
        need(self.checkpoints, "the checkpoints are gone")
        origin = self.checkpoints[0].origin
        first = self.key_of(origin)
        self.signers = Signers(first, notes_of(read(os.path.join(place, "signers")) or b"", 2))
        self.expected = self.signers.epoch_of(expected)
        self.persons = Persons(place, keys)
        self.tip, self.noted = Tip(), []
        # What records say was destroyed: all before this number, and these persons.
        self.before, self.gone = 0, set()

    def key_of(self, origin):
        typed = b"\1" + public_of(self.keys.signing_seed)
        number = sha(origin.encode(), b"\n", typed)[:4].hex()
        return Key("%s+%s+%s" % (origin, number, base64.b64encode(typed).decode()))

    def check_checkpoints(self):
        size = None
        for one in self.checkpoints:
            self.signers.verify(one)
            need(one.size == 0 if size is None else one.size > size, "sizes grow from 0")
            need(one.after == (size or 0), "a checkpoint is missing")
            size = one.size

    def run(self):
        self.check_checkpoints()
        waiting = list(self.checkpoints)
        covered = waiting[-1].size
        self.compare(waiting)
        names = sorted(n for n in os.listdir(self.place) if len(n) == 24 and n.endswith(".seg") and n[:20].isdigit())
        segments = []
        for name in names:
            segment = Segment(os.path.join(self.place, name), self.keys)
            need(int(name[:20]) == segment.first == self.tip.size, "a segment is missing")
            start = segment.start
            need((start.chain, start.parts) == (self.tip.chain, self.tip.parts), "it begins elsewhere")
            need(segment.origin in ("", self.signers.keys[0].name), "a segment of another ledger")
            segments.append((segment.first, segment))
            for leaves, records in segment.frames(name == names[-1], covered):
                for leaf, record in zip(leaves, records):
                    self.record(leaf, record, segment.note)
                    self.compare(waiting)
            segment.end = self.tip.size
        need(not waiting, "a checkpoint covers more records")
        need(all(at is None or at < self.tip.size for at in self.noted), "the record of a destruction is missing")
        if self.expected:
            signed = [self.signers.epoch_at(one.size) for one in self.checkpoints]
            need(signed[-1] >= self.expected, "nothing is signed by the expected key")
        self.can_go_on()
        return self.is_returned([segment for _, segment in segments])

    def compare(self, waiting):
        while waiting and waiting[0].size == self.tip.size:
            need(meets(self.tip, waiting.pop(0)), "other records were signed")

    def record(self, leaf, record, note):
        seq = self.tip.size
        self.signers.compare(seq, self.tip.chain, record)
        if note is not None:
            self.noted.append(note[1])
        if record is not None:
            event = event_of(record)
            if seq in self.noted:
                need(event.get("kind") == "intent" and event.get("operation") == "ledger.destroy", "no destruction")
            self.persons.check(seq, record)
            if event.get("outcome") == "done" and event.get("kind") == "ledger.destroy":
                self.before = max(self.before, event.get("destroys", 0))
            if event.get("outcome") == "done" and event.get("kind") == "ledger.erase":
                self.gone.add(event.get("erases"))
        self.tip.push(leaf)

    def can_go_on(self):
        """The private key that signs now is there, where it does not follow from the root."""
        begun = self.signers.epoch_at(self.tip.size)
        need(len(self.signers.changes) <= begun + 1, "a change of the signer without its record")
        if begun == 0:
            return
        data = read(os.path.join(self.place, "signer-%d.key" % begun)) or b""
        fixed = b"PORTSIGN" + (1).to_bytes(4, "little") + begun.to_bytes(8, "little")
        need(data[:20] == fixed, "the key that signs is gone")
        seed = self.keys.unwrap(data[:52], data[52:])
        need(data[20:52] == public_of(seed) == self.signers.keys[begun].key, "another key than the one that signs")

    def is_returned(self, segments):
        """Whether a key is there that was destroyed."""
        closed = [segment for segment in segments[:-1] if segment.version == 2]
        noted = [segment.end for segment in closed if segment.note is not None]
        before = max([self.before, *noted])
        live = [segment for segment in closed if segment.note is None and segment.end <= before]
        return bool(live) or bool(self.gone & self.persons.kept)


def verify(place, keys, expected=None):
    """0: in order. 2: in order, with a caution. 3: something is wrong; and why."""
    try:
        directory = Directory(place, keys, expected)
        is_returned = directory.run()
    except (Bad, RecursionError) as bad:
        return 3, str(bad)
    if is_returned or directory.signers.is_compromised(directory.expected):
        return 2, "with a caution"
    return 0, "in order"

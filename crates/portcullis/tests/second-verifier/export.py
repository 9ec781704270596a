"""Verifies an exported file (docs/ledger-format.md, "Exported file")."""

import json
import re

from ledger import (
    FORM,
    U64,
    Bad,
    Checkpoint,
    Key,
    Signers,
    Tip,
    chain_of,
    event_of,
    hash_of,
    leaf_of,
    meets,
    need,
    number,
    plain,
)

LINE_MAX = 260 * 1024
FIELDS = ["format", "origin", "first_seq", "previous", "tree", "public_key"]
HASH = r"([A-Za-z0-9+/]{43}=)"
RECORD = re.compile(r'\{"seq":([0-9]+),"leaf":"%s","chain":"%s","event":(.*)\}' % (HASH, HASH), re.DOTALL)


class Cut(Exception):
    """All that is wrong is that the file ends early."""


def lines_of(data):
    """The lines without their ends; what is behind the last end is a line that was cut."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Bad("UTF-16")
    while data:
        line, end, data = data.partition(b"\n")
        need(len(line) + len(end) <= LINE_MAX and (end or len(line) < LINE_MAX), "the line is too long")
        if not end:
            raise Cut("the last line has no end")
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise Bad("no text") from None


class Export:
    def __init__(self, text, expected):
        try:
            found = json.loads(text)
        except ValueError:
            raise Bad("the first line is no JSON") from None
        need(isinstance(found, dict), "the first line is no object")
        changes = found.get("signers", [])
        names = FIELDS + (["signers"] if changes else [])
        need(list(found) == names and plain(found) == text, "the first line was changed")
        texts = [found[name] for name in FIELDS if name not in ("first_seq", "tree")]
        need(isinstance(found["tree"], list) and isinstance(changes, list), "no list")
        need(all(isinstance(one, str) for one in texts + found["tree"] + changes), "no text")
        self.first, self.form = found["first_seq"], number(found["format"].removeprefix("portcullis-ledger/"))
        need(found["format"].startswith("portcullis-ledger/"), "another format")
        need(type(self.first) is int and 0 <= self.first < U64, "no number")
        need(self.form in ((3, 4) if changes else (1, 2, 4)), "another form")
        first = Key(found["public_key"])
        need(first.name == found["origin"], "the key of another ledger")
        self.tip = Tip(self.first, hash_of(found["previous"]), [hash_of(part) for part in found["tree"]])
        need(self.first > 0 or self.tip.chain == bytes(32), "nothing is in front of the first record")
        self.signers = Signers(first, changes)
        self.expected = self.signers.epoch_of(expected)
        self.covered, self.is_closed, self.is_behind_one = None, False, False

    def record(self, text):
        found = RECORD.fullmatch(text)
        need(found, "no record")
        seq, leaf, chain = number(found[1]), hash_of(found[2]), hash_of(found[3])
        event = found[4].encode()
        need(seq == self.tip.size, "another record was expected")
        need(leaf == leaf_of(event), "another event than that of its hash")
        need(chain == chain_of(self.tip.chain, leaf), "it does not continue the chain")
        self.signers.compare(seq, self.tip.chain, event)
        if self.form == 1:
            told = event_of(event)
            schema = told.get("schema", 0)
            need(type(schema) is int and schema <= 2 and told.get("actor") is None, "a record of a later time")
        self.tip.push(leaf)
        self.is_behind_one = False

    def checkpoint(self, text):
        try:
            found = json.loads(text)
        except ValueError:
            raise Bad("no checkpoint") from None
        need(list(found) == ["checkpoint"] and plain(found) == text, "no checkpoint")
        need(isinstance(found["checkpoint"], str), "no checkpoint")
        signed = Checkpoint(found["checkpoint"])
        epoch = self.signers.verify(signed)
        need(signed.size == self.tip.size and meets(self.tip, signed), "other records were signed")
        closes = signed.closes is not None
        made_for = signed.form if signed.form is not None else 1 + closes
        need(made_for <= self.form, "signed for a newer form")
        need(not (closes and self.form == FORM and made_for != FORM), "not signed for this form")
        self.is_closed = closes or self.form == 1
        if self.is_closed:
            need(epoch >= self.expected, "closed by a key before the expected one")
        else:
            need(not self.is_behind_one, "two checkpoints speak of one record")
        need(not closes or signed.closes == self.first, "it closes another export")
        need(self.covered in (None, signed.after), "a checkpoint is missing")
        self.covered, self.is_behind_one = self.tip.size, True


def verify(data, expected=None):
    """0: in order. 1: cut. 2: in order, with a caution. 3: something is wrong; and why."""
    export = None
    try:
        for line in lines_of(data):
            if export is None:
                export = Export(line, expected)
                continue
            need(not export.is_closed, "something follows the end")
            if line.startswith('{"checkpoint":'):
                export.checkpoint(line)
            else:
                export.record(line)
        if export is None or not export.is_closed:
            raise Cut("the closing checkpoint is missing")
    except Cut as cut:
        if export is not None and export.is_closed:
            return 3, "something follows the end"
        return 1, str(cut)
    except (Bad, RecursionError) as bad:
        return 3, str(bad)
    if export.form == 1 or export.signers.is_compromised(export.expected):
        return 2, "with a caution"
    return 0, "in order"

"""Keys and seals: HKDF-SHA-256 (RFC 5869) and AES-256-GCM (NIST SP 800-38D), in plain Python. Slow, and it need not be fast."""

import hashlib
import hmac

from ledger import Bad, need


def derive(key, text):
    """The key "for TEXT": no salt, 32 bytes."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, text.encode() + b"\1", hashlib.sha256).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def _boxes():
    box, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ (p << 1) & 255 ^ (0x1B if p & 128 else 0)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 255
        if q & 128:
            q ^= 9
        turned = q
        for by in range(1, 5):
            turned ^= (q << by | q >> (8 - by)) & 255
        box[p] = turned ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return box


BOX = _boxes()
DOUBLE = [byte << 1 ^ (0x11B if byte & 128 else 0) for byte in range(256)]


def expand(key):
    """The round keys of AES-256 (FIPS 197 section 5.2)."""
    words, turn = [list(key[at : at + 4]) for at in range(0, 32, 4)], 1
    for at in range(8, 60):
        word = list(words[-1])
        if at % 8 == 0:
            word = [BOX[byte] for byte in word[1:] + word[:1]]
            word[0] ^= turn
            turn = DOUBLE[turn]
        elif at % 8 == 4:
            word = [BOX[byte] for byte in word]
        words.append([a ^ b for a, b in zip(word, words[at - 8])])
    return [sum(words[at : at + 4], []) for at in range(0, 60, 4)]


def encrypt(rounds, block):
    state = [a ^ b for a, b in zip(block, rounds[0])]
    for turn in range(1, 15):
        state = [BOX[state[(at + 4 * (at % 4)) % 16]] for at in range(16)]
        if turn < 14:
            mixed = []
            for at in range(0, 16, 4):
                a, b, c, d = state[at : at + 4]
                every = a ^ b ^ c ^ d
                mixed += [a ^ every ^ DOUBLE[a ^ b], b ^ every ^ DOUBLE[b ^ c]]
                mixed += [c ^ every ^ DOUBLE[c ^ d], d ^ every ^ DOUBLE[d ^ a]]
            state = mixed
        state = [a ^ b for a, b in zip(state, rounds[turn])]
    return bytes(state)


def table(h):
    """Multiples of h in the field of GCM, by each bit of a block."""
    multiples = []
    for _ in range(128):
        multiples.append(h)
        h = h >> 1 ^ (0xE1 << 120 if h & 1 else 0)
    return multiples


def hashed(multiples, data):
    total = 0
    for at in range(0, len(data), 16):
        block = total ^ int.from_bytes(data[at : at + 16], "big")
        total = 0
        while block:
            bit = block.bit_length()
            total ^= multiples[128 - bit]
            block ^= 1 << bit - 1
    return total


def padded(data):
    return data + bytes(-len(data) % 16)


KNOWN = {}


def unseal(key, context, sealed):
    """Opens a seal: version 1, nonce, ciphertext, tag."""
    asked = (key, context, sealed)
    if asked not in KNOWN:
        KNOWN[asked] = _unseal(*asked)
    need(KNOWN[asked] is not None, "a seal does not open")
    return KNOWN[asked]


def _unseal(key, context, sealed):
    if len(sealed) < 29 or sealed[0] != 1:
        return None
    nonce, text, tag = sealed[1:13], sealed[13:-16], sealed[-16:]
    rounds = expand(key)
    multiples = table(int.from_bytes(encrypt(rounds, bytes(16)), "big"))
    lengths = (8 * len(context)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big")
    digest = hashed(multiples, padded(context) + padded(text) + lengths).to_bytes(16, "big")
    mask = encrypt(rounds, nonce + (1).to_bytes(4, "big"))
    if bytes(a ^ b for a, b in zip(digest, mask)) != tag:
        return None
    plain = bytearray()
    for at in range(0, len(text), 16):
        stream = encrypt(rounds, nonce + (at // 16 + 2).to_bytes(4, "big"))
        plain += bytes(a ^ b for a, b in zip(text[at : at + 16], stream))
    return bytes(plain)


def opens(key, context, sealed):
    try:
        unseal(key, context, sealed)
    except Bad:
        return False
    return True


class Installation:
    """What follows from the root and from the key-encryption key."""

    def __init__(self, root, kek):
        self.sealing = derive(root, "portcullis/v1/ledger/seal")
        self.signing_seed = derive(root, "portcullis/v1/ledger/signing-seed")
        self.wrap_id = derive(kek, "portcullis/v1/kek/id")[:4]
        self.wrap = derive(kek, "portcullis/v1/kek/wrap-segment")

    def unwrap(self, plain, rest):
        """A key at rest: number of wraps, and each with the id of what wraps it."""
        need(rest and 1 <= rest[0] <= 4 and len(rest) == 1 + 65 * rest[0], "no wrapped key")
        for at in range(1, len(rest), 65):
            if rest[at : at + 4] == self.wrap_id:
                return unseal(self.wrap, plain, rest[at + 4 : at + 65])
        raise Bad("wrapped with another key-encryption key")

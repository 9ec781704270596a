"""A second verifier of ledgers: what docs/ledger-format.md says, in the standard library of Python 3.9.

    verify_ledger.py FILE [PUBLIC_KEY]       one exported file; the exit code is that of `portcullis ledger verify`
    verify_ledger.py --many                  the same for each line `FILE[<tab>PUBLIC_KEY]` of standard input: one line each
    verify_ledger.py --many ROOT KEK         the same for directories of a ledger; both keys in hexadecimal

It shares no code with the product, so that a mistake in one of them, or in the page, shows as a difference.
"""

import os
import sys

import directory
import export
from seal import Installation


def verified(name, expected, keys):
    if os.path.isdir(name):
        return directory.verify(name, keys, expected)
    with open(name, "rb") as file:
        return export.verify(file.read(), expected)


def many(keys):
    for line in sys.stdin:
        name, _, expected = line.rstrip("\n").partition("\t")
        code, why = verified(name, expected or None, keys)
        why = why.replace("\n", " ").encode("ascii", "replace").decode()
        print("%d %s" % (code, why), flush=True)


def main(arguments):
    if arguments[0] == "--many":
        secrets = [bytes.fromhex(text) for text in arguments[1:]]
        many(Installation(*secrets) if secrets else None)
        return 0
    code, why = verified(arguments[0], arguments[1] if len(arguments) > 1 else None, None)
    print(why)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

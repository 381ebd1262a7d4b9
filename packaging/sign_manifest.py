"""Makes the signed word about a new version that the app looks for once a day.

    sign_manifest.py new-key FILE                 writes a private key, prints the public half
    sign_manifest.py sign FILE --version 1.2.0 --page URL [--note TEXT]... > latest.json
    sign_manifest.py check latest.json --key PUBLIC

The private key stays with whoever releases; FILE is for its owner alone. Name the source in the
build as the project's URL "Update manifest": https://…/latest.json#ed25519=PUBLIC
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from desktop.core.update import KEY_BYTES, open_envelope, read_manifest
from desktop.system.updates import verify
from shared.errors import AppError
from shared.pairing import b64, from_b64


def main() -> int:
    options = _parser().parse_args()
    try:
        match options.command:
            case "new-key":
                print(new_key(options.file))
            case "sign":
                key = _read_key(options.file)
                print(signed(key, options.version, options.page, tuple(options.note)))
            case _:
                manifest = checked(options.file.read_bytes(), options.key)
                print(f"{manifest} is signed by this key.")
    except AppError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def new_key(file: Path) -> str:
    """Write a new private key; return the public half. A file that is there is never replaced."""
    key = Ed25519PrivateKey.generate()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(b64(key.private_bytes_raw()) + "\n")
    return b64(key.public_key().public_bytes_raw())


def signed(key: Ed25519PrivateKey, version: str, page: str, notes: tuple[str, ...]) -> str:
    """Return a manifest file.

    Raises:
        BadInput: the app would not take it.
    """
    manifest = json.dumps(
        {
            "version": version,
            "released_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "page": page,
            "notes": list(notes),
        },
        ensure_ascii=False,
    )
    read_manifest(manifest.encode())
    return json.dumps(
        {"manifest": manifest, "signature": b64(key.sign(manifest.encode()))}, indent=1
    )


def checked(content: bytes, public: str) -> str:
    """Return which version a file tells of.

    Raises:
        BadInput: it is odd, or signed by another key.
    """
    told, signature = open_envelope(content)
    verify(from_b64(public, KEY_BYTES), told, signature)
    return read_manifest(told).version


def _read_key(file: Path) -> Ed25519PrivateKey:
    text = file.read_text(encoding="ascii").strip()
    return Ed25519PrivateKey.from_private_bytes(from_b64(text, KEY_BYTES))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("new-key").add_argument("file", type=Path)
    sign = commands.add_parser("sign")
    sign.add_argument("file", type=Path)
    sign.add_argument("--version", required=True)
    sign.add_argument("--page", required=True)
    sign.add_argument("--note", action="append", default=[])
    check = commands.add_parser("check")
    check.add_argument("file", type=Path)
    check.add_argument("--key", required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())

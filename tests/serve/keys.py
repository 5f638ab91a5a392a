"""Keys that tests present."""

import hashlib

READER = "a-long-and-random-key-of-a-reader"
ADMIN = "a-long-and-random-key-of-an-admin"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

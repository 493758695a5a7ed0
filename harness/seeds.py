"""Seeds that depend only on their purpose."""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from the parts of a key, the same on every machine and in any order of computation.

    >>> derive_seed("weights", "nats-tss", 0) == derive_seed("weights", "nats-tss", 0)
    True
    >>> derive_seed("a", "bc") == derive_seed("ab", "c")
    False
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big") >> 1

"""The public key that belongs to a private one: X25519 of the base point (RFC 7748, section 5).

Nothing is secret here, so nothing is done against those who listen to the time that it takes.
"""

from __future__ import annotations

KEY = 32
PRIME = 2**255 - 19
A24 = 121665
BASE_POINT = 9


def clamp(private: bytes) -> bytes:
    """curve25519_clamp_secret(): the bits that every private key has in common."""
    return bytes((private[0] & 248, *private[1:31], private[31] & 127 | 64))


def generate_public(private: bytes) -> bytes | None:
    """curve25519_generate_public(): the public key; None: a key of zeros has none."""
    if not any(private):
        return None
    scalar = int.from_bytes(clamp(private), "little")
    x2, z2, x3, z3, swapped = 1, 0, BASE_POINT, 1, 0
    for at in reversed(range(255)):
        bit = scalar >> at & 1
        if swapped ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swapped = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % PRIME, b * b % PRIME
        e = aa - bb
        da, cb = (x3 - z3) * a % PRIME, (x3 + z3) * b % PRIME
        x3, z3 = (da + cb) ** 2 % PRIME, BASE_POINT * (da - cb) ** 2 % PRIME
        x2, z2 = aa * bb % PRIME, e * (aa + A24 * e) % PRIME
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, PRIME - 2, PRIME) % PRIME).to_bytes(KEY, "little")

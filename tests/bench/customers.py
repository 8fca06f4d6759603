"""Made-up accounts of a book, the same for every version that is measured."""

from __future__ import annotations

from hashlib import md5
from typing import Any

PAGE = 50


def customer(number: int) -> dict[str, Any]:
    """An account by its number: id, name, owner, ARR, score and band. One of seven has an accent in its name."""
    random = int(md5(str(number).encode(), usedforsecurity=False).hexdigest(), 16)
    score = random % 101
    return {
        "account_id": f"account-{random % 16**12:012x}",
        "name": f"Company {random % 16**8:08x}{' Müller & Söhne' if number % 7 == 0 else ' Trading Ltd'}",
        "owner": f"Owner {number % 50}",
        "arr": None if number % 9 == 0 else random % 100_000 + 1,
        "score": score,
        "band": "healthy" if score >= 70 else "at_risk" if score >= 40 else "critical",
    }

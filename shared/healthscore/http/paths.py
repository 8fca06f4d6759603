"""Account ids in paths.

The gateway decodes a path before it routes: an encoded `/` would split the id in two, and an encoded `?` would cut the
path off. So an id of plain characters stands as it is, and any other is written `~` followed by its UTF-8 in base64url
without padding. There is exactly one way to write each text; the id is the text as `normalised` gives it.
"""

from __future__ import annotations

import base64
import binascii
import re

from healthscore.core.identity.ids import normalised
from healthscore.http.errors import ApiError, invalid_request, shown
from healthscore.http.ids import MAX_ACCOUNT_ID, id_fault

_PLAIN = re.compile(r"[A-Za-z0-9._:@+-]+")
_RELATIVE = {".", ".."}  # clients and proxies resolve these, even when they are percent-encoded
HOW_TO_WRITE = (
    "An account id made only of A-Z a-z 0-9 . _ - : @ + stands in a path as it is; "
    "any other is written ~ followed by its UTF-8 in base64url without padding"
)


def encode_id(account_id: str) -> str:
    """Write an account id as one part of a path.

    >>> encode_id("acme")
    'acme'
    >>> encode_id("aws/chalice")
    '~YXdzL2NoYWxpY2U'
    """
    if _PLAIN.fullmatch(account_id) and account_id not in _RELATIVE:
        return account_id
    return "~" + base64.urlsafe_b64encode(account_id.encode()).rstrip(b"=").decode()


def decode_id(path_part: str) -> str:
    """Read an account id from a (percent-decoded) part of a path.

    Returns:
        The id as it is kept: normalised, as those in events are.

    Raises:
        ApiError: 400 `invalid_request`: it is not written as `encode_id` would write it, or it cannot be an id.
    """
    text = _from_base64url(path_part[1:]) if path_part.startswith("~") else path_part
    account_id = normalised(text)
    fault = id_fault(account_id, MAX_ACCOUNT_ID)
    if fault is not None:
        raise invalid_request(f"The account id in the path {fault[1]}.")
    if path_part != encode_id(text):
        raise invalid_request(f"{HOW_TO_WRITE}: {shown(account_id)} is written {encode_id(account_id)}.")
    return account_id


def _from_base64url(text: str) -> str:
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _malformed(text) from None


def _malformed(text: str) -> ApiError:
    return invalid_request(f"{shown('~' + text)} is no account id. {HOW_TO_WRITE}.")

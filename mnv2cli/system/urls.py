"""URLs without their secrets, and the user and password in them."""

from __future__ import annotations

import re
from typing import NamedTuple

# A URL without a host has no user: an @ in it is part of a name.
_USER = re.compile(
    r"(?<!zip)(?<!tar)(?<!memory)(?<!file)(?<!local)(://)[^/?#@]*(?:@[^/?#@]*)*@", re.IGNORECASE
)
_SECRET = re.compile(
    r"([?&#][^=&#\s]*(?:sig|token|secret|passw|pwd|credential|auth|session|jwt|api[-_]?key)"
    r"[^=&#\s]*=|[?&#](?:key|code|access[-_]?key|awsaccesskeyid|googleaccessid)=)[^&#\s]+",
    re.IGNORECASE,
)


class Login(NamedTuple):
    """A user and password; either may be empty."""

    user: str
    password: str


def redact(text: str) -> str:
    """Replace the secrets in a URL, or in text with URLs, by ``***``.

    Secrets are a user and password, and the value of each query parameter whose name suggests a
    secret, such as a signature or token. Other text stays unchanged.
    """
    if "://" not in text:
        return text
    return _SECRET.sub(r"\1***", _USER.sub(r"\1***@", text))


def redact_address(address: str) -> str:
    """Replace the secrets in text that should be a single URL, even if it is malformed.

    A password with a slash, or an address without its scheme, hides its user from :func:`redact`,
    so everything before the last ``@`` of a malformed URL is replaced.
    """
    if is_web_address(address) or address.lower().startswith("file:"):
        return redact(address)
    scheme, separator, _ = address.partition("://")
    start = scheme + separator if separator and "@" not in scheme else ""
    _, sign, host = address.rpartition("@")
    return redact(f"{start}***@{host}" if sign else address)


def is_web_address(text: str) -> bool:
    """Return whether text is an http or https URL with a host and, if any, a valid port."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        return valid and (parts.port is None or parts.port > 0)
    except ValueError:  # the port is not a number
        return False


def split_login(url: str) -> tuple[str, Login | None]:
    """Return a URL without its user and password, and both decoded; None if it has none.

    Raises:
        ValueError: It is not a URL.
    """
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    login, separator, host = parts.netloc.rpartition("@")
    if not separator:
        return url, None
    user, _, password = login.partition(":")
    plain = parts._replace(netloc=host).geturl()
    return plain, Login(unquote(user), unquote(password))

"""Errors of stores, web servers and archives, in plain words."""

from __future__ import annotations

from typing import Any

from mnv2cli.system.messages import reason
from mnv2cli.system.urls import redact

_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_THROTTLED = ("SlowDown", "Throttl", "TooManyRequests", "RequestLimitExceeded", "RequestTimeout")


class StoreError(OSError):
    """An error of a store, in plain words.

    Attributes:
        reason: A few words without a colon, as in :class:`ImageError`.
        detail: Details of this case; may be empty.
        passing: The error is temporary: another attempt may succeed.
        after: Seconds that the host asks to wait before another attempt; 0 for none.
    """

    def __init__(
        self, reason: str, detail: str = "", *, passing: bool = False, after: float = 0.0
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.passing = passing
        self.after = after


def http_error(status: int, after: float = 0.0) -> StoreError:
    """Return the error for an HTTP status.

    Args:
        status: 400 or more.
        after: Seconds that the host asks to wait before another attempt.
    """
    detail = f"HTTP {status}"
    if status in (404, 410):
        return StoreError("no such file", detail)
    if status in (401, 403, 407):
        return StoreError("permission denied", detail)
    if status in _PASSING_STATUS:
        reason = "host is busy" if status in (429, 503) else "host has a fault"
        return StoreError(reason, detail, passing=True, after=after)
    return StoreError("refused by the host", detail)


def store_error(error: BaseException) -> StoreError:
    """Return the error of any library as a :class:`StoreError`.

    The libraries' classes are recognised by name, so that none of them is imported.
    """
    if isinstance(error, StoreError):
        return error
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    answer: Any = response if isinstance(response, dict) else {}
    code = str(answer.get("Error", {}).get("Code", ""))
    if code.startswith(_THROTTLED):
        return StoreError("host is busy", code, passing=True)
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    # aiohttp's errors have a status, and warn if their code is read; other errors have a code.
    status = status or getattr(error, "status" if hasattr(error, "status") else "code", None)
    if isinstance(error, FileNotFoundError):
        return StoreError("no such file")
    if isinstance(error, PermissionError):
        return StoreError("permission denied")
    if str(status).isdigit() and 400 <= int(str(status)) < 600:
        return http_error(int(str(status)))
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, IsADirectoryError):
        return StoreError("a folder, not an image")
    if names & {"NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError"}:
        return StoreError("permission denied", "no credentials found")
    if any("Timeout" in name for name in names):
        return StoreError("timed out", passing=True)
    unreachable = {"ClientConnectorError", "EndpointConnectionError", "gaierror"}
    if names & unreachable or isinstance(error, ConnectionRefusedError):
        return StoreError("host cannot be reached", passing=True)
    if names & {"InvalidURL", "NonHttpUrlClientError"}:
        return StoreError("not a URL that can be read")
    if names & {"TooManyRedirects"}:
        return StoreError("refused by the host", "redirect loop")
    cut = {"ClientConnectionError", "ClientPayloadError", "HTTPClientError", "IncompleteRead"}
    if names & cut or isinstance(error, ConnectionError):
        return StoreError("connection was cut", passing=True)
    text = redact(" ".join(str(error).split()))[:200] or type(error).__name__
    return StoreError("cannot be read", text)


def archive_error(error: Exception) -> StoreError:
    """Return an error of reading an archive or a member as a :class:`StoreError`."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, KeyError):
        return StoreError("no such file")
    text = " ".join(str(error).strip("'\"").split())[:200]
    if "password" in text or "encrypted" in text:
        return StoreError("permission denied", "encrypted in its archive")
    if isinstance(error, OSError) and error.errno is not None:
        return StoreError("cannot be read", reason(error))
    return StoreError("damaged", f"in its archive, {text or type(error).__name__}")

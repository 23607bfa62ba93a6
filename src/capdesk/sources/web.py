"""A JSON document from the web: asked for again when the network or the server fails, never for ever."""

from __future__ import annotations

import time
from typing import Any

from capdesk.model.errors import InvalidInput, MalformedDocument, SourceUnavailable
from capdesk.sources.documents import read_json

ATTEMPTS = 4
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
TIMEOUT_SECONDS = 30.0


def get_json(
    address: str,
    *,
    attempts: int = ATTEMPTS,
    pause_seconds: float = PAUSE_SECONDS,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Any:
    """Get a document.

    Parameters
    ----------
    attempts
        How often it is asked for: again when nothing comes, when the server fails (5xx) and
        when it is asked to wait (429).
    pause_seconds
        Before the second attempt; doubled before each further one. A server that says how
        long to wait (``Retry-After``, in seconds) is obeyed, up to a minute.
    timeout_seconds
        For connecting, and between two pieces of the answer.

    Raises
    ------
    SourceUnavailable
        If no attempt succeeds.
    MalformedDocument
        If what comes is not JSON.
    InvalidInput
        If httpx is not installed.
    """
    httpx = _httpx()
    problem = ""
    with httpx.Client(timeout=timeout_seconds, follow_redirects=True) as client:
        for attempt in range(attempts):
            asked_to_wait = None
            try:
                answer = client.get(address)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success:
                    return _parse(answer.text, address)
                problem = f"HTTP {answer.status_code}"
                if answer.status_code != 429 and answer.status_code < 500:
                    raise SourceUnavailable(f"{address} refused the request: {problem}")
                asked_to_wait = answer.headers.get("retry-after")
            if attempt + 1 < attempts:
                time.sleep(_pause(asked_to_wait, pause_seconds * 2**attempt))
    raise SourceUnavailable(f"{address} did not answer in {attempts} attempts: {problem}")


def _pause(asked: str | None, otherwise: float) -> float:
    return min(float(asked) if asked and asked.isdecimal() else otherwise, LONGEST_PAUSE_SECONDS)


def _parse(text: str, address: str) -> Any:
    try:
        return read_json(text.encode())
    except ValueError as error:
        raise MalformedDocument(f"{address} gave no JSON: {error}") from None


def _httpx() -> Any:
    try:
        import httpx
    except ModuleNotFoundError:
        raise InvalidInput(
            "reading from the web needs httpx: install capdesk with its extra 'sources'"
        ) from None
    return httpx

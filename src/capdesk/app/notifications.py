"""Telling people: halts, breakers and overdue recalls to wherever they read, through apprise.

An address is one of apprise's URLs (mail, chat, a webhook). Sending happens in a thread of
its own, so that no event loop waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from capdesk.model.errors import CapdeskError, ConfigError


class NotDelivered(CapdeskError):
    """At least one address did not take a notification."""


class Notifier:
    """Sends to every address; use as the supervisor's `notify`.

    Parameters
    ----------
    addresses
        Apprise URLs.

    Raises
    ------
    ConfigError
        If apprise is not installed, or an address is none of its URLs.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        try:
            import apprise
        except ImportError as error:
            raise ConfigError("notifications need the extra: pip install 'capdesk[notify]'") from error
        self._apprise = apprise.Apprise()
        for address in addresses:
            if not self._apprise.add(address):
                raise ConfigError(
                    f"{address.partition('://')[0]}://... is no address that apprise can send to"
                )

    async def __call__(self, title: str, text: str) -> None:
        """Send to all addresses.

        Raises
        ------
        NotDelivered
            If one of them did not take it.
        """
        if not await asyncio.to_thread(self._apprise.notify, body=text, title=title):
            raise NotDelivered(f"{title!r} was not delivered to every address")

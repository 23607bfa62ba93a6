"""Data in: files, DefiLlama, exchanges through ccxt, chains through web3; each a `Source` of rows."""

from capdesk.sources.plugins import guess, names, open_source
from capdesk.sources.source import Reading, Source, read

__all__ = ["Reading", "Source", "guess", "names", "open_source", "read"]

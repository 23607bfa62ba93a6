"""The durable record of grants: an append-only journal, one writer, group commit."""

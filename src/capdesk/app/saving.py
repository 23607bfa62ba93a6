"""Writing what a command made to a file, and whether it took the place of another."""

from __future__ import annotations

from pathlib import Path


def save(path: Path, text: str) -> str:
    """Write a text; gives ``made``, or ``replaced`` where the file was there before."""
    done = "replaced" if path.exists() else "made"
    path.write_text(text, encoding="utf-8")
    return done

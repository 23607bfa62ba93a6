"""Sparse matrices: scipy ships no types for them, so they are untyped here, in one place."""

from __future__ import annotations

from typing import Any, TypeAlias

from scipy import sparse as scipy_sparse  # pyright: ignore[reportMissingTypeStubs]

sparse: Any = scipy_sparse
Matrix: TypeAlias = Any
"""A `scipy.sparse.csc_array` or `csr_array`."""

"""How far forecasts were off so far, and the tokens that a pool's reward is paid in."""

import sqlalchemy as sa
from alembic import op

from capdesk.records.types import Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns."""
    for name in ("forecast_error", "naive_error"):
        op.add_column("pool_daily_metrics", sa.Column(name, sa.Double, nullable=True))
    op.add_column("pools", sa.Column("reward_tokens", Json, nullable=True))

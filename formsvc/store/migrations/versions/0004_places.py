"""Where answers stand on scans and prints, and how sure their reading is."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("returns", sa.Column("places", sa.JSON(), nullable=True))

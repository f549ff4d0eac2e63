"""The first tables: rosters, papers, follow-up, logs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("name", name=op.f("uq_cases_name")),
    )
    op.create_table(
        "children",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("family_id", sa.Text(), server_default="", nullable=False),
        sa.Column("home_language", sa.Text(), server_default="", nullable=False),
        sa.Column("interpreter", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("iep_ifsp", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("erased", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_children")),
        sa.UniqueConstraint("child_id", name=op.f("uq_children_child_id")),
    )
    op.create_index(op.f("ix_children_family_id"), "children", ["family_id"], unique=False)
    op.create_table("erasing", sa.Column("name", sa.String(length=40), nullable=False), sa.PrimaryKeyConstraint("name", name=op.f("pk_erasing")))
    op.create_table(
        "files",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("state in ('arriving', 'kept', 'erased')", name=op.f("ck_files_state")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_files")),
    )
    op.create_table(
        "log_heads",
        sa.Column("log", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_log_heads")),
    )
    op.create_table(
        "logs",
        sa.Column("log", sa.String(length=12), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("event_key", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("log", "number", name=op.f("pk_logs")),
        sa.UniqueConstraint("log", "event_key", name=op.f("uq_logs_log_event_key")),
    )
    op.create_table(
        "monitoring",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monitoring")),
        sa.UniqueConstraint("kind", "subject", "due", name=op.f("uq_monitoring_kind_subject_due")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("child", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_consents_case_id")),
        sa.ForeignKeyConstraint(["child"], ["children.id"], name=op.f("fk_consents_child")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_case_id"), "consents", ["case_id"], unique=False)
    op.create_index(op.f("ix_consents_child"), "consents", ["child"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("released", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["child"], ["children.id"], name=op.f("fk_holds_child")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(op.f("ix_holds_child"), "holds", ["child"], unique=False)
    op.create_table(
        "units",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("option", sa.String(length=8), nullable=False),
        sa.Column("start", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_units_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_units_site_id_name")),
    )
    op.create_table(
        "conferences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("start_time", sa.String(length=5), nullable=True),
        sa.Column("end_time", sa.String(length=5), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_conferences_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conferences")),
        sa.UniqueConstraint("unit_id", "month", "kind", name=op.f("uq_conferences_unit_id_month_kind")),
    )
    op.create_index(op.f("ix_conferences_month"), "conferences", ["month"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("child", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("home", sa.Text(), server_default="", nullable=False),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["child"], ["children.id"], name=op.f("fk_enrolments_child")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_enrolments_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
    )
    op.create_index(op.f("ix_enrolments_child"), "enrolments", ["child"], unique=False)
    op.create_index("ix_enrolments_open", "enrolments", ["unit_id", "ends"], unique=False)
    op.create_index(op.f("ix_enrolments_unit_id"), "enrolments", ["unit_id"], unique=False)
    op.create_table(
        "sheets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("form", sa.String(length=32), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problems", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("done_on", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_sheets_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheets")),
        sa.UniqueConstraint("unit_id", "month", "form", "part", name=op.f("uq_sheets_unit_id_month_form_part")),
    )
    op.create_index(op.f("ix_sheets_month"), "sheets", ["month"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_staff_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("unit_id", "role", "name", name=op.f("uq_staff_unit_id_role_name")),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("opened", sa.String(length=7), nullable=False),
        sa.Column("latest", sa.String(length=7), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_actions_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    op.create_index(op.f("ix_actions_open"), "actions", ["open"], unique=False)
    op.create_index(op.f("ix_actions_sheet_id"), "actions", ["sheet_id"], unique=False)
    op.create_table(
        "attendance",
        sa.Column("conference_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=32), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("present", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("signed", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["conference_id"], ["conferences.id"], name=op.f("fk_attendance_conference_id")),
        sa.PrimaryKeyConstraint("conference_id", "form", "row", name=op.f("pk_attendance")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("withdrawn", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_decisions_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_sheet_id"), "decisions", ["sheet_id"], unique=False)
    op.create_table(
        "documents",
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lang", sa.String(length=2), nullable=False),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        sa.Column("base", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["file"], ["files.name"], name=op.f("fk_documents_file")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_documents_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("sheet_id", "edition", name=op.f("uq_documents_sheet_id_edition")),
    )
    op.create_table(
        "revisions",
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_revisions_sheet_id")),
        sa.PrimaryKeyConstraint("sheet_id", "number", name=op.f("pk_revisions")),
    )
    op.create_table(
        "action_children",
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("child", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["action"], ["actions.id"], name=op.f("fk_action_children_action")),
        sa.ForeignKeyConstraint(["child"], ["children.id"], name=op.f("fk_action_children_child")),
        sa.PrimaryKeyConstraint("action", "child", name=op.f("pk_action_children")),
    )
    op.create_table(
        "action_events",
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["action"], ["actions.id"], name=op.f("fk_action_events_action")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_action_events_sheet_id")),
        sa.PrimaryKeyConstraint("action", "sheet_id", name=op.f("pk_action_events")),
    )
    op.create_table(
        "returns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("document", sa.String(length=10), nullable=True),
        sa.Column("sheet_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("file_name", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), server_default="", nullable=False),
        sa.Column("form", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("stamp", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("values", sa.JSON(), nullable=True),
        sa.Column("raw", sa.JSON(), nullable=True),
        sa.Column("absent", sa.JSON(), nullable=True),
        sa.Column("problems", sa.JSON(), server_default="[]", nullable=False),
        sa.CheckConstraint("state in ('counted', 'waiting', 'refused', 'dropped')", name=op.f("ck_returns_state")),
        sa.ForeignKeyConstraint(["document"], ["documents.id"], name=op.f("fk_returns_document")),
        sa.ForeignKeyConstraint(["file"], ["files.name"], name=op.f("fk_returns_file")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_returns_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("file", name=op.f("uq_returns_file")),
    )
    op.create_index(op.f("ix_returns_document"), "returns", ["document"], unique=False)
    op.create_index(op.f("ix_returns_sheet_id"), "returns", ["sheet_id"], unique=False)
    op.create_table(
        "questions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=True),
        sa.Column("return_id", sa.Integer(), nullable=True),
        sa.Column("cell", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), server_default="open", nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("state in ('open', 'answered', 'gone')", name=op.f("ck_questions_state")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_questions_return_id")),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheets.id"], name=op.f("fk_questions_sheet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index(op.f("ix_questions_return_id"), "questions", ["return_id"], unique=False)
    op.create_index(op.f("ix_questions_sheet_id"), "questions", ["sheet_id"], unique=False)
    op.create_index("ix_questions_state", "questions", ["state", "sheet_id"], unique=False)

    _guard("revisions", "NOT EXISTS (SELECT 1 FROM erasing)")
    _guard("decisions", "NOT EXISTS (SELECT 1 FROM erasing)")
    _guard("logs", "1 = 1")


def _guard(table: str, when: str) -> None:
    """Rows of the table may be added but neither changed nor removed."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, '{table} only grow'); END")
        return
    op.execute(
        f"CREATE FUNCTION {table}_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {when} THEN RAISE EXCEPTION '{table} only grow'; END IF; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
    )
    op.execute(f"CREATE TRIGGER {table}_only_grow BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_only_grow()")
    op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_only_grow()")

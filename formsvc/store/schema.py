"""The tables. Times are ISO 8601 in UTC, months `YYYY-MM`; what people wrote is JSON in the values' one spelling.

A *sheet* is one paper of one unit and month; each time it is issued it becomes a *document* with its
own id (an edition). What comes back is a *return*; what is known after it is a *revision* of the
sheet. Revisions, decisions and both logs only ever grow (triggers refuse anything else).
"""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, index: bool = False) -> Column[str]:
    return Column(name, Text, nullable=False, default="", server_default="", index=index)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, default=False, server_default="0")


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


# ---------------------------------------------------------------- who is where

sites = Table("sites", metadata, _key(), Column("name", Text, nullable=False, unique=True))

units = Table(
    "units",
    metadata,
    _key(),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("option", String(8), nullable=False),
    Column("start", Date),  # first day of class: rule R2 counts from it
    UniqueConstraint("site_id", "name"),
)

staff = Table(
    "staff",
    metadata,
    _key(),
    Column("unit_id", ForeignKey("units.id"), nullable=False),
    Column("role", String(24), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("unit_id", "role", "name"),
)

children = Table(
    "children",
    metadata,
    _key(),
    Column("child_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("birth_date", Date),
    _text("family_id", index=True),
    _text("home_language"),
    _flag("interpreter"),
    _flag("iep_ifsp"),
    _flag("erased"),
)

enrolments = Table(
    "enrolments",
    metadata,
    _key(),
    Column("child", ForeignKey("children.id"), nullable=False, index=True),
    Column("unit_id", ForeignKey("units.id"), nullable=False, index=True),
    _text("home"),
    Column("starts", Date),
    Column("ends", Date),
    _text("reason"),
)

# ---------------------------------------------------------------- papers

files = Table(
    "files",
    metadata,
    Column("name", String(64), primary_key=True),  # keyed digest of the content
    Column("size", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # arriving, kept, erased
    Column("at", String(32), nullable=False),
    CheckConstraint("state in ('arriving', 'kept', 'erased')", name="state"),
)

conferences = Table(
    "conferences",
    metadata,
    _key(),
    Column("unit_id", ForeignKey("units.id"), nullable=False),
    Column("month", String(7), nullable=False, index=True),
    Column("kind", String(12), nullable=False),  # case, management (R17)
    Column("planned_on", Date),
    Column("held_on", Date),
    Column("start_time", String(5)),
    Column("end_time", String(5)),
    UniqueConstraint("unit_id", "month", "kind"),
)

attendance = Table(
    "attendance",
    metadata,
    Column("conference_id", ForeignKey("conferences.id"), primary_key=True),
    Column("form", String(32), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),
    _text("role"),
    _text("name"),
    _flag("present"),
    _flag("signed"),
)

sheets = Table(
    "sheets",
    metadata,
    _key(),
    Column("unit_id", ForeignKey("units.id"), nullable=False),
    Column("month", String(7), nullable=False, index=True),
    Column("form", String(32), nullable=False),
    Column("part", Integer, nullable=False),
    Column("revision", Integer, nullable=False, default=0, server_default="0"),
    Column("problems", JSON, nullable=False, default=list, server_default="[]"),
    _text("done_on"),
    UniqueConstraint("unit_id", "month", "form", "part"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String(10), primary_key=True),
    Column("sheet_id", ForeignKey("sheets.id"), nullable=False),
    Column("edition", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("lang", String(2), nullable=False),
    Column("snapshot", JSON, nullable=False),  # the values as issued
    Column("base", JSON, nullable=False),  # the same without what people had written on earlier editions
    Column("rows", JSON, nullable=False),  # whom each row is about
    Column("file", ForeignKey("files.name"), nullable=False),
    Column("at", String(32), nullable=False),
    UniqueConstraint("sheet_id", "edition"),
)

returns = Table(
    "returns",
    metadata,
    _key(),
    Column("file", ForeignKey("files.name"), nullable=False, unique=True),  # the same bytes come back once
    Column("document", ForeignKey("documents.id"), index=True),  # empty while nobody knows which one it is
    Column("sheet_id", ForeignKey("sheets.id"), index=True),  # where it counts
    Column("state", String(8), nullable=False),  # counted, waiting, refused, dropped
    _text("source"),
    _text("file_name"),
    Column("at", String(32), nullable=False),
    _text("by"),
    Column("form", String(32)),
    Column("version", Integer),
    _text("stamp"),  # the document id that the stamp told
    _text("why"),  # why it was dropped
    Column("values", JSON),
    Column("raw", JSON),  # answers that could not be understood, as they were written
    Column("absent", JSON),  # issued answers whose fields were not in the file at all: a page was missing
    Column("problems", JSON, nullable=False, default=list, server_default="[]"),
    Column("places", JSON),  # of paper: where each answer stands in the file (page, left, bottom, right, top) and how sure it is
    CheckConstraint("state in ('counted', 'waiting', 'refused', 'dropped')", name="state"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("sheet_id", ForeignKey("sheets.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("values", JSON, nullable=False),
    Column("rows", JSON, nullable=False),
    _text("cause"),
    Column("at", String(32), nullable=False),
    _text("by"),
)

decisions = Table(
    "decisions",
    metadata,
    _key(),
    Column("sheet_id", ForeignKey("sheets.id"), nullable=False, index=True),
    Column("cell", Text, nullable=False),
    Column("value", JSON),
    Column("seen", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    _text("by"),
    _flag("withdrawn"),  # the person took it back: the cell is undecided again
)

questions = Table(
    "questions",
    metadata,
    _key(),
    Column("sheet_id", ForeignKey("sheets.id"), index=True),
    Column("return_id", ForeignKey("returns.id"), index=True),
    _text("cell"),
    Column("code", String(40), nullable=False),
    Column("state", String(8), nullable=False, default="open", server_default="open"),  # open, answered, gone
    Column("facts", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    CheckConstraint("state in ('open', 'answered', 'gone')", name="state"),
)

# ---------------------------------------------------------------- follow-up

actions = Table(
    "actions",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("sheet_id", ForeignKey("sheets.id"), nullable=False, index=True),  # where it was first written
    Column("row", Text, nullable=False),
    Column("opened", String(7), nullable=False),
    Column("latest", String(7), nullable=False),  # the last month in which something was written about it
    Column("open", Boolean, nullable=False, index=True),
    Column("facts", JSON, nullable=False),  # text, need, responsible, target_date, status ...
)

action_children = Table(
    "action_children",
    metadata,
    Column("action", ForeignKey("actions.id"), primary_key=True),
    Column("child", ForeignKey("children.id"), primary_key=True),
)

action_events = Table(
    "action_events",
    metadata,
    Column("action", ForeignKey("actions.id"), primary_key=True),
    Column("sheet_id", ForeignKey("sheets.id"), primary_key=True),
    Column("month", String(7), nullable=False),
    Column("facts", JSON, nullable=False),
)

# ---------------------------------------------------------------- cases, monitoring, care

cases = Table(
    "cases",
    metadata,
    _key(),
    Column("name", String(40), nullable=False, unique=True),  # the agency's file number: no personal data
    Column("data", JSON, nullable=False),
    Column("at", String(32), nullable=False),
)

consents = Table(
    "consents",
    metadata,
    _key(),
    Column("case_id", ForeignKey("cases.id"), index=True),
    Column("child", ForeignKey("children.id"), index=True),
    Column("kind", String(12), nullable=False),  # share, distribute
    Column("data", JSON, nullable=False),
    Column("at", String(32), nullable=False),
)

monitoring = Table(
    "monitoring",
    metadata,
    _key(),
    Column("kind", String(24), nullable=False),
    Column("subject", Text, nullable=False),
    Column("due", Date, nullable=False),
    Column("done_on", Date, nullable=False),
    _text("by"),
    UniqueConstraint("kind", "subject", "due"),
)

holds = Table(
    "holds",
    metadata,
    _key(),
    Column("child", ForeignKey("children.id"), nullable=False, index=True),
    _text("why"),
    _text("by"),
    Column("at", String(32), nullable=False),
    _text("released"),
)

erasing = Table("erasing", metadata, Column("name", String(40), primary_key=True))
"""Holds a row only while data are erased on request: the triggers let nothing else change a revision."""

logs = Table(
    "logs",
    metadata,
    Column("log", String(12), primary_key=True),  # audit, disclosure
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("event", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("event_key", String(80)),  # an event that may be told twice is logged once
    UniqueConstraint("log", "event_key"),
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("log", String(12), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("seal", String(64), nullable=False),
)

Index("ix_enrolments_open", enrolments.c.unit_id, enrolments.c.ends)
Index("ix_logs_subject", logs.c.subject)
Index("ix_questions_state", questions.c.state, questions.c.sheet_id)

GROWING: Final = ("revisions", "decisions")
"""Tables whose rows change only while data are erased on request."""
SEALED: Final = ("logs",)
"""Tables whose rows never change."""

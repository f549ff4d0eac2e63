"""The tables of people at work: who may sign in and see what, drafts, background jobs, what other programs are told.

Secrets stand here as digests or encrypted: a copy of the database signs nobody in.
"""

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from formsvc.store.schema import metadata


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, default="", server_default="")


def _at(name: str) -> Column[str]:
    return Column(name, String(32), nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0, server_default="0")


def _person(*, key: bool = False) -> Column[int]:
    return Column("person_id", ForeignKey("people.id"), primary_key=key, nullable=False)


# ---------------------------------------------------------------- who may do what

people = Table(
    "people",
    metadata,
    _key(),
    Column("name", String(80), nullable=False, unique=True),  # what they sign in with, in small letters
    _text("shown"),
    Column("roles", JSON, nullable=False),
    _text("password"),  # argon2id; empty until a one-time link was used
    _text("second"),  # the secret of the second factor, encrypted; empty while there is none
    _count("second_used"),  # the last time step whose code was used: a code counts once
    Column("active", Boolean, nullable=False, default=True, server_default="1"),
    Column("lang", String(2), nullable=False, default="en", server_default="en"),
    _at("at"),
)

person_units = Table("person_units", metadata, _person(key=True), Column("unit_id", ForeignKey("units.id"), primary_key=True))

person_cases = Table("person_cases", metadata, _person(key=True), Column("case_id", ForeignKey("cases.id"), primary_key=True))

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    _person(),
    _at("made"),
    _at("seen"),
    Column("second", Boolean, nullable=False, default=False, server_default="0"),  # whether the second factor was given
)

links = Table("links", metadata, Column("digest", String(64), primary_key=True), _person(), _at("expires"))

attempts = Table("attempts", metadata, Column("key", String(64), primary_key=True), _count("count"), _at("since"))

devices = Table("devices", metadata, Column("digest", String(64), primary_key=True), _person(), _at("at"))

tokens = Table(
    "tokens",
    metadata,
    _key(),
    _person(),
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    _at("at"),
    _at("expires"),
    _text("revoked"),
    _text("used"),
)

# ---------------------------------------------------------------- work in hand

drafts = Table(
    "drafts",
    metadata,
    _key(),
    _person(),
    Column("sheet_id", ForeignKey("sheets.id"), index=True),
    Column("case_id", ForeignKey("cases.id"), index=True),
    Column("answers", JSON, nullable=False),  # what was typed, by answer key
    Column("shown", Text, nullable=False),  # what the person saw when they began, sealed
    _at("at"),
    UniqueConstraint("person_id", "sheet_id"),
    UniqueConstraint("person_id", "case_id"),
)

jobs = Table(
    "jobs",
    metadata,
    _key(),
    Column("batch", String(16), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(10), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("facts", JSON, nullable=False),
    Column("file", ForeignKey("files.name"), index=True),  # what is to be read, or what was made
    _count("done"),
    _count("total"),
    Column("result", JSON),
    _count("tries"),
    _text("worker"),
    _text("lease"),
    _at("at"),
    _at("changed"),
    CheckConstraint("state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),
)

Index("ix_jobs_state", jobs.c.state, jobs.c.id)

workers = Table("workers", metadata, Column("name", String(80), primary_key=True), _at("started"), _at("seen"))

# ---------------------------------------------------------------- other programs

requests = Table(
    "requests",
    metadata,
    Column("token_id", ForeignKey("tokens.id"), primary_key=True),
    Column("key", String(80), primary_key=True),  # the caller's Idempotency-Key
    Column("digest", String(64), nullable=False),
    _count("status"),  # 0 while it is being answered
    Column("answer", JSON),
    _at("at"),
)

hooks = Table(
    "hooks",
    metadata,
    _key(),
    _person(),
    Column("url", Text, nullable=False),
    _text("secret"),  # encrypted
    Column("events", JSON, nullable=False),
    Column("active", Boolean, nullable=False, default=True, server_default="1"),
    _at("at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _key(),
    Column("hook_id", ForeignKey("hooks.id"), nullable=False, index=True),
    Column("event", String(40), nullable=False),
    Column("told", JSON, nullable=False),  # ids only
    Column("state", String(10), nullable=False, index=True),  # waiting, told, given-up
    _count("tries"),
    _at("next"),
    _count("status"),
    _text("why"),
    _at("at"),
)

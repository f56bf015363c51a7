"""The SQL that moves the schema to Citus, made from the models; see docs/scale.md.

It is plain PostgreSQL but for four functions of Citus, so that the rest can be tried without it.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BaseConstraint, F, Field, ForeignKey, Model, UniqueConstraint

from weilu.orgs.sharding import COLUMN, EVERYWHERE, Kind, kind_of, tables

# Keys that migrations made by hand, unknown to the models.
BY_HAND = {
    "organisation_parent_began": (
        "orgs_organisation",
        "FOREIGN KEY (parent_id, parent_from) REFERENCES orgs_organisation (id, valid_from) ON UPDATE CASCADE"
        " DEFERRABLE INITIALLY DEFERRED",
    )
}
FIRST = "matters_matter"  # the others are put beside it
# Which keys Citus can hold: whose rows may name whose.
ALLOWED = {
    (Kind.DISTRIBUTED, Kind.DISTRIBUTED),
    (Kind.DISTRIBUTED, Kind.REFERENCE),
    (Kind.REFERENCE, Kind.REFERENCE),
    (Kind.LOCAL, Kind.REFERENCE),
    (Kind.LOCAL, Kind.LOCAL),
}

HEAD = """\
-- Weilu on Citus: the schema of one PostgreSQL becomes distributed. Made from the models by `weilu distribute --print`.
--
-- Before: a backup; the site stopped; PostgreSQL 15 or newer with Citus 12 or newer on every machine;
--   CREATE EXTENSION citus and btree_gist on each; citus_set_coordinator_host and citus_add_node on the first.
-- Run it once, on the first machine, as the owner of the tables: psql -v ON_ERROR_STOP=1 -f this file.
-- After: `weilu migrate` (rights), WEILU_SHARDED=1 in the environment, start. See docs/scale.md."""


class CannotDistribute(ValueError):
    """The models break a rule that a sharded database needs; the message names the place."""


def script(shards: int = 64) -> str:
    """Return the whole SQL.

    Args:
        shards: into how many parts each distributed table is divided.

    Raises:
        CannotDistribute: the models break a rule.
    """
    kinds = tables()
    parts = [
        HEAD,
        _listing(kinds),
        _section("Foreign keys go; those that Citus can hold come back at the end", "BEGIN;"),
    ]
    parts += [_drop_keys(kinds), _section("Every unique key of a distributed table names the jurisdiction")]
    parts += [text for model in _of(kinds, Kind.DISTRIBUTED) for text in keys_of(model)]
    parts += [_section("No identity columns: their numbers come from a sequence"), *_plain_numbers(kinds), "COMMIT;"]
    parts += [_section("Reference tables: all rows on every machine")]
    parts += [f"SELECT create_reference_table('{model._meta.db_table}');" for model in _of(kinds, Kind.REFERENCE)]
    parts += [_section("Distributed tables: each row where its jurisdiction lies"), *_distribute(kinds, shards)]
    parts += [_section("Foreign keys, as far as they stay within a jurisdiction or name a reference table")]
    parts += [text for model in kinds if (text := foreign_keys_of(model))]
    parts += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {text};" for name, (table, text) in BY_HAND.items()]
    return "\n".join(parts) + "\n"


def _of(kinds: dict[type[Model], Kind], kind: Kind) -> list[type[Model]]:
    return sorted((model for model in kinds if kinds[model] is kind), key=lambda model: model._meta.db_table)


def _section(title: str, *more: str) -> str:
    return "\n".join(["", f"-- {title}", *more])


def _listing(kinds: dict[type[Model], Kind]) -> str:
    lines = [_section("Where each table lies")]
    for kind in Kind:
        names = [model._meta.db_table for model in _of(kinds, kind)]
        lines += [f"-- {kind}:", *(f"--   {name}{_why(name, kinds)}" for name in names)]
    return "\n".join(
        [*lines, "--   django_migrations and the tables of the queue (procrastinate_…), which has triggers"]
    )


def _why(table: str, kinds: dict[type[Model], Kind]) -> str:
    label = next(model._meta.label for model in kinds if model._meta.db_table == table)
    return f" ({EVERYWHERE[label]})" if label in EVERYWHERE else ""


def _drop_keys(kinds: dict[type[Model], Kind]) -> str:
    """Drop the keys from and to tables that will not be local, whatever their names."""
    moving = sorted(model._meta.db_table for model, kind in kinds.items() if kind is not Kind.LOCAL)
    names = ", ".join(f"'{name}'" for name in moving)
    return f"""\
DO $$
DECLARE
  held record;
BEGIN
  FOR held IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    AND (conrelid = ANY (ARRAY[{names}]::regclass[]) OR confrelid = ANY (ARRAY[{names}]::regclass[]))
  LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', held.owner, held.conname);
  END LOOP;
END $$;"""  # noqa: S608  names of our own tables


# --- keys -------------------------------------------------------------------------------------------------------------
def keys_of(model: type[Model]) -> list[str]:
    """Return what makes the unique keys of a distributed table name the jurisdiction.

    It comes last in each key: look-ups by the columns before it find their index as they did.
    """
    if model._meta.get_field("jurisdiction").null:
        raise CannotDistribute(f"{model._meta.label}: the jurisdiction may be empty")
    table = model._meta.db_table
    name, key = f"{table}_pkey", model._meta.pk.column  # type: ignore[union-attr]
    found = []
    if key:  # a key of several columns names the jurisdiction already
        found.append(
            f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} PRIMARY KEY ({key}, {COLUMN});"
        )
    for field in model._meta.local_concrete_fields:
        if field.unique and not field.primary_key:
            name = f"{table}_{field.column}_key"
            found.append(
                f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} UNIQUE ({field.column}, {COLUMN});"
            )
    editor = _editor()
    for constraint in model._meta.constraints:
        if wider := widened(constraint):
            found += [f"{constraint.remove_sql(model, editor)};", f"{wider.create_sql(model, editor)};"]
    return found


def _editor() -> BaseDatabaseSchemaEditor:
    """Return Django's writer of SQL; it writes and runs nothing."""
    return connection.SchemaEditorClass(connection, collect_sql=True)  # type: ignore[misc]


def widened(constraint: BaseConstraint) -> BaseConstraint | None:
    """Return a unique or exclusion constraint with the jurisdiction; None for one that needs nothing."""
    _path, expressions, given = constraint.deconstruct()
    if isinstance(constraint, ExclusionConstraint):
        if ("jurisdiction", RangeOperators.EQUAL) in constraint.expressions:
            return None
        return ExclusionConstraint(
            **{**given, "expressions": [*constraint.expressions, ("jurisdiction", RangeOperators.EQUAL)]}
        )
    if not isinstance(constraint, UniqueConstraint) or "jurisdiction" in constraint.fields:
        return None
    if expressions:
        return UniqueConstraint(*expressions, F("jurisdiction"), **given)
    if classes := given.get("opclasses"):
        given["opclasses"] = [*classes, "uuid_ops"]
    return UniqueConstraint(**{**given, "fields": [*constraint.fields, "jurisdiction"]})


def _plain_numbers(kinds: dict[type[Model], Kind]) -> Iterator[str]:
    for model, kind in kinds.items():
        column: Any = model._meta.pk
        if kind is Kind.LOCAL or "AutoField" not in column.get_internal_type():
            continue
        if kind is Kind.DISTRIBUTED:
            raise CannotDistribute(f"{model._meta.label}: its key is numbered by the database")
        table, name = model._meta.db_table, f"{model._meta.db_table}_{column.column}_seq"
        yield f"ALTER TABLE {table} ALTER COLUMN {column.column} DROP IDENTITY;"
        yield f"CREATE SEQUENCE {name} OWNED BY {table}.{column.column};"
        yield f"SELECT setval('{name}', COALESCE(max({column.column}), 0) + 1, false) FROM {table};"  # noqa: S608
        yield f"ALTER TABLE {table} ALTER COLUMN {column.column} SET DEFAULT nextval('{name}');"


def _distribute(kinds: dict[type[Model], Kind], shards: int) -> Iterator[str]:
    names = [model._meta.db_table for model in _of(kinds, Kind.DISTRIBUTED)]
    yield f"SELECT create_distributed_table('{FIRST}', '{COLUMN}', colocate_with => 'none', shard_count => {shards});"
    for name in names:
        if name != FIRST:
            yield f"SELECT create_distributed_table('{name}', '{COLUMN}', colocate_with => '{FIRST}');"
    yield "-- Frees what the first machine still holds of them."
    for name in names:
        yield f"SELECT truncate_local_data_after_distributing_table('{name}');"


# --- foreign keys -----------------------------------------------------------------------------------------------------
def foreign_keys_of(model: type[Model]) -> str:
    """Return the foreign keys of a table that were dropped, as Citus can hold them."""
    lines = []
    for field in model._meta.local_fields:
        if isinstance(field, ForeignKey) and _is_kept(field) and not _stays(field):
            lines.append(_foreign_key(field))
    return "\n".join(lines)


def _is_kept(field: Any) -> bool:
    return field.db_constraint


def _stays(field: ForeignKey) -> bool:
    return kind_of(field.model) is Kind.LOCAL and kind_of(_target(field)) is Kind.LOCAL


def _target(field: ForeignKey) -> type[Model]:
    return field.related_model  # type: ignore[return-value]


def _foreign_key(field: ForeignKey) -> str:
    ends = kind_of(field.model), kind_of(_target(field))
    if ends not in ALLOWED:
        raise CannotDistribute(f"{field} of a {ends[0]} table names a row of a {ends[1]} table")
    editor: Any = _editor()
    if ends != (Kind.DISTRIBUTED, Kind.DISTRIBUTED):
        return f"{editor._create_fk_sql(field.model, field, '_fk_%(to_table)s_%(to_column)s')};"
    target: Field = _target(field)._meta.pk  # type: ignore[assignment]
    name = editor._fk_constraint_name(field.model, field, "_fk_%(to_table)s_%(to_column)s")
    return (
        f"ALTER TABLE {field.model._meta.db_table} ADD CONSTRAINT {name}"
        f" FOREIGN KEY ({field.column}, {COLUMN}) REFERENCES {target.model._meta.db_table} ({target.column}, {COLUMN})"
        " DEFERRABLE INITIALLY DEFERRED;"
    )

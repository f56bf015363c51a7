"""What Citus does not run, seen from the text of a query; and stand-ins for its functions that check what it checks.

Citus itself is not on the machines where the suite runs.
"""

import re
from collections.abc import Iterator
from functools import cache

import sqlglot
from sqlglot import exp

from weilu.orgs.sharding import COLUMN, Kind, tables

DISTRIBUTED = {model._meta.db_table for model, kind in tables().items() if kind is Kind.DISTRIBUTED}
# Work on one machine only; https://docs.citusdata.com/en/stable/develop/reference_workarounds.html
ONE_SHARD = {
    exp.Lock: "a row lock",
    exp.Lateral: "LATERAL",
    exp.TableSample: "TABLESAMPLE",
    exp.GroupingSets: "GROUPING SETS",
    exp.Rollup: "ROLLUP",
    exp.Cube: "CUBE",
}
Node = tuple[int, str]  # a table of a SELECT: the SELECT and the alias


class Together:
    """Which tables of a query lie on one machine, as their jurisdictions are said to be equal."""

    def __init__(self) -> None:
        self.parent: dict[object, object] = {}

    def root(self, node: object) -> object:
        while (above := self.parent.get(node, node)) != node:
            node = above
        return node

    def join(self, one: object, other: object) -> None:
        self.parent[self.root(one)] = self.root(other)


def selects(tree: exp.Expression) -> Iterator[exp.Select]:
    yield from tree.find_all(exp.Select)


def sources(select: exp.Select) -> dict[str, exp.Expression]:
    """Return what a SELECT reads from, by alias."""
    read = [select.args.get("from_") or select.args.get("from"), *(select.args.get("joins") or [])]
    return {item.this.alias_or_name: item.this for item in read if item is not None}


def outer(select: exp.Select) -> exp.Select | None:
    return select.parent_select


def owner(select: exp.Select | None, alias: str) -> Node | None:
    """Return the table that an alias means inside ``select``."""
    while select is not None:
        if alias in sources(select):
            return id(select), alias
        select = outer(select)
    return None


def conditions(select: exp.Select) -> Iterator[exp.Expression]:
    """Return the conditions that all rows of a SELECT fulfil."""
    found = [select.args.get("where"), *(join.args.get("on") for join in select.args.get("joins") or [])]
    waiting = [item.this if isinstance(item, exp.Where) else item for item in found if item is not None]
    while waiting:
        item = waiting.pop().unnest()
        if isinstance(item, exp.And):
            waiting += [item.left, item.right]
        else:
            yield item


def placed(tree: exp.Expression) -> tuple[dict[Node, str], Together]:
    """Return the distributed tables of a query, and which of them lie together."""
    found: dict[Node, str] = {}
    together = Together()
    for select in selects(tree):
        for alias, source in sources(select).items():
            if isinstance(source, exp.Table) and source.name in DISTRIBUTED:
                found[id(select), alias] = source.name
        for condition in conditions(select):
            if isinstance(condition, exp.EQ):
                ends = [end_of(select, side.unnest()) for side in (condition.left, condition.right)]
                if None not in ends:
                    together.join(*ends)
    return found, together


def end_of(select: exp.Select, side: exp.Expression) -> object:
    if isinstance(side, exp.Column) and side.name == COLUMN:
        alone = list(sources(select)) if not side.table and len(sources(select)) == 1 else []
        return owner(select, alone[0] if alone else side.table)
    if isinstance(side, exp.Cast):
        side = side.this
    return ("value", side.name) if isinstance(side, exp.Literal) else None


def faults(sql: str) -> list[str]:
    """Return what Citus would refuse in a query that reads; a query of the same shape is looked at once."""
    known: dict[str, str] = {}
    return _faults(re.sub(r"'(?:[^']|'')*'", lambda found: known.setdefault(found[0], f"'{len(known)}'"), sql))


@cache
def _faults(sql: str) -> list[str]:
    if not any(table in sql for table in DISTRIBUTED):
        return []
    tree = sqlglot.parse_one(sql, read="postgres")
    found, together = placed(tree)
    roots = {together.root(node) for node in found}
    ends = [*together.parent, *together.parent.values()]
    values = {together.root(end) for end in ends if end[0] == "value"}  # type: ignore[index]
    if len(roots) == 1 and roots <= values:
        return []  # one machine answers: all of SQL works
    wrong = [f"{name} over several machines" for kind, name in ONE_SHARD.items() if tree.find(kind)]
    if any(part.args.get("recursive") for part in tree.find_all(exp.With)):
        wrong.append("WITH RECURSIVE over several machines")
    for select in selects(tree):
        wrong += _apart(select, found, together)
        wrong += _correlated(select, found, together)
    return wrong


def _apart(select: exp.Select, found: dict[Node, str], together: Together) -> list[str]:
    here = {node: name for node, name in found.items() if node[0] == id(select)}
    if len({together.root(node) for node in here}) <= 1:
        return []
    return [f"a join without the jurisdiction: {', '.join(sorted(set(here.values())))}"]


def _correlated(select: exp.Select, found: dict[Node, str], together: Together) -> list[str]:
    """A subquery that names a column of the query around it runs where that one's rows lie."""
    inside = {id(item) for item in selects(select)}
    theirs = {together.root(node) for node in found if node[0] in inside}
    around = [column for column in select.find_all(exp.Column) if _from_outside(select, column)]
    if not theirs or not around:
        return []
    above = outer(select)
    beside = {together.root(node) for node in found if above is not None and node[0] == id(above)}
    if theirs <= beside:
        return []
    names = ", ".join(sorted({name for node, name in found.items() if node[0] in inside}))
    return [f"a correlated subquery without the jurisdiction: {names}"]


def _from_outside(select: exp.Select, column: exp.Column) -> bool:
    node = owner(column.parent_select, column.table) if column.table else None
    return node is not None and node[0] not in {id(item) for item in selects(select)}


# --- stand-ins --------------------------------------------------------------------------------------------------------
STAND_INS = """
CREATE TABLE stood_in (name regclass PRIMARY KEY, kind text NOT NULL, key_type regtype);

CREATE FUNCTION checked(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = t AND NOT tgisinternal) THEN
    RAISE 'triggers are not supported: %', t; END IF;
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = t AND attidentity <> '') THEN
    RAISE 'identity columns: %', t; END IF;
  IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND t IN (conrelid, confrelid)) THEN
    RAISE 'a foreign key stands before the tables are where they belong: %', t; END IF;
  IF EXISTS (SELECT FROM stood_in WHERE name = t) THEN RAISE 'is there already: %', t; END IF;
END $$;

CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM checked(t);
  INSERT INTO stood_in VALUES (t, 'reference', NULL);
END $$;

CREATE FUNCTION create_distributed_table(t regclass, col text, colocate_with text, shard_count int DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  held pg_attribute;
BEGIN
  PERFORM checked(t);
  SELECT * INTO STRICT held FROM pg_attribute WHERE attrelid = t AND attname = col;
  IF NOT held.attnotnull THEN RAISE 'may be empty: %.%', t, col; END IF;
  IF EXISTS (SELECT FROM pg_index WHERE indrelid = t AND indisunique AND NOT held.attnum = ANY (indkey)) THEN
    RAISE 'a unique key without the column: %', t; END IF;
  IF EXISTS (
    SELECT FROM pg_constraint c WHERE conrelid = t AND contype = 'x' AND NOT EXISTS (
      SELECT FROM unnest(c.conkey, c.conexclop) AS part (number, operator) JOIN pg_operator o ON o.oid = operator
      WHERE number = held.attnum AND o.oprname = '=')) THEN
    RAISE 'an exclusion without the column: %', t; END IF;
  IF colocate_with <> 'none' AND NOT EXISTS (
    SELECT FROM stood_in WHERE name = colocate_with::regclass AND kind = 'distributed' AND key_type = held.atttypid)
  THEN RAISE 'cannot lie beside %: %', colocate_with, t; END IF;
  INSERT INTO stood_in VALUES (t, 'distributed', held.atttypid);
END $$;

CREATE FUNCTION truncate_local_data_after_distributing_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM stood_in WHERE name = t AND kind = 'distributed') THEN
    RAISE 'not distributed: %', t; END IF;
END $$;
"""
# Foreign keys that Citus would refuse once the tables are where they belong.
WRONG_KEYS = """
SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k
LEFT JOIN stood_in a ON a.name = k.conrelid LEFT JOIN stood_in b ON b.name = k.confrelid
WHERE k.contype = 'f' AND (a.kind IS NOT NULL OR b.kind IS NOT NULL) AND NOT CASE
  WHEN b.kind = 'reference' THEN true
  WHEN a.kind = 'distributed' AND b.kind = 'distributed' THEN EXISTS (
    SELECT FROM unnest(k.conkey, k.confkey) AS part (mine, its)
    JOIN pg_attribute m ON m.attrelid = k.conrelid AND m.attnum = mine AND m.attname = 'jurisdiction_id'
    JOIN pg_attribute i ON i.attrelid = k.confrelid AND i.attnum = its AND i.attname = 'jurisdiction_id')
  ELSE false END
"""

"""The statements that make the bench's nation. Chance is a hash of the row's number: the same for the same numbers."""

FIRST_PREFIX = "BAAA"
SIGNS = "云山河川石林泉田竹松柏梅兰溪湖沙金玉青白红安平和兴福永新东西南北大长高上中下龙凤"
ENDS = "阳阴口岭坪坝坡湾塘桥店集庄屯沟峪关寨铺岗洲浦港墩埠垭冲营堡台塬滩岩坳甸坑井场园"


def name_of(number: str, kind: str) -> str:
    """Return the expression of an invented name, for a statement with values: two signs and the kind of place."""
    return (
        f"substr('{SIGNS}', 1 + {number} * 7 %% {len(SIGNS)}, 1)"
        f" || substr('{ENDS}', 1 + ({number} / {len(SIGNS)} * 11 + {number}) %% {len(ENDS)}, 1) || {kind}"
    )


# Codes of provinces begin with 11, as those of GB/T 2260 do, and leave no gaps.
PROVINCES = f"""
INSERT INTO orgs_place (id, code, name, short_name, level, parent_id, path, valid_from)
SELECT uuidv7(), n.code, n.name, n.name, 1, NULL, n.code || '/', date '2000-01-01'
FROM (SELECT (10 + g)::text AS code, {name_of("g", "'省'")} AS name FROM generate_series(1, %(count)s::int) g) n
"""
PLACES = f"""
WITH above AS (
  SELECT id, code, path, row_number() OVER (ORDER BY code) - 1 AS number
  FROM orgs_place WHERE level = %(level)s::int - 1
), below AS (
  SELECT g %% %(above)s::int AS parent, %(first)s::int + g / %(above)s::int AS serial,
         {name_of("g", "%(kind)s::text")} AS name
  FROM generate_series(0, %(count)s::int - 1) g
), made AS (
  SELECT a.id AS parent, a.path, a.code || lpad(b.serial::text, %(digits)s::int, '0') AS code, b.name
  FROM below b JOIN above a ON a.number = b.parent
)
INSERT INTO orgs_place (id, code, name, short_name, level, parent_id, path, valid_from)
SELECT uuidv7(), code, name, name, %(level)s::int, parent, path || code || '/', date '2000-01-01'
FROM made ORDER BY code
"""

JURISDICTIONS = """
INSERT INTO orgs_jurisdiction (place_id, prefix, title, {others})
SELECT p.id, p.prefix, p.name || ' · 围炉', {others}
FROM orgs_jurisdiction CROSS JOIN (
  SELECT id, name,
         'B' || chr(65 + (n / 676)::int) || chr(65 + (n / 26 %% 26)::int) || chr(65 + (n %% 26)::int) AS prefix
  FROM (SELECT id, name, row_number() OVER (ORDER BY code) - 1 AS n FROM orgs_place WHERE level = 3) each
) p
WHERE place_id = %(first)s AND p.id <> %(first)s
"""
DICTIONARY = """
INSERT INTO {table} (id, jurisdiction_id, {others})
SELECT uuidv7(), j.place_id, {others} FROM {table} CROSS JOIN (SELECT place_id FROM orgs_jurisdiction) j
WHERE jurisdiction_id = %(first)s AND j.place_id <> %(first)s
"""
OFFICES = """
INSERT INTO orgs_organisation (id, jurisdiction_id, kind, name, aliases, place_id, phone, speciality, credit_code,
                               serves, valid_from)
SELECT uuidv7(), p.id, 'department', p.name || '综合治理中心', '{}', p.id, '', '', '', '', date '2000-01-01'
FROM orgs_place p WHERE p.level = 3
"""
MEMBERS = """
INSERT INTO orgs_user (id, password, username, name, email, is_active, created_at)
SELECT uuidv7(), '!', lower(j.prefix) || n, '志愿者' || n, '', true, now()
FROM orgs_jurisdiction j CROSS JOIN generate_series(1, 5) n
"""
GROUND = """
CREATE TEMP TABLE bench_county AS
SELECT row_number() OVER (ORDER BY p.code) AS number, p.id, p.path, j.prefix,
       (SELECT array_agg(id ORDER BY position) FROM matters_module WHERE jurisdiction_id = p.id) AS modules,
       (SELECT array_agg(id ORDER BY position) FROM matters_category WHERE jurisdiction_id = p.id) AS categories,
       (SELECT array_agg(days ORDER BY position) FROM matters_category WHERE jurisdiction_id = p.id) AS days,
       (SELECT id FROM orgs_organisation WHERE jurisdiction_id = p.id) AS office,
       (SELECT array_agg(u.id) FROM generate_series(1, 5) n
        JOIN orgs_user u ON lower(u.username) = lower(j.prefix) || n) AS members,
       NULL::bigint AS villages
FROM orgs_place p JOIN orgs_jurisdiction j ON j.place_id = p.id WHERE p.level = 3;
CREATE TEMP TABLE bench_village AS
SELECT c.number AS county, row_number() OVER (PARTITION BY c.number ORDER BY v.code) AS number,
       v.id AS village_id, v.parent_id AS township_id
FROM orgs_place v JOIN orgs_place t ON t.id = v.parent_id JOIN bench_county c ON c.id = t.parent_id
WHERE v.level = 5;
UPDATE bench_county SET villages = n
FROM (SELECT county, count(*) AS n FROM bench_village GROUP BY county) v WHERE v.county = bench_county.number
"""

# Numbers in [0, 1): each use has a seed of its own.
CHANCE = ", ".join(
    f"(hashint8extended(g, {seed}) & 1073741823) / 1073741824.0::float8 AS u{seed}" for seed in range(10)
)
# Longer than promised: about seven of a hundred. Open: what is not settled yet, and one of a hundred for good.
MATTERS = f"""
WITH chance AS MATERIALIZED (
  SELECT g, {CHANCE} FROM generate_series(%(begin)s::bigint, %(until)s::bigint) g
), placed AS (
  SELECT *, CASE WHEN NOT %(others)s::bool THEN 1
                 WHEN g <= %(each)s::int THEN 2 + g %% (%(counties)s::int - 1)
                 ELSE 2 + floor(power(u0, 1.3) * (%(counties)s::int - 1)) END::bigint AS in_county,
         %(start)s::timestamptz + (%(now)s::timestamptz - %(start)s::timestamptz) * ((g - 1 + u1) / %(count)s::float8)
           AS created
  FROM chance
), known AS (
  SELECT p.*, c.id AS county_id, c.prefix, c.office, c.members[1 + floor(u8 * 1000)::int %% 5] AS member, v.village_id,
         v.township_id, c.modules[1 + floor(power(u3, 1.4) * cardinality(c.modules))::int] AS module_id,
         1 + floor(power(u4, 1.5) * cardinality(c.categories))::int AS category, c.categories, c.days,
         created + interval '1 hour' * (4 - 60 * ln(1 - u5)) AS settled
  FROM placed p JOIN bench_county c ON c.number = p.in_county
  JOIN bench_village v ON v.county = c.number AND v.number = 1 + floor(power(u2, 2) * c.villages)::bigint
), decided AS (
  SELECT *, created + interval '1 day' * (days[category] * 7 / 5) AS promised,
         CASE WHEN u6 < 0.02 THEN 'declined'
              WHEN settled > %(now)s::timestamptz OR u6 > 0.99 THEN
                (ARRAY['raised', 'raised', 'raised', 'dispatched', 'dispatched', 'dispatched', 'under_way', 'under_way',
                       'under_way', 'asked', 'ordered'])[1 + floor(u7 * 11)::int]
              WHEN u7 < 0.6 THEN 'rated'
              WHEN settled + interval '7 days' < %(now)s::timestamptz THEN 'unrated'
              ELSE 'settled' END AS state
  FROM known
), drawn AS (
  SELECT *, state IN ('settled', 'rated', 'unrated') AS done,
         state IN ('raised', 'dispatched', 'under_way', 'ordered') AS runs
  FROM decided
)
INSERT INTO matters_matter ({{columns}}) SELECT {{values}} FROM drawn ORDER BY g
"""
MATTER = {
    "id": "uuidv7(created - clock_timestamp())",
    "jurisdiction_id": "county_id",
    "number": "prefix || '-' || extract(year FROM created AT TIME ZONE 'Asia/Shanghai')::int || '-'"
    " || lpad(g::text, greatest(6, length(g::text)), '0')",
    "county_id": "county_id",
    "township_id": "township_id",
    "village_id": "village_id",
    "state": "state",
    "version": "CASE WHEN state = 'raised' THEN 1 WHEN state = 'settled' THEN 3 WHEN done THEN 4 ELSE 2 END",
    "created_at": "created",
    "promised_at": "promised",
    "due_at": "CASE WHEN runs THEN promised END",
    "clock_left": "CASE WHEN state = 'asked' THEN interval '16 hours' END",
    "module_id": "module_id",
    "category_id": "categories[category]",
    "channel": "CASE WHEN u9 < 0.45 THEN 'web' WHEN u9 < 0.65 THEN 'qr' WHEN u9 < 0.9 THEN 'hotline' ELSE 'visit' END",
    "subject": "'路灯坏了好几天'",
    "detail": "'我们这里的路灯坏了好几天，请有关部门来看一看。'",
    "address": "(1 + g %% 30) || '组' || (1 + g %% 211) || '号'",
    "reporter_name": "%(name)s::bytea",
    "reporter_phone": "%(phone)s::bytea",
    "reporter_phone_hash": "%(hash)s::bytea",
    "secret_hash": "%(hash)s::bytea",
    "intake_key": "'bench-' || g",
    "handler_id": "CASE WHEN state <> 'raised' AND state <> 'declined' THEN office END",
    "taken_by_id": "CASE WHEN done AND u8 < 0.015 THEN member END",
    "outcome": "CASE WHEN done THEN '已派人现场处理，恢复正常。' ELSE '' END",
    "settled_at": "CASE WHEN done THEN settled END",
    "settled_late": "done AND settled > promised",
    "rate_until": "CASE WHEN done THEN settled + interval '7 days' END",
    "reopen_until": "CASE WHEN done THEN settled + interval '15 days' END",
    "rating": "CASE WHEN state = 'rated' THEN"
    " CASE WHEN u9 < 0.55 THEN 5 WHEN u9 < 0.8 THEN 4 WHEN u9 < 0.92 THEN 3 WHEN u9 < 0.97 THEN 2 ELSE 1 END END",
    "rated_at": "CASE WHEN state = 'rated' THEN"
    " least(settled + interval '1 hour' * (100 * u8), %(now)s::timestamptz) END",
    "published": "done AND u0 < 0.83",
    "public_title": "CASE WHEN done THEN '随手拍 · 市政设施' ELSE '' END",
    "public_outcome": "CASE WHEN done AND u1 < 0.5 THEN '已恢复正常。' ELSE '' END",
}
COUNTERS = """
INSERT INTO records_counter (id, jurisdiction_id, kind, year, last)
SELECT uuidv7(), place_id, 'matter', year, %(count)s::int FROM orgs_jurisdiction
CROSS JOIN generate_series(extract(year FROM now())::int - 2, extract(year FROM now())::int) year
"""

FOREIGN_KEYS = """
SELECT t.relname, a.attname, o.relname, k.attname
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class o ON o.oid = c.confrelid
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_attribute k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1]
WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND t.relname = ANY(%s)
"""
ORPHANS = """
SELECT count(*) FROM {table} r WHERE r.{column} IS NOT NULL
AND NOT EXISTS (SELECT FROM {other} o WHERE o.{key} = r.{column})
"""
MISPLACED = {
    "places that do not lie below their parent": """
      SELECT count(*) FROM orgs_place p JOIN orgs_place a ON a.id = p.parent_id
      WHERE p.path <> a.path || p.code || '/' OR p.level <> a.level + 1""",
    "matters whose places do not lie in each other": """
      SELECT count(*) FROM matters_matter m
      JOIN orgs_place v ON v.id = m.village_id JOIN orgs_place t ON t.id = v.parent_id
      WHERE t.id IS DISTINCT FROM m.township_id OR t.parent_id IS DISTINCT FROM m.county_id
         OR m.jurisdiction_id <> m.county_id""",
    "matters of a category or kind of another county": """
      SELECT count(*) FROM matters_matter m JOIN matters_category c ON c.id = m.category_id
      JOIN matters_module k ON k.id = m.module_id
      WHERE c.jurisdiction_id <> m.jurisdiction_id OR k.jurisdiction_id <> m.jurisdiction_id""",
    "matters settled before they came": "SELECT count(*) FROM matters_matter WHERE settled_at < created_at",
}

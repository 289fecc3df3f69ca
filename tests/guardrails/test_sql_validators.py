"""An agent writes the SQL that it may write, and nothing hides in it."""

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.guardrails.guardrails_ai import quiet_guardrails
from ringfence.guardrails.validator_traits import Reads, Window, traits_of

quiet_guardrails()

from ringfence.guardrails.sql_kinds import FUNCTIONS_DENIED  # noqa: E402 - guardrails-ai must be quiet first
from ringfence.guardrails.sql_validators import SqlStatements  # noqa: E402 - likewise


def judged(text: object, **options: Any) -> str:
    """What the validator says; nothing when the text passes."""
    result: Any = SqlStatements(**options).validate(text, {})
    return "" if result.outcome == "pass" else str(result.error_message)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "select * from orders where id = 1182;",
        "SELECT name, count(*) FROM orders GROUP BY name HAVING count(*) > 3 ORDER BY 2 DESC LIMIT 10",
        "WITH big AS (SELECT * FROM orders WHERE total > 100) SELECT * FROM big JOIN who w ON w.id = big.id",
        "SELECT 1 UNION ALL SELECT 2",
        "(SELECT 1)",
        "VALUES (1)",
        "SELECT 'DROP TABLE x; --' AS note -- a remark",
        "SELECT \"delete\" FROM t WHERE note = 'it''s; fine'",
        "SELECT coalesce(sum(x) OVER (PARTITION BY y), 0), lower(z) FROM t",
        "SELECT * FROM t WHERE EXISTS (SELECT 1 FROM s WHERE s.id = t.id)",
    ],
)
def test_reading_passes(text: str) -> None:
    """By default an agent may read, in one statement."""
    assert judged(text) == ""


@pytest.mark.parametrize(
    "dialect", [None, "postgres", "mysql", "tsql", "sqlite", "snowflake", "bigquery", "oracle"]
)
@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM t",
        "delete/**/from t",
        "SELECT 1; DROP TABLE t",
        "SELECT 1;DELETE FROM t;SELECT 2",
        "SELECT 1; SELECT 2",
        "SELECT 1 DROP TABLE t",
        "SELECT 1\nGO\nDROP TABLE t",
        "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
        "SELECT * FROM (WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x) y",
        "SELECT * INTO copied FROM t",
        "SELECT * FROM t FOR UPDATE",
        "SELECT * FROM t FOR SHARE",
        "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN DELETE FROM t",
        "/*!50000 DROP TABLE t */",
        "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */",
        "SELECT 1 /*M! , load_file('/etc/passwd') */",
        "SELECT 1 /* /* */ ; DROP TABLE t; /* */ */ --",
        "EXEC xp_cmdshell 'dir'",
        "xp_cmdshell 'dir'",
        "CALL p()",
        "COPY t TO PROGRAM 'curl x'",
        "COPY t FROM '/etc/passwd'",
        "COPY (DELETE FROM t RETURNING *) TO STDOUT",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT 1 INTO DUMPFILE '/tmp/x'",
        "SELECT a INTO @v FROM t",
        "PRAGMA writable_schema = 1",
        "ATTACH 'x.db' AS y",
        "ATTACH DATABASE 'x.db' AS y",
        "SET ROLE admin",
        "BEGIN",
        "COMMIT",
        "GRANT ALL ON t TO x",
        "REVOKE ALL ON t FROM x",
        "TRUNCATE TABLE t",
        "ALTER TABLE t ADD c int",
        "CREATE TABLE a AS SELECT * FROM b",
        "INSERT INTO t SELECT * FROM s",
        "REPLACE INTO t VALUES (1)",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
        "DO $$ BEGIN DELETE FROM t; END $$",
        "VACUUM",
        "KILL 5",
        "USE other",
        "LOCK TABLE t",
        "HANDLER t OPEN",
        "PREPARE x AS DELETE FROM t",
        "IF 1 = 1 DROP TABLE t",
        "BEGIN DROP TABLE t END",
        "DECLARE @x int = 1",
        "SELECT 1 shutdown",
        "SELECT * FROM t shutdown",
        "SELECT pg_sleep(5)",
        "SELECT pg_catalog.pg_read_file('x')",
        'SELECT "pg_sleep"(1)',
        "SELECT PG_SLEEP (5)",
        "SELECT 1 WHERE 1 = (SELECT sleep(5))",
        "SELECT benchmark(1000000, md5(1))",
        "SELECT load_file('/etc/passwd')",
        "SELECT load_extension('x')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT dblink('x', 'delete from t')",
        "SELECT query_to_xml('delete from t', true, true, '')",
        "SELECT * FROM openrowset('a', 'b', 'c')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT U&"pg_sl\\0065ep"(5)',
        "SELECT 1 -- \r '\n ; DROP TABLE t -- '",
        "SELECT 1 --\u00a01 , sleep(5)",
        "SELECT 1 \x00; DROP TABLE t",
        "SELECT E'a'\n'\\', ' ; DROP TABLE t; -- '",
        "SELECT a FROM t EXEC('drop table t')",
        "SELECT a FROM t RAISERROR('x', 16, 1)",
        "SELECT utl_http.request('http://evil') FROM dual",
        "SELECT 1 ORDER BY (SELECT sleep(5))",
        "SELECT * FROM {{ table }}",
        "Here is the query: SELECT 1",
        "```sql\nSELECT 1\n```",
        "",
        "-- nothing",
        ";",
    ],
)
def test_all_else_is_refused(text: str, dialect: str | None) -> None:
    """Whatever writes, locks, runs, reads files, or cannot be read for sure, in every dialect."""
    assert judged(text, dialect=dialect)


@pytest.mark.parametrize(
    ("kinds", "text", "dialect"),
    [
        (["insert"], "INSERT INTO t VALUES (1)", None),
        (["insert", "select"], "INSERT INTO t SELECT * FROM s", None),
        (["update"], "UPDATE t SET a = 1 WHERE id = 2", None),
        (["delete", "select"], "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "postgres"),
        (["merge"], "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1", None),
        (["create"], "CREATE TABLE t (a int)", None),
        (["routine"], "CREATE FUNCTION f() RETURNS int AS 'select 1' LANGUAGE sql", "postgres"),
        (["alter"], "ALTER TABLE t DROP COLUMN c", None),
        (["drop"], "DROP TABLE t", None),
        (["truncate"], "TRUNCATE TABLE t", None),
        (["grant"], "GRANT SELECT ON t TO x", None),
        (["set"], "SET x = 1", None),
        (["transaction"], "COMMIT", None),
        (["select", "lock"], "SELECT * FROM t FOR UPDATE", None),
        (["call"], "CALL refund(1182)", "mysql"),
        (["call"], "EXEC refund", "tsql"),
        (["describe", "select"], "EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM t", "postgres"),
        (["describe", "select"], "EXPLAIN QUERY PLAN SELECT 1", "sqlite"),
        (["describe", "delete"], "EXPLAIN ANALYZE DELETE FROM t", "mysql"),
        (["describe"], "SHOW TABLES", "mysql"),
        (["attach"], "ATTACH 'x.db' AS y", "sqlite"),
    ],
)
def test_kinds_are_allowed_one_by_one(kinds: list[str], text: str, dialect: str | None) -> None:
    """Each kind passes once it is allowed, and no sooner."""
    assert judged(text, allow=kinds, dialect=dialect) == ""
    for kind in kinds:
        rest = [one for one in kinds if one != kind] or ["comment"]
        assert f"({kind})" in judged(text, allow=rest, dialect=dialect)


@pytest.mark.parametrize(
    ("kind", "text", "dialect"),
    [
        ("call", "CALL p(sleep(5))", "mysql"),
        ("call", "EXEC xp_cmdshell 'dir'", "tsql"),
        ("describe", "EXPLAIN ANALYZE DELETE FROM t", "postgres"),
        ("describe", "EXPLAIN EXPLAIN SELECT 1", "postgres"),
        ("routine", "CREATE PROCEDURE p AS BEGIN VACUUM END", "tsql"),
        ("copy", "COPY t TO PROGRAM 'curl x'", "postgres"),
        ("create", "CREATE FUNCTION f() RETURNS int AS 'delete from t' LANGUAGE sql", "postgres"),
        ("create", "CREATE TABLE t AS SELECT * FROM s", None),
    ],
)
def test_an_allowed_kind_hides_nothing(kind: str, text: str, dialect: str | None) -> None:
    """What stands within an allowed statement is judged, too."""
    assert judged(text, allow=[kind], dialect=dialect)


def test_more_statements_can_be_allowed() -> None:
    """At most so many; an empty one between two semicolons is none."""
    assert judged("SELECT 1;; SELECT 2; -- done", most_statements=2) == ""
    assert "3 statements" in judged("SELECT 1; SELECT 2; SELECT 3", most_statements=2)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM orders",
        'SELECT * FROM "orders"',
        "SELECT * FROM ORDERS o JOIN sales.items i ON i.id = o.id",
        "WITH secret AS (SELECT * FROM orders) SELECT * FROM secret",
        "WITH a AS (SELECT * FROM orders), b AS (SELECT * FROM a) SELECT * FROM b",
        "WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT * FROM n) SELECT * FROM n",
        "SELECT * FROM generate_series(1, 3) AS n",
        "SELECT 1",
    ],
)
def test_allowed_tables(text: str) -> None:
    """Tables by name or pattern, as many parts as the name has; what WITH defines is no table."""
    assert judged(text, tables=["orders", "sales.*"]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM secret",
        "SELECT * FROM other.orders",
        "SELECT * FROM sales.private.keys",
        "SELECT * FROM items",
        "SELECT (SELECT max(x) FROM secret) FROM orders",
        "SELECT * FROM orders, secret",
        "SELECT * FROM orders WHERE id IN (SELECT id FROM secret)",
        "SELECT * FROM orders UNION SELECT * FROM secret",
        "TABLE secret",
        "SELECT * FROM ONLY secret",
        # The names of WITH are seen only where they hold.
        "WITH secret AS (SELECT * FROM secret) SELECT * FROM secret",
        "WITH a AS (SELECT * FROM secret), secret AS (SELECT 1) SELECT * FROM a",
        "SELECT * FROM (WITH secret AS (SELECT 1) SELECT * FROM secret) a, secret",
        'WITH "Secret" AS (SELECT 1) SELECT * FROM secret',
        "WITH secret AS (SELECT 1) SELECT * FROM public.secret",
    ],
)
def test_other_tables_are_refused(text: str) -> None:
    """However the table is reached."""
    assert "table" in judged(text, tables=["orders", "sales.*"], dialect="postgres")


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("snowflake", "SELECT * FROM IDENTIFIER('users')"),
        ("snowflake", "SELECT * FROM IDENTIFIER($name)"),
        ("snowflake", "SELECT * FROM TABLE('users')"),
        ("snowflake", "SELECT * FROM TABLE(users)"),
        ("snowflake", "SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))"),
        ("databricks", "SELECT * FROM IDENTIFIER('users')"),
        ("bigquery", "SELECT * FROM EXTERNAL_QUERY('c', 'DELETE FROM users')"),
        ("bigquery", "SELECT * FROM ML.PREDICT(MODEL orders, TABLE orders)"),
        ("clickhouse", "SELECT * FROM merge('default', 'users')"),
        ("clickhouse", "SELECT * FROM `merge`('default', 'users')"),
        ("clickhouse", "SELECT * FROM dictionary('users')"),
        ("clickhouse", "SELECT * FROM orders WHERE id IN users"),
        ("clickhouse", "SELECT * FROM orders WHERE id GLOBAL IN (users)"),
        ("clickhouse", "SELECT in(id, users) FROM orders"),
        ("clickhouse", "SELECT globalIn(id, users) FROM orders"),
        ("clickhouse", "SELECT id IN merge('default', 'users') FROM orders"),
        ("clickhouse", "INSERT INTO FUNCTION other('users') SELECT 1"),
        ("clickhouse", "SELECT * FROM urlCluster('a', 'b'), s3Cluster('a', 'b')"),
        ("clickhouse", "SELECT * FROM gcs('a', 'b')"),
        ("postgres", "SELECT * FROM report(1)"),
        ("postgres", "SELECT * FROM evil.unnest(1)"),
        ("postgres", "SELECT * FROM orders, LATERAL report(1) x"),
        ("postgres", "SELECT * FROM orders JOIN report(1) x ON true"),
        ("postgres", "SELECT * FROM ROWS FROM (generate_series(1, 2), report(3)) x"),
        ("postgres", "DELETE FROM orders USING report(1) x WHERE true"),
        ("postgres", "MERGE INTO orders USING report(1) s ON true WHEN MATCHED THEN DELETE"),
        ("postgres", "UPDATE orders SET a = 1 FROM report(1) x"),
        ("tsql", "SELECT * FROM orders CROSS APPLY dbo.report(1) x"),
        ("spark", "SELECT * FROM orders LATERAL VIEW report(a) t AS x"),
        ("oracle", "SELECT * FROM TABLE(report(1))"),
        (None, "SELECT * FROM report(1)"),
        (None, "SELECT * FROM orders WHERE id IN users"),
    ],
)
def test_a_function_is_no_allowed_table(dialect: str | None, text: str) -> None:
    """A table by another door: a function could read any of them."""
    kinds = ["select", "insert", "update", "delete", "merge"]
    assert judged(text, tables=["orders"], allow=kinds, dialect=dialect)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (
            "postgres",
            "SELECT * FROM orders o, unnest(o.tags) t, LATERAL unnest(o.a) u, generate_series(1, 2) n",
        ),
        ("postgres", "SELECT * FROM orders o CROSS JOIN LATERAL json_each(o.j) j, LATERAL (SELECT 1) x"),
        ("postgres", "SELECT * FROM (VALUES (1), (2)) v(x) JOIN orders ON orders.id IN (1, v.x)"),
        ("postgres", "SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(array[3])) x"),
        ("postgres", "DELETE FROM orders USING generate_series(1, 2) x WHERE true"),
        ("bigquery", "SELECT * FROM orders o, o.items i, UNNEST([1, 2]) n"),
        ("mysql", "SELECT * FROM JSON_TABLE('[1.5]', '$[*]' COLUMNS (a INT PATH '$')) t"),
        ("snowflake", "SELECT * FROM orders, LATERAL FLATTEN(input => a) f, TABLE(FLATTEN(input => b)) g"),
        ("tsql", "SELECT * FROM orders CROSS APPLY OPENJSON(a) x CROSS APPLY STRING_SPLIT(b, ',') y"),
        ("spark", "SELECT * FROM orders LATERAL VIEW explode(a) t AS x"),
        ("clickhouse", "SELECT * FROM orders FINAL ARRAY JOIN tags AS t WHERE id IN (1) AND x IN (SELECT 1)"),
        ("duckdb", "FROM orders, range(3)"),
    ],
)
def test_some_functions_read_their_arguments_only(dialect: str, text: str) -> None:
    """These may stand where a table may."""
    assert judged(text, tables=["orders"], allow=["select", "delete"], dialect=dialect) == ""


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "SELECT cron.schedule('a', 'b')"),
        ("postgres", "SELECT * FROM cron.schedule('a', 'b')"),
        ("postgres", "SELECT http_get('x'), http_post('x', 'y', 'z')"),
        ("postgres", "SELECT http('x')"),
        ("postgres", "SELECT aws_lambda.invoke('a', 'b')"),
        ("postgres", "SELECT * FROM aws_s3.query_export_to_s3('a')"),
        ("postgres", "SELECT pg_wal_replay_pause()"),
        ("postgres", "SELECT pg_copy_physical_replication_slot('a', 'b')"),
        ("postgres", "SELECT pg_stat_statements_reset()"),
        ("postgres", "SELECT * FROM crosstab('delete from t') AS t(a int)"),
        ("duckdb", "SELECT * FROM st_read('/etc/passwd')"),
        ("duckdb", "SELECT * FROM iceberg_metadata('x')"),
        ("duckdb", "SELECT * FROM duckdb_secrets()"),
        ("duckdb", "SELECT getenv('HOME')"),
        ("clickhouse", "SELECT dictGetString('users', 'a', 1)"),
        ("clickhouse", "SELECT joinGet('users', 'a', 1)"),
        ("clickhouse", "SELECT * FROM s3Cluster('a', 'b')"),
        ("oracle", "SELECT bfilename('a', 'b') FROM dual"),
        ("oracle", "SELECT * FROM XMLTABLE('/a' PASSING x COLUMNS y INT)"),
        ("oracle", "SELECT * FROM dbms_x.y(1)"),
        ("snowflake", "SELECT IDENTIFIER('system$wait')(1)"),
        ("hive", "SELECT TRANSFORM(a) USING 'cat' AS b FROM t"),
    ],
)
def test_functions_that_reach_further(dialect: str, text: str) -> None:
    """Without any options, and wherever they stand."""
    assert judged(text, dialect=dialect)


def test_functions_can_be_listed() -> None:
    """Then no others are called; operators and the words of the grammar are no functions."""
    listed = {"functions": ["Count", "json_*", "util.*"], "dialect": "postgres"}
    for text in (
        "SELECT count(*), util.tidy(a), a + 2 ^ 3, a -> 'b', a::int, CAST(b AS text) FROM t",
        "SELECT CASE WHEN a OR b THEN c END FROM t WHERE EXISTS (SELECT 1) AND a ~ 'x'",
        "SELECT * FROM json_each('{}') j, t",
    ):
        assert judged(text, **listed) == ""
    for text in (
        "SELECT lower(a) FROM t",
        "SELECT evil.count(a) FROM t",
        "SELECT evil.util.tidy(a) FROM t",
        "SELECT pow(2, 3)",
        "SELECT * FROM unnest(a)",
        "SELECT util.tidy(pg_sleep(5))",
        "SELECT a FROM t ORDER BY random()",
    ):
        assert "function" in judged(text, **listed), text
    assert judged("SELECT list_transform(a, b)", functions=["list_transform"], dialect="duckdb") == ""
    assert judged("SELECT 1", functions=[]) == ""
    assert judged("SELECT now()", functions=[])
    assert "function" in judged("EXPLAIN SELECT lower('a')", **listed, allow=["select", "describe"])
    # What is denied stays denied.
    assert judged("SELECT pg_sleep(1)", functions=["pg_*"])
    assert judged("SELECT pg_sleep(1)", functions=["pg_*"], functions_denied=[]) == ""


def test_the_target_of_a_write_is_a_table() -> None:
    """Tables are looked at in every kind of statement."""
    for text in (
        "INSERT INTO secret VALUES (1)",
        "DELETE FROM secret",
        "UPDATE secret SET a = 1",
        "DROP TABLE secret",
    ):
        assert "table" in judged(text, allow=["insert", "delete", "update", "drop"], tables=["orders"])


@pytest.mark.parametrize(
    "text",
    [
        r"SELECT '\', ' ; DROP TABLE t; -- '",
        r"SELECT '\', load_file(0x2f) -- '",
        "SELECT 1 --1 , sleep(5)",
        "SELECT $$ ; DROP TABLE t -- $$",
        "SELECT [a'] ; DROP TABLE t --'] FROM t",
        "SELECT /* /* */ 1 */ FROM secret",
        "SELECT 1 # 'a",
        "SELECT `a` FROM t",
    ],
)
def test_without_a_dialect_quotes_must_be_clear(text: str) -> None:
    """A text that one database takes for a string and another for a statement is refused."""
    assert judged(text)


@pytest.mark.parametrize("text", ["SELECT * FROM 'secrets.csv'", 'FROM "secrets.parquet"'])
def test_a_file_is_no_table(text: str) -> None:
    """DuckDB reads files by their names."""
    assert judged(text, dialect="duckdb")
    assert judged(text)


def test_a_dialect_makes_quotes_clear() -> None:
    """Once the database is known, its own quotes are."""
    assert judged("SELECT `a` FROM t", dialect="mysql") == ""
    assert judged(r"SELECT 'a\'b' FROM t", dialect="mysql") == ""
    assert judged("SELECT [a b] FROM t", dialect="tsql") == ""
    assert judged("SELECT $$ it's $$", dialect="postgres") == ""


def test_denied_functions_are_an_option() -> None:
    """The list can be replaced; patterns match without regard to case."""
    assert judged("SELECT pg_sleep(1)", functions_denied=["lower"]) == ""
    assert judged("SELECT LOWER('x')", functions_denied=["Low*"])
    assert judged("SELECT lower('x')", functions_denied=[*FUNCTIONS_DENIED]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 50_000 + "1" + ")" * 49_000,
        "SELECT " + "(" * 59,
        "SELECT * FROM " + "(SELECT * FROM " * 50 + "t" + ")" * 50 + "!",
        "SELECT " + "NOT " * 24_000 + "1",
        "SELECT " + "- " * 49_000 + "1",
        "SELECT " + "CASE WHEN 1 THEN " * 5_000,
        "SELECT " + "f(" * 55 + "1" + ")" * 55 + "x y z",
        "SELECT '" + "x" * 99_000,
        "SELECT 1" + " " * 100_000,
        "EXPLAIN " * 12_000,
        "\x00" * 1_000,
        "/*" * 50_000,
        "(" * 50 + "SELECT 1",
    ],
)
def test_hostile_texts_are_a_no(text: str) -> None:
    """Too long, too deep or broken: refused, and nothing falls over."""
    assert judged(text)
    assert judged(text, dialect="postgres")


@given(st.text(st.sampled_from("SELECT select from x;'\"`()-/*![]\\$,1 \n"), max_size=60))
def test_nothing_falls_over(text: str) -> None:
    """Any text gets a verdict; two statements never pass for one."""
    said = judged(text)
    assert said or "select" in text.lower() or "values" in text.lower()


def test_nobody_hears_of_it(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """The parser's warnings, which quote the text, reach no log; those of others still do."""
    import sqlglot

    with caplog.at_level(logging.DEBUG, logger="sqlglot"):
        assert judged("VACUUM FULL secret")
        assert judged("select from from")
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
    sqlglot.parse("VACUUM FULL mine")
    assert caplog.records


def test_it_says_what_is_wrong_and_where_and_quotes_nothing() -> None:
    """A model can mend its reply, and learns no list."""
    text = "SELECT pg_sleep(5) FROM secret"
    result: Any = SqlStatements(tables=["orders"]).validate(text, {})
    assert "secret" not in result.error_message
    assert "orders" not in result.error_message
    places = {(text[span.start : span.end], span.reason) for span in result.error_spans or ()}
    assert places == {("pg_sleep", "function"), ("secret", "table")}


def test_it_serves_async_guards_and_other_values() -> None:
    """Through guardrails-ai's own doors; what is no text is a no."""
    assert judged(["SELECT 1"]) == "it is no text"
    assert asyncio.run(SqlStatements().async_validate("SELECT 1", {})).outcome == "pass"
    assert asyncio.run(SqlStatements().async_validate("DROP TABLE t", {})).outcome == "fail"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"allow": ["selects"]}, "'selects' is no kind"),
        ({"allow": "select"}, "allow must be a list"),
        ({"allow": []}, "allow must name at least one"),
        ({"dialect": "klingon"}, "'klingon' is no dialect"),
        ({"tables": [""]}, "tables must be a list"),
        ({"functions": "count"}, "functions must be a list"),
        ({"functions_denied": "sleep"}, "functions_denied must be a list"),
        ({"most_statements": 0}, "most_statements must be"),
        ({"most_statements": True}, "most_statements must be"),
    ],
)
def test_wrong_options(options: dict[str, Any], fault: str) -> None:
    """Said at once."""
    with pytest.raises(ValueError, match=fault):
        SqlStatements(**options)


def test_its_traits() -> None:
    """It judges a whole text, as it really runs, and a parser is not quick."""
    traits = traits_of(SqlStatements())
    assert traits.sees_values
    assert (traits.reads, traits.window, traits.quick, traits.uses_context) == (
        Reads.CONTENT,
        Window.REPLY,
        False,
        False,
    )

"""The kinds of SQL statement, and the functions that reach beyond one."""

from collections.abc import Iterator

from sqlglot import exp

_POSTGRES = """
    cursor_to_xml* database_to_xml* dblink* lo_* loread lowrite nextval pg_advisory_* pg_backup_*
    pg_cancel_backend pg_create_* pg_drop_* pg_export_* pg_file_* pg_import_* pg_logdir_ls pg_logical_*
    pg_ls_* pg_notify pg_promote pg_read_* pg_reload_conf pg_replication_* pg_rotate_logfile pg_sleep*
    pg_stat_file pg_stat_reset* pg_switch_wal pg_terminate_backend pg_try_advisory_* query_to_xml*
    schema_to_xml* set_config setval table_to_xml* ts_stat
"""
_MYSQL = """
    benchmark get_lock load_file master_pos_wait release_all_locks release_lock sleep source_pos_wait sys_eval
    sys_exec sys_get sys_set wait_for_executed_gtid_set
"""
_SQLITE_AND_DUCKDB = """
    delta_scan edit eval fsdir fts3_tokenizer glob iceberg_scan load_extension lsmode mysql_* parquet_*
    postgres_* query query_table read_* readfile sniff_csv sqlar_* sqlite_* writefile zipfile
"""
_SQL_SERVER = """
    fn_get_audit_file fn_trace_* fn_xe_* opendatasource openquery openrowset openxml sp_* xp_*
"""
_ORACLE_AND_OTHERS = """
    cluster clusterallreplicas ctxsys.* dbms_* dbms_*.* executable file hdfs httpuritype jdbc mongodb mysql
    odbc postgresql redis remote remotesecure s3 sys_context system$* url utl_* utl_*.*
"""
FUNCTIONS_DENIED = (
    *_POSTGRES.split(),
    *_MYSQL.split(),
    *_SQLITE_AND_DUCKDB.split(),
    *_SQL_SERVER.split(),
    *_ORACLE_AND_OTHERS.split(),
)
"""Functions that reach beyond the query: to files, networks, programs, other sessions, the clock."""

KINDS = {
    "select": "Select SetOperation Subquery",
    "insert": "Insert MultitableInserts",
    "update": "Update",
    "delete": "Delete",
    "merge": "Merge",
    "create": "Create Into",
    "routine": "",
    "alter": "Alter AlterSession",
    "drop": "Drop",
    "truncate": "TruncateTable",
    "comment": "Comment",
    "grant": "Grant Revoke",
    "set": "Set Declare",
    "transaction": "Transaction Commit Rollback",
    "call": "Execute",
    "lock": "Lock",
    "describe": "Describe Show Summarize",
    "analyze": "Analyze",
    "use": "Use",
    "pragma": "Pragma",
    "attach": "Attach Detach",
    "copy": "Copy",
    "load": "LoadData",
    "kill": "Kill",
}
"""Kinds of statement, and what the parser calls them. A routine is a function, procedure or trigger."""
_KIND_OF = {getattr(exp, name): kind for kind, names in KINDS.items() for name in names.split()}
_UNREAD = (
    exp.Command,
    exp.Block,
    exp.IfBlock,
    exp.WhileBlock,
    exp.Cache,
    exp.Uncache,
    exp.Refresh,
    exp.Export,
    exp.Put,
    exp.Get,
    exp.Install,
)
_PLAIN_OBJECTS = frozenset({"TABLE", "VIEW", "INDEX", "SCHEMA", "DATABASE", "SEQUENCE"})
# A database takes such a word for a statement of its own where a parser takes it for another name.
_STATEMENTS = """
    backup begin bulk checkpoint commit dbcc deny exec execute grant kill print raiserror reconfigure restore
    revert revoke rollback setuser shutdown throw updatetext use waitfor writetext
"""
_NO_ALIAS = frozenset(_STATEMENTS.split())


def kind_of(node: exp.Expr) -> str | None:
    """The kind of statement that a part of one amounts to, if any."""
    kind = next((_KIND_OF[one] for one in type(node).__mro__ if one in _KIND_OF), None)
    # The branches of a MERGE and the parts of an ALTER are what those are for.
    if isinstance(node.parent, exp.When | exp.Alter) and kind in {"insert", "update", "delete", "drop"}:
        return None
    if isinstance(node, exp.Create) and str(node.args.get("kind") or "TABLE").upper() not in _PLAIN_OBJECTS:
        return "routine"
    if isinstance(node, exp.PropertyEQ) and isinstance(node.this, exp.Parameter):
        return "set"
    return kind


def is_unread(node: exp.Expr) -> bool:
    """Whether the parser knows that it is a statement, and not what it does."""
    return isinstance(node, _UNREAD)


def hides_a_statement(node: exp.Expr) -> bool:
    """Whether something is more than the parser takes it for."""
    if isinstance(node, exp.Copy):
        # A program is more than a copy, even where copies are allowed.
        return any(word.name.upper() == "PROGRAM" for word in node.find_all(exp.Var, exp.Identifier))
    if not isinstance(node, exp.Alias | exp.TableAlias):
        return False
    alias = node.args.get("alias") if isinstance(node, exp.Alias) else node.this
    if not isinstance(alias, exp.Identifier) or alias.args.get("quoted"):
        return False
    return alias.name.casefold() in _NO_ALIAS


def names_of(function: exp.Expr) -> Iterator[str]:
    """What the function is called, with and without what it belongs to."""
    names: set[str] = set()
    if isinstance(function, exp.Execute):
        names = {function.this.name if function.this else ""}
    elif isinstance(function, exp.Anonymous | exp.AnonymousAggFunc):
        names = {function.name}
    elif isinstance(function, exp.Func):
        names = {*function.sql_names(), str(function.meta.get("name", ""))}
    parent = function.parent
    owner = ""
    if isinstance(parent, exp.Dot) and parent.expression is function:
        owner = parent.this.name
    for name in names:
        plain = name.casefold()
        yield plain
        if owner:
            yield f"{owner.casefold()}.{plain}"

"""The kinds of SQL statement, and the functions that reach beyond one."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlglot import exp

_POSTGRES = """
    autoprewarm* brin_desummarize_* brin_summarize_* connectby crosstab* cursor_to_xml* database_to_xml*
    dblink* gin_clean_pending_list heap_force_* lo_* loread lowrite nextval pg_advisory_* pg_backup_*
    pg_buffercache_evict* pg_cancel_backend pg_copy_*_replication_slot pg_create_* pg_drop_* pg_export_*
    pg_file_* pg_import_* pg_log_* pg_logdir_ls pg_logical_* pg_ls_* pg_notify pg_prewarm pg_promote
    pg_read_* pg_reload_conf pg_replication_* pg_rotate_logfile pg_sleep* pg_start_backup pg_stat_file
    pg_stat_reset* pg_stat_statements_reset pg_stop_backup pg_switch_wal pg_switch_xlog
    pg_sync_replication_slots pg_terminate_backend pg_truncate_visibility_map pg_try_advisory_*
    pg_wal_replay_* pg_xlog_replay_* query_to_xml* schema_to_xml* set_config setval table_to_xml* ts_stat
    xpath_table
"""
_POSTGRES_EXTENSIONS = """
    add_job alter_job aws_comprehend.* aws_lambda.* aws_s3.* aws_sagemaker.* azure_ai.* azure_storage.*
    cron.* delete_job google_ml.* http http_* master_run_on_worker pgagent.* pglogical.* run_command_on_*
    run_job
"""
_MYSQL = """
    benchmark get_lock load_file master_pos_wait release_all_locks release_lock sleep source_pos_wait sys_eval
    sys_exec sys_get sys_set wait_for_executed_gtid_set
"""
_SQLITE_AND_DUCKDB = """
    delta_scan duckdb_secrets edit eval fsdir fts3_tokenizer getenv glob iceberg_* load_extension lsmode
    mysql_* parquet_* postgres_* query query_table read_* readfile sniff_csv sqlar_* sqlite_* st_drivers
    st_read* which_secret writefile zipfile
"""
_SQL_SERVER = """
    fn_get_audit_file fn_trace_* fn_xe_* opendatasource openquery openrowset openxml sp_* xp_*
"""
_ORACLE = """
    bfilename ctxsys.* dbms_* dbms_*.* dburitype ftpuritype httpuritype sys_context utl_* utl_*.* xdburitype
    xmlquery xmltable
"""
_CLICKHOUSE = """
    azureblobstorage* cluster clusterallreplicas deltalake* dictget* dicthas* dictionary dictisin executable
    file filecluster filesystem gcs hdfs hdfscluster hudi* iceberg* jdbc joinget* mongodb mysql mysqlcluster
    odbc oss osscluster paimon* postgresql redis remote remotesecure s3 s3cluster sqlite url urlcluster
    ytsaurus in notin nullin notnullin globalin globalnotin globalnullin globalnotnullin *inignoreset
"""
_OTHERS = """
    external_query identifier next_value_for result_scan system$*
"""
FUNCTIONS_DENIED = (
    *_POSTGRES.split(),
    *_POSTGRES_EXTENSIONS.split(),
    *_MYSQL.split(),
    *_SQLITE_AND_DUCKDB.split(),
    *_SQL_SERVER.split(),
    *_ORACLE.split(),
    *_CLICKHOUSE.split(),
    *_OTHERS.split(),
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
    exp.QueryTransform,  # a program
)
_GRAMMAR = exp.Case | exp.Cast | exp.Exists | exp.Array | exp.Struct
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
    if isinstance(node, exp.DynamicIdentifier) and node.expressions:
        return True  # a function whose name is a value
    return isinstance(node, _UNREAD)


def hides_a_statement(node: exp.Expr) -> bool:
    """Whether something is more than the parser takes it for."""
    if isinstance(node, exp.Copy):
        # A program is more than a copy, even where copies are allowed.
        return any(word.name.upper() == "PROGRAM" for word in node.find_all(exp.Var, exp.Identifier))
    if isinstance(node, exp.Aliases):
        # ClickHouse has functions with names such as `in`.
        return isinstance(node.this, exp.Column)
    if not isinstance(node, exp.Alias | exp.TableAlias):
        return False
    alias = node.args.get("alias") if isinstance(node, exp.Alias) else node.this
    if not isinstance(alias, exp.Identifier) or alias.args.get("quoted"):
        return False
    return alias.name.casefold() in _NO_ALIAS


class Called(NamedTuple):
    """What a function is called."""

    names: frozenset[str]
    """As it is written and as the parser knows it, in small letters."""
    owner: str
    """The names that stand before it, with dots between."""

    def forms(self) -> Iterator[str]:
        """The name alone, behind all that it belongs to, and behind the last of that."""
        for name in self.names:
            yield name
            if self.owner:
                yield f"{self.owner}.{name}"
                yield f"{self.owner.rpartition('.')[2]}.{name}"

    def whole(self) -> Iterator[str]:
        """The name with all that it belongs to: `other.lower` is no `lower`."""
        return (f"{self.owner}.{name}" if self.owner else name for name in self.names)


def called(function: exp.Expr, text: str) -> Called:
    """What a function of this text is called."""
    if isinstance(function, exp.Execute):
        table = function.this
        parts = [part.name for part in table.parts] if isinstance(table, exp.Table) else [function.name]
        return Called(frozenset({parts[-1].casefold()}), ".".join(parts[:-1]).casefold())
    names = {function.this} if isinstance(function.this, str) else set()
    if not names and isinstance(function, exp.Func) and not isinstance(function, exp.Anonymous):
        names = {*function.sql_names(), function.key}
    names |= {function.name} if isinstance(function, exp.Anonymous) else set()
    # The parser gives some functions a name of its own, and tells where the one in the text stands.
    if is_written(function):
        names.add(text[function.meta["start"] : function.meta["end"] + 1].strip('"`[]'))
    return Called(frozenset(name.casefold() for name in names), ".".join(_owners(function)).casefold())


def is_written(function: exp.Expr) -> bool:
    """Whether it stands in the text by a name; an operator does not."""
    return "start" in function.meta and "end" in function.meta


def is_call(function: exp.Expr) -> bool:
    """Whether what the parser takes for a function is one, and no operator or word of the grammar."""
    if isinstance(function, exp.If) and isinstance(function.parent, exp.Case):
        return False
    return is_written(function) or not isinstance(function, exp.Binary | _GRAMMAR)


def _owners(function: exp.Expr) -> Iterator[str]:
    parent = function.parent
    if isinstance(parent, exp.Dot) and parent.expression is function:
        before = parent.this
        yield from (part.name for part in (before.flatten() if isinstance(before, exp.Dot) else [before]))
    elif isinstance(parent, exp.Table) and parent.this is function:
        yield from (part.name for part in parent.parts[:-1])

"""What a statement of SQL reads from: tables, what it defines itself, and functions that read nothing."""

from collections.abc import Iterator

from sqlglot import exp

from ringfence.guardrails.sql_kinds import called

_HARMLESS = frozenset(
    [
        "explode",
        "explode_outer",
        "flatten",
        "generate_date_array",
        "generate_series",
        "generate_subscripts",
        "generate_timestamp_array",
        "generator",
        "inline",
        "inline_outer",
        "json_array_elements",
        "json_array_elements_text",
        "json_each",
        "json_each_text",
        "json_object_keys",
        "json_populate_record",
        "json_populate_recordset",
        "json_table",
        "json_to_record",
        "json_to_recordset",
        "json_tree",
        "jsonb_array_elements",
        "jsonb_array_elements_text",
        "jsonb_each",
        "jsonb_each_text",
        "jsonb_object_keys",
        "jsonb_populate_record",
        "jsonb_populate_recordset",
        "jsonb_to_record",
        "jsonb_to_recordset",
        "numbers",
        "open_json",
        "openjson",
        "posexplode",
        "posexplode_outer",
        "range",
        "regexp_matches",
        "regexp_split_to_table",
        "split_to_table",
        "stack",
        "string_split",
        "string_to_table",
        "strtok_split_to_table",
        "unnest",
        "values",
        "zeros",
    ]
)
"""Functions in place of a table that read their arguments and nothing else."""
_LOOKED_INTO = (exp.Table, exp.Subquery, exp.Values, exp.Lateral, exp.TableFromRows, exp.Final)
"""What holds a source, or is judged where it is met itself."""
_ODD_SIGNS = frozenset("./\\:@?*")


def is_named(table: exp.Table) -> bool:
    """Whether it is a table or a function by its name, and no file, variable or function in disguise."""
    alias = table.args.get("alias")
    # Nobody names the columns of a table that has no other name: `dictionary('x')` is a function.
    if isinstance(alias, exp.TableAlias) and alias.args.get("columns") and not alias.this and table.this:
        return isinstance(table.this, exp.Func)
    return all(
        isinstance(part, exp.Func)
        or (isinstance(part, exp.Identifier | exp.Dot) and not _ODD_SIGNS.intersection(part.name))
        for part in table.parts
    )


def sources_of(node: exp.Expr) -> Iterator[exp.Expr]:
    """What stands where a statement reads from, as far as it is no table by its name."""
    found: list[object] = []
    if isinstance(node, exp.From | exp.Join | exp.Lateral | exp.TableFromRows):
        is_of_columns = isinstance(node, exp.Join) and node.args.get("kind") == "ARRAY"
        found = [] if is_of_columns else [node.this]
    elif isinstance(node, exp.Insert) and node.args.get("is_function"):
        found = [node.this]
    elif isinstance(node, exp.Table):
        is_plain = isinstance(node.this, exp.Identifier) or node.args.get("rows_from")
        found = [] if is_plain else [node.this or node]
    using = node.args.get("using") if isinstance(node, exp.Delete | exp.Merge) else None
    found += using if isinstance(using, list) else [using] if using else []
    for one in found:
        if isinstance(one, exp.Expr) and (one is node or not isinstance(one, _LOOKED_INTO)):
            yield one


def may_be_in_a_table(node: exp.Expr) -> bool:
    """Whether ClickHouse would take the right side of an IN for a table: `id IN users`."""
    if not isinstance(node, exp.In):
        return False
    listed = node.expressions
    right = node.args.get("field") or (listed[0] if len(listed) == 1 else None)
    return isinstance(right, exp.Column | exp.Func | exp.Paren | exp.Tuple) and not isinstance(
        right, exp.Cast
    )


def is_harmless(source: exp.Expr, text: str) -> bool:
    """Whether what stands in place of a table reads nothing but its arguments."""
    if isinstance(source, exp.Unnest | exp.JSONTable | exp.OpenJSON):
        return True
    if isinstance(source, exp.Dot):
        return all(isinstance(part, exp.Identifier) for part in source.flatten())
    return isinstance(source, exp.Func) and not _HARMLESS.isdisjoint(called(source, text).whole())


def is_cte(table: exp.Table) -> bool:
    """Whether the name is that of a WITH that can be seen from there; else a table hides behind it."""
    if table.args.get("db") or not isinstance(table.this, exp.Identifier):
        return False
    name = _key(table.this)
    child: exp.Expr = table
    inside: exp.Expr | None = None
    while (parent := child.parent) is not None:
        with_ = parent.args.get("with_")
        if isinstance(parent, exp.With):
            inside = child
        elif isinstance(with_, exp.With):
            visible = with_.expressions
            if child is with_ and inside is not None:
                place = next(number for number, one in enumerate(visible) if one is inside)
                visible = visible[: place + bool(with_.args.get("recursive"))]
            names = {_key(one.args["alias"].this) for one in visible if one.args.get("alias")}
            if name in names:
                return True
        child = parent
    return False


def _key(identifier: exp.Expr) -> tuple[str, bool]:
    quoted = bool(identifier.args.get("quoted"))
    return (identifier.name if quoted else identifier.name.casefold()), quoted

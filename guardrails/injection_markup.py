"""Markup that a model may take for its own chat format, and links that would carry data away."""

import re
from collections.abc import Iterator

from ringfence.guardrails.injection_search import Words
from ringfence.guardrails.injection_signs import Sign

_TOKENS = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id|"
    r"begin_of_text|"
    r"endofprompt|im_sep|end|tool|tool_call|fim_\w{1,9}|begin_of_sentence|end_of_turn)\|>|<(?:start|"
    r"end)_of_turn>|"
    r"\[/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|\[(?:system|assistant)\]\(#|<</?SYS>>|<｜(?:User|"
    r"Assistant)｜>",
    re.IGNORECASE,
)
_HEADINGS = re.compile(
    r"^[ \t>]{0,8}(?:#{2,6}|\*\*|={2,8}|-{2,8})[ \t]{0,4}(?:new |real |updated |end of )?"
    r"(?:system|instructions?|human|assistant|user|response|system prompt|system message|"
    r"system instructions?|"
    r"user (?:input|query|request|prompt)|new task|(?:your )?task)\b[ \t]{0,4}[:*=#-]",
    re.IGNORECASE | re.MULTILINE,
)
_TURN = re.compile(
    r"(?:^|(?<=[.!?])[ \t])[ \t>\"'*]{0,8}(system|assistant|ai|human|user|bot|gpt|chatgpt|instructions?|"
    r"developer|tool|ai assistant)"
    r"(?: ?\([^)\n]{1,30}\))?[ \t*]{0,4}(?::|->|>)(?!:)",
    re.IGNORECASE | re.MULTILINE,
)
_COMMANDING_TURN = re.compile(
    r"(?:^|(?<=[.!?])[ \t])[ \t>\"'*\[<(]{0,8}(?:system|developer|instructions?|admin(?:istrator)?|root|"
    r"sys)[ \t*\]>)]{0,4}:\**\s{0,4}"
    r"(?:you (?:are|must|will|should|have)|ignore|disregard|forget|new|the (?:user|assistant|ai|model)|"
    r"override|"
    r"from now|do not|always|never|please|your|assistant|all previous|the previous|respond|reply|call|"
    r"send|execute|act|"
    r"print|output|reveal|enter|safety|access|forward|transfer|delete|run the|use the|instead|stop|answer)",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(
    r"<(/?)(system|assistant|user|human|tool_?results?|function_?results?|tool_?response|tool_?output|"
    r"tool_?call|"
    r"function_?calls?|system[-_ ]?(?:prompt|message|instructions?|reminder|note|override)|"
    r"user_?(?:query|input|prompt|data|message)|"
    r"context|documents?|instructions?|important|information|untrusted\w{0,12}|retrieved\w{0,12}|"
    r"external\w{0,12}|admin|"
    r"email|search_results?|data|prompt|results?|input|query|override|priority|secret|"
    r"hidden)(?:\s[^<>]{0,80})?>",
    re.IGNORECASE,
)
_TAG_WEIGHTS = (
    {"override": 0.5, "function_calls": 0.5, "tool_call": 0.45, "function_call": 0.45, "toolcall": 0.45}
    | dict.fromkeys(("important", "information", "system"), 0.42)
    | dict.fromkeys(("instruction", "instructions", "assistant"), 0.35)
    | dict.fromkeys(("admin", "priority"), 0.3)
)
"""What the beginning of an element weighs; the others name what documents have, too."""
_UNOPENED = {
    "email": 0.15,
    "data": 0.25,
    "results": 0.3,
    "result": 0.3,
    "input": 0.2,
    "query": 0.3,
    "prompt": 0.45,
}
_FAKE_CALL = re.compile(
    r"\{\s{0,20}['\"](?:tool|tool_name|function|name|action|tool_call|function_call|"
    r"recipient_name)['\"]\s{0,9}:\s{0,9}"
    r"(?:['\"][\w.-]{1,60}['\"]\s{0,9},\s{0,20}['\"](?:arguments|parameters|args|input|action_input|"
    r"tool_input)['\"]|\{)"
    r"|['\"](?:tool_calls|function_call)['\"]\s{0,9}:\s{0,9}[\[{]|<(?:antml:)?invoke\s+name=|<tool_code>"
    r"|^Action:[^\n]{1,80}\n{1,2}Action Input:|^(?:Thought|Observation):[^\n]{0,200}\n{1,2}(?:Thought|"
    r"Action|Final Answer):",
    re.IGNORECASE | re.MULTILINE,
)
_BORDER = re.compile(
    r"(?:[-=#*<\[_~]{2,20}|\[|<|\()\s{0,3}(?:end|begin|start|beginning|stop)(?: of)?(?: the| this| all)?"
    r"(?: original| user| system| new| previous| untrusted| external| real| retrieved)?[ _-]{1,2}"
    r"(?:document|context|e-?mail|user input|input|prompt|system prompt|instructions?|data|text|message|"
    r"conversation|"
    r"tool output|tool result|results?|content|article|task|web ?page|page|query|output|user|system|"
    r"summary|session|chat)s?\b",
    re.IGNORECASE,
)
# What a text has to hold before a pattern is tried on it.
_HEADING_MARKS = ("##", "**", "==", "--")
_ROLES = frozenset(
    {"system", "assistant", "ai", "human", "user", "bot", "gpt", "chatgpt", "instruction", "instructions"}
    | {"developer", "tool", "admin", "administrator", "root", "sys"}
)
_CALL_MARKS = ("{", "<", "Action", "Observation")
_CALL_PARTS = (
    *('"tool', '"function', '"name"', '"action"', '"recipient_name"'),
    *("'tool", "'function", "'name'", "'action'", "'recipient_name'"),
    *("invoke", "<tool_code", "action:", "thought:", "observation:"),
)
_BORDER_WORDS = frozenset({"end", "begin", "start", "beginning", "stop"})
_WALL_SHAPE = bytes(ord("-") if chr(code) in "-=#*" else code for code in range(256))
_WALL = re.compile(r"\n[ \t]*(?:\n[ \t]*){5}|(?:[-=#*]{5,}\s{1,4}){2}")

_IMAGE = re.compile(r"!\[[^\]\n]{0,200}\]\(\s{0,3}([^)\s]{1,2000})")
_LINK = re.compile(r"(?<!!)\[[^\]\n]{0,200}\]\(\s{0,3}([^)\s]{1,2000})")
_HTML_IMAGE = re.compile(
    r"<(?:img|iframe|object|"
    r"embed)\b[^>]{0,400}?\bsrc\s{0,3}=\s{0,3}['\"]?([^'\"\s>]{1,2000})",
    re.IGNORECASE,
)
_URL = re.compile(
    r"\b((?:https?|ftp)://[^\s\"'<>)\]]{1,2000}(?:<[\w ]{1,40}>|\[[\w ]{1,60}\]|"
    r"\{[^}\n]{1,60}\})?)",
    re.IGNORECASE,
)
_SCRIPT = re.compile(
    r"\bjavascript:\s{0,3}[a-z(]|\bdata:text/(?:html|javascript)|\bonerror\s{0,3}=|"
    r"\bvbscript:",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"[{<\[]{1,2}[^{}<>\[\]\n]{1,60}[}>\]]|%7B|\$[A-Z_]{2,}|"
    r"=[A-Z]{4,}(?:_[A-Z]+)*\b|=(?:\.\.\.|…)|\bINSERT\b|=$"
)
_DATA_NAME = re.compile(
    r"conversation|history|summary|secret|passw|user[-_ ]?(?:data|info|message|input)|context|prompt|"
    r"messages?\b|"
    r"answer|content|chat|leak|exfil|stolen|steal|private|ssn|credential|inbox|transcript|info\b|data\b|"
    r"e-?mails?\b",
    re.IGNORECASE,
)
_CARRY = re.compile(
    r"\b(?:append|add|put|encode|concatenate|replac\w{1,4}|insert|include|attach|substitut\w{1,4}|embed|"
    r"pass|fill)\b"
    r"[^.!?\n]{0,80}?\b(?:conversation|chat|history|data|answer|summary|secrets?|passwords?|message|"
    r"information|"
    r"context|e-?mails?|prompt|credentials|keys?|tokens?|response|reply)\b"
    r"[^.!?\n]{0,60}?\b(?:urls?|links?|query|parameters?|address|image|src|path|querystring)\b",
    re.IGNORECASE,
)
_LINKS = (
    ("](", _IMAGE, 0.25, 0.55, 0.7),
    ("](", _LINK, 0.0, 0.2, 0.5),
    ("src", _HTML_IMAGE, 0.2, 0.4, 0.6),
    ("://", _URL, 0.0, 0.1, 0.4),
)
"""What a text has to hold, and the weight of a link with a query, with a placeholder, with one for data."""
_CARRIED = """
conversation chat history data answer summary secret secrets password passwords message information context e
email emails prompt credentials key keys token tokens response reply
"""
_CARRIED_WORDS = frozenset(_CARRIED.split())
_CARRY_WORDS = ("url", "link", "query", "parameter", "image", "src")


def markup_signs(words: Words) -> Iterator[Sign]:
    """The signs of a chat format within the text."""
    text, known = words.text, words.known
    if "<" in text or "[" in text:
        yield from _tokens(text)
        yield from _tags(text)
    if any(mark in text for mark in _HEADING_MARKS):
        yield from _all(_HEADINGS, text, 0.35)
    if (":" in text or ">" in text) and not known.isdisjoint(_ROLES):
        yield from _turns(text)
    if any(mark in text for mark in _CALL_MARKS) and any(part in words.read for part in _CALL_PARTS):
        yield from _all(_FAKE_CALL, text, 0.35)
    if not known.isdisjoint(_BORDER_WORDS):
        yield from _all(_BORDER, text, 0.38)
    shape = text.encode("ascii", "replace").translate(_WALL_SHAPE, b" \t")
    wall = _WALL.search(text) if b"\n" * 6 in shape or b"-" * 5 in shape else None
    if wall:
        yield _sign("role_markup", wall, 0.12)


def link_signs(words: Words) -> Iterator[Sign]:
    """The signs of links that would carry data away, or do something when shown."""
    text, known, lowered = words.text, words.known, words.read
    for gate, pattern, query, placeholder, data in _LINKS:
        if gate in lowered:
            for match in pattern.finditer(text):
                yield _sign("exfiltration_url", match, _link_weight(match[1], query, placeholder, data))
    if any(word in lowered for word in ("script:", "onerror", "data:text")):
        for match in _SCRIPT.finditer(text):
            yield _sign("exfiltration_url", match, 0.3)
    if any(word in lowered for word in _CARRY_WORDS) and not known.isdisjoint(_CARRIED_WORDS):
        for match in _CARRY.finditer(text):
            yield _sign("exfiltration_url", match, 0.5)


def _all(pattern: re.Pattern[str], text: str, weight: float) -> Iterator[Sign]:
    return (_sign("role_markup", match, weight) for match in pattern.finditer(text))


def _tokens(text: str) -> Iterator[Sign]:
    for match in _TOKENS.finditer(text):
        shown = text[match.start() - 1 : match.start()] == "`"
        yield _sign("role_markup", match, 0.2 if shown else 0.7)


def _tags(text: str) -> Iterator[Sign]:
    opened: set[str] = set()
    for match in _TAG.finditer(text):
        name = match[2].lower()
        if not match[1]:
            opened.add(name)
            weight = _TAG_WEIGHTS.get(name, 0.35 if name.startswith("system") else 0.0)
        else:
            # An end without a beginning closes what the prompt around the text has opened.
            weight = 0.0 if name in opened else _UNOPENED.get(name, 0.5)
        yield _sign("role_markup", match, weight)


def _turns(text: str) -> Iterator[Sign]:
    yield from _all(_COMMANDING_TURN, text, 0.55)
    turns = list(_TURN.finditer(text))
    roles = {match[1].lower() for match in turns}
    for match in turns:
        yield _sign("role_markup", match, 0.3 if len(roles) > 1 else 0.2)


def _link_weight(target: str, query: float, placeholder: float, data: float) -> float:
    _, mark, behind = target.partition("?")
    found = _PLACEHOLDER.search(behind or target)
    if found:
        # The name of what is to be filled in, or of the parameter that it stands for.
        named = _DATA_NAME.search(behind if mark else found[0])
        return data if named else placeholder
    return query if mark and "=" in behind else 0.0


def _sign(kind: str, match: re.Match[str], weight: float) -> Sign:
    return Sign(kind, match.start(), match.end(), weight)

"""The validators that Ringfence brings, registered with guardrails-ai when they are asked for."""

from importlib import import_module

from ringfence.guardrails.guardrails_ai import quiet_guardrails

MODULES = {
    "ringfence/allowed_domains": "link_validators",
    "ringfence/allowed_topics": "topic_validators",
    "ringfence/banned_phrases": "phrase_validators",
    "ringfence/banned_topics": "topic_validators",
    "ringfence/citations": "grounding_validators",
    "ringfence/code_languages": "code_validators",
    "ringfence/competitors": "topic_validators",
    "ringfence/grounded_numbers": "grounding_validators",
    "ringfence/length": "length_validators",
    "ringfence/llm_judge": "judge_validators",
    "ringfence/no_injection": "injection_validator",
    "ringfence/no_personal_data": "data_validators",
    "ringfence/no_repetition": "length_validators",
    "ringfence/no_secrets": "data_validators",
    "ringfence/profanity": "topic_validators",
    "ringfence/sql_statements": "sql_validators",
    "ringfence/valid_json": "json_validators",
}
"""Name → module. Each is imported on its own, because some bring a library along that takes its time."""


def register_validators(*names: str) -> None:
    """Register the validators that Ringfence brings with guardrails-ai, to use them in Guards of one's own.

    Args:
        names: Such as `ringfence/sql_statements`; none means all.

    Raises:
        KeyError: There is no such validator.
    """
    quiet_guardrails()
    for name in names or MODULES:
        import_module(f"ringfence.guardrails.{MODULES[name]}")

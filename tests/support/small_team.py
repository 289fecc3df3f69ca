"""A team of one clerk with three tools, small enough to see through, in a folder of its own."""

import textwrap
from pathlib import Path

POLICY = """
version: 1
team: team.py:team
models:
  clerk: {provider: rehearsal, rules: rules.yaml, max_output_tokens: 60}
pii:
  entities: {EMAIL_ADDRESS: pseudonymize, US_SSN: block}
tools:
  mail:
    arguments:
      to: {pattern: '[^@]+@example\\.com'}
limits: {turns: 6, tokens: 4000, usd: 0.50, task_characters: 400}
"""

TEAM = '''
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat

from ringfence import tool


@tool(consequential=False)
def look(thing: str) -> str:
    """Look at something."""
    return f"[bold red]{thing}[/] is [link=https://x.example]here[/link] \\u202egnp.exe"


@tool(consequential=True)
def pay(amount: str, note: str = "") -> str:
    """Pay an amount."""
    print("printed by a tool")
    return f"paid {amount}"


@tool(consequential=True, reveals={"to": ["EMAIL_ADDRESS"]})
def mail(to: str) -> str:
    """Write a mail."""
    return f"sent to {to}"


def team(fence):
    clerk = AssistantAgent(
        "clerk",
        fence.model_client("clerk"),
        workbench=fence.workbench([look, pay, mail]),
        system_message="You are the clerk.",
        max_tool_iterations=4,
    )
    done = TextMentionTermination("DONE", sources=["clerk"])
    return RoundRobinGroupChat([clerk], termination_condition=done)
'''

RULES = r"""
roles:
  - rules:
      - when: {user: '\blook at (?P<thing>.+)', not_called: look}
        call: [{tool: look, arguments: {thing: '{thing}'}}]
      - when: {user: '\bpay (?P<amount>\d+)', not_called: pay}
        call: [{tool: pay, arguments: {amount: '{amount}', note: "two\nlines"}}]
      - when: {user: '\bmail (?P<who><EMAIL_ADDRESS_\d+>)', not_called: mail}
        call: [{tool: mail, arguments: {to: '{who}'}}]
      - when: {user: '\bfor ever\b'}
        say: And another thing.
      - when: {user: .}
        say: 'Said: {last}. DONE'
"""


def small_team(folder: Path, *, policy: str = POLICY, team: str = TEAM, rules: str = RULES) -> Path:
    """Write the team into a folder and return the path of its policy file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "team.py").write_text(textwrap.dedent(team), encoding="utf-8")
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    path = folder / "ringfence.yaml"
    path.write_text(policy, encoding="utf-8")
    return path

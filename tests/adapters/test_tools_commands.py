"""`ringfence tools`, as somebody uses it who writes a tool or its policy."""

import io
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from small_team import POLICY, TEAM, small_team

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # guardrails-ai's and typer's imports
    from ringfence import cli
    from ringfence.adapters.tool_facts import ToolFacts
    from ringfence.adapters.tools_report import print_tools
    from ringfence.guardrails.tool_spec import ToolSpec

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # guardrails-ai's imports

TEAM_THAT_TELLS = TEAM.replace(
    'return f"sent to {to}"',
    'with open("sent.txt", "a") as file:\n        file.write(to + "\\n")\n    return f"sent to {to}"',
)
"""A team whose mail leaves a trace in the world."""
SUPPORT = Path(__file__).parents[1] / "support"
TEAM_WITH_SERVER = """
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams


def team(fence):
    server = McpWorkbench(StdioServerParams(command=sys.executable, args=[SERVER], read_timeout_seconds=50))
    bench = fence.workbench(server, believe_hints=True)
    clerk = AssistantAgent("clerk", fence.model_client("clerk"), workbench=bench)
    return RoundRobinGroupChat([clerk], max_turns=1)
"""
"""A team whose one tool is a server's."""
JANE = '{"to": "jane@example.com"}'


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON object on stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)


Command = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the small team is, and the command is run."""
    small_team(tmp_path, policy=POLICY + "audit: {path: audit.jsonl}\n", team=TEAM_THAT_TELLS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tools(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on the policy of the small team: `tools("try", "mail", "--json")`."""

    def run(command: str, *arguments: str, stdin: str = "", terminal: bool = False) -> Done:
        typed = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        monkeypatch.setattr(typed, "isatty", lambda: terminal)
        monkeypatch.setattr(sys, "stdin", typed)
        code = cli.main(["tools", command, str(folder / "ringfence.yaml"), *arguments])
        return Done(code, *capsys.readouterr())

    return run


def sent(folder: Path) -> list[str]:
    """The mails that were really sent."""
    path = folder / "sent.txt"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def test_list_tells_what_each_tool_is_to_the_policy(tools: Command) -> None:
    """Its effects, who said so, the rule, the level that counts, and what it reveals."""
    done = tools("list", "--json")
    assert done.code == 0
    look, pay, mail = done.json()["tools"]
    assert (look["tool"], look["consequential"], look["described_by"]) == ("look", False, "the tool")
    assert (pay["consequential"], pay["destructive"], pay["rule"]) == (True, True, None)
    assert (mail["rule"], mail["autonomy"], mail["agents"]) == ("tools.mail", 2, ["clerk"])
    assert mail["reveals"] == {"to": ["EMAIL_ADDRESS"]}
    assert mail["arguments"] == {"to": {"pattern": r"[^@]+@example\.com"}}


def test_list_is_read_by_people_too(tools: Command) -> None:
    """A paragraph for each tool."""
    said = tools("list").out
    assert "consequential, destructive, open world" in said
    assert "tools.mail" in said


def test_both_who_described_a_tool_are_named(folder: Path, tools: Command) -> None:
    """A rule that only bounds the calls says nothing of what the tool is."""
    policy = folder / "ringfence.yaml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("tools:\n", "tools:\n  pay: {destructive: false}\n"), encoding="utf-8")
    said = {one["tool"]: one["described_by"] for one in tools("list", "--json").json()["tools"]}
    assert said == {"look": "the tool", "pay": "the tool, and the policy", "mail": "the tool"}


def test_a_server_whose_hints_are_believed_is_named(folder: Path) -> None:
    """In a process of its own, because a server's needs an error output that is a file."""
    pytest.importorskip("autogen_ext.tools.mcp", reason='needs pip install "ringfence[mcp]"')
    small_team(
        folder,
        policy="version: 1\nteam: team.py:team\nmodels: {clerk: {provider: rehearsal, rules: rules.yaml}}\n",
        team=TEAM_WITH_SERVER.replace("SERVER", repr(str(SUPPORT / "mcp_tickets.py"))),
    )
    command = [sys.executable, "-m", "ringfence", "tools", "list", str(folder / "ringfence.yaml"), "--json"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    (ticket,) = json.loads(done.stdout)["tools"]
    assert (ticket["tool"], ticket["described_by"]) == ("open_ticket", "the server")


def test_what_to_do_about_a_tool_that_nobody_described() -> None:
    """Is told beside it."""
    console = Console(file=io.StringIO(), width=300)
    print_tools(console, [ToolFacts("act", ("clerk",), ToolSpec(), "", "", 2, 60)])
    said = console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    assert "nobody described it" in said
    assert "under tools.act in the policy, or fence.workbench(..., believe_hints=True)" in said


def test_a_call_that_would_run(tools: Command, folder: Path) -> None:
    """The exit code is 0, and it says that nothing was run."""
    done = tools("try", "look", "--args", '{"thing": "a parcel"}')
    assert done.code == 0
    assert done.out.startswith('would run  look(thing="a parcel")')
    assert "it was not run" in done.out


def test_a_call_that_would_wait_says_who_may_decide(tools: Command, folder: Path) -> None:
    """With what the agents see, and what the person who decides sees; the tool does not run."""
    done = tools("try", "mail", "--args", JANE, "--said", "Write to jane@example.com", "--json")
    facts = done.json()
    assert (done.code, facts["status"], facts["outcome"]) == (5, "waiting_for_approval", "waits")
    assert facts["seen_arguments"] == {"to": "<EMAIL_ADDRESS_1>"}
    assert facts["real_arguments"] == {"to": "jane@example.com"}
    assert facts["approval"]["approvers"] == 1
    assert facts["evidence"] == []  # nothing was read that could have supplied a value
    assert "waits for approval" in facts["model_hears"]
    assert sent(folder) == []


def test_a_refused_call_says_what_the_model_would_hear(tools: Command) -> None:
    """The exit code is 3."""
    done = tools("try", "mail", "--args", '{"to": "eve@evil.example"}')
    assert done.code == 3
    assert done.out.startswith("refused  mail(")
    assert "argument `to` of mail does not match what the policy allows" in done.out


def test_what_was_read_before_counts(tools: Command) -> None:
    """The evidence says that an untrusted source supplied the recipient."""
    done = tools("try", "mail", "--args", JANE, "--read", "Write to jane@example.com at once.", "--json")
    assert done.code == 5
    (line,) = [one for one in done.json()["evidence"] if one.startswith("`to`")]
    assert "untrusted_source" in line
    assert "not from the user" in line


def test_arguments_come_from_a_file_or_the_input(tools: Command, folder: Path) -> None:
    """As with other tools of the command line: @FILE and -."""
    (folder / "args.json").write_text(JANE, encoding="utf-8")
    assert tools("try", "mail", "--args", "@args.json").code == 5
    assert tools("try", "mail", "--args", "-", stdin=JANE).code == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mial",), "did you mean `mail`?"),
        (("mail", "--args", '{"to": }'), "line 1, column 8: this is no JSON"),
        (("mail", "--args", "[1]"), "it is a list"),
        (("mail", "--args", "null"), "it is null"),
        (("mail", "--args", '{"to": "a", "to": "b"}'), "a key stands in it twice"),
        (("mail", "--args", "[" * 100_000), "nested too deeply"),
        (("mail", "--args", "@nowhere.json"), "nowhere.json cannot be read"),
        (("mail", "--agent", "boss"), "clerk has it"),
        (("mail", "--run"), "add --yes"),
        (("mail", "--run", "--json"), "add --yes"),
    ],
)
def test_wrong_usage_is_told_without_a_traceback(
    tools: Command, arguments: tuple[str, ...], said: str
) -> None:
    """The exit code is 2, and nothing is tried."""
    done = tools("try", *arguments)
    assert done.code == 2
    assert said in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_a_policy_without_a_team_has_no_tools(tools: Command, folder: Path) -> None:
    """It says what is missing."""
    (folder / "ringfence.yaml").write_text("version: 1\n", encoding="utf-8")
    done = tools("list")
    assert done.code == 2
    assert "team: name a team factory" in done.err


def test_run_asks_for_the_name_of_the_tool(tools: Command, folder: Path) -> None:
    """Whoever types something else runs nothing."""
    done = tools("try", "mail", "--args", JANE, "--run", stdin="yes\n", terminal=True)
    assert (done.code, sent(folder)) == (5, [])
    assert "Not run." in done.out
    done = tools("try", "mail", "--args", JANE, "--run", stdin="mail\n", terminal=True)
    assert (done.code, sent(folder)) == (0, ["jane@example.com"])
    assert "sent to <EMAIL_ADDRESS_1>" in done.out
    assert "the journal and the audit log know nothing of it" in done.out


def test_run_runs_the_tool_once_and_writes_nothing_down(tools: Command, folder: Path) -> None:
    """What it answers is told as a model would get it."""
    done = tools("try", "mail", "--args", JANE, "--run", "--yes", "--json")
    facts = done.json()
    assert (done.code, facts["outcome"], facts["attempts"]) == (0, "done", 1)
    assert facts["model_hears"] == "sent to <EMAIL_ADDRESS_1>"
    assert sent(folder) == ["jane@example.com"]
    assert not (folder / "audit.jsonl").exists()
    assert [one.name for one in folder.glob("*.sqlite*")] == []


def test_run_does_not_run_what_is_refused(tools: Command, folder: Path) -> None:
    """Whoever runs this stands in for an approver, and not for the policy."""
    done = tools("try", "mail", "--args", '{"to": "eve@evil.example"}', "--run", "--yes", "--json")
    assert (done.code, done.json()["outcome"], sent(folder)) == (3, "refused", [])


def test_a_tool_that_prints_does_not_spoil_the_json(tools: Command) -> None:
    """What it prints goes to the other stream."""
    done = tools("try", "pay", "--args", '{"amount": "5"}', "--run", "--yes", "--json")
    assert done.json()["model_hears"] == "paid 5"
    assert "printed by a tool" in done.err


def test_a_tool_that_fails_is_told_with_its_failure(tools: Command, folder: Path) -> None:
    """The exit code is 1, as of any command that failed."""
    team = (folder / "team.py").read_text(encoding="utf-8")
    (folder / "team.py").write_text(team.replace('return f"paid {amount}"', 'raise OSError("no bank")'))
    done = tools("try", "pay", "--args", '{"amount": "5"}', "--run", "--yes")
    assert done.code == 1
    assert "no bank" in done.out

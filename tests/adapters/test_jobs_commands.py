"""Jobs and approvals on the command line, as a user runs it."""

import io
import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from databases import KEYS_TEXT
from job_team import JobTeam
from rich.console import Console

from ringfence.adapters import jobs_watch

with warnings.catch_warnings():
    # typer 0.19, which guardrails-ai asks for, imports names that click 8.5 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ringfence import cli


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
def team(tmp_path: Path) -> JobTeam:
    return JobTeam(tmp_path / "team", "sqlite:///ringfence.sqlite", retries=0)


@pytest.fixture
def ringfence(team: JobTeam, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on the policy of the team: `ringfence("jobs list", "--json")`."""
    monkeypatch.setenv("RINGFENCE_VAULT_KEYS", KEYS_TEXT)

    def run(command: str, *arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = cli.main([*command.split(), str(team.policy), *arguments])
        return Done(code, *capsys.readouterr())

    return run


def waiting(ringfence: Command, task: str = "pay 700", job: str = "job") -> str:
    """The id of the request that a job waits for."""
    ringfence("jobs submit", "--task", task, "--id", job, "--user", "jane")
    ringfence("worker", "--until-idle")
    (request,) = ringfence("approvals list", "--json").json()["requests"]
    return str(request["id"])


def test_a_job_is_handed_in_worked_on_and_shown(ringfence: Command) -> None:
    """The id is known at once, and the answer when a worker was there."""
    assert (
        ringfence("jobs submit", "--task", "-", "--id", "job", stdin="Write to jane@acme.com").out == "job\n"
    )
    shown = ringfence("jobs show", "job")
    assert (shown.code, shown.out.splitlines()[0]) == (0, "job queued")
    assert ringfence("worker", "--until-idle").out == "job running\njob done\n"
    shown = ringfence("jobs show", "job")
    assert shown.code == 0
    assert shown.out.splitlines()[-1] == "Said: Write to jane@acme.com. DONE"
    facts = ringfence("jobs show", "job", "--json").json()
    assert (facts["status"], facts["answer"]) == ("done", "Said: Write to jane@acme.com. DONE")
    assert facts["progress"]["model_calls"] == 1
    assert facts["progress"]["limits"]["turns"] == 3


def test_an_id_is_made_when_none_is_given(ringfence: Command) -> None:
    """It is told, because nothing is found without it."""
    made = ringfence("jobs submit", "--task", "Look", "--json").json()["id"]
    assert ringfence("jobs list", "--json").json()["jobs"][0]["id"] == made


def test_lists_say_where_each_job_stands(ringfence: Command) -> None:
    """By status and by user, for people and for scripts."""
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    ringfence("jobs submit", "--task", "Look", "--id", "now", "--user", "jane", "--priority", "2")
    ringfence("jobs submit", "--task", "Look", "--id", "later", "--at", later, "--tenant", "acme")
    listed = ringfence("jobs list").out.splitlines()
    assert [line.split()[0] for line in listed] == ["job", "later", "now"]
    assert "queued until" in listed[1]
    assert [job["id"] for job in ringfence("jobs list", "--user", "jane", "--json").json()["jobs"]] == ["now"]
    assert ringfence("jobs list", "--status", "done").out == "There are no such jobs.\n"
    wrong = ringfence("jobs list", "--status", "asleep")
    assert wrong.code == 2
    assert "one of queued, running" in wrong.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["jobs submit", "--task", " "], 2, "The task is empty"),
        (["jobs submit", "--task", "Look", "--at", "tomorrow"], 2, "is no time such as"),
        (["jobs submit", "--task", "Look", "--at", "2030-01-01"], 1, "needs a time zone"),
        (["jobs show", "nobody"], 1, "ringfence.sqlite knows no job 'nobody'"),
        (["jobs watch", "nobody"], 1, "knows no job 'nobody'"),
        (["jobs cancel", "nobody"], 1, "knows no job 'nobody'"),
        (["jobs retry", "nobody"], 1, "knows no job 'nobody'"),
        (["approvals approve", "nothing", "--by", "bob"], 1, "knows no request 'nothing'"),
        (["approvals approve", "nothing"], 2, "--by"),
        (["approvals show", "nothing"], 1, "knows no request 'nothing'"),
        (
            ["approvals approve", "nothing", "--by", "bob", "--arguments", "amount=5"],
            2,
            "one plain JSON object",
        ),
        (["approvals approve", "nothing", "--by", "bob", "--arguments", "[5]"], 2, "one plain JSON object"),
        (["approvals approve", "nothing", "--by", "bob", "--arguments", '{"a": NaN}'], 2, "plain JSON"),
    ],
)
def test_wrong_use_is_said_to_be_wrong(
    ringfence: Command, arguments: list[str], code: int, said: str
) -> None:
    """On one line, and with an exit code for scripts; with --json, as JSON."""
    done = ringfence(*arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    if arguments[0] != "jobs watch":
        assert said in ringfence(*arguments, "--json").json()["error"]["message"]


def test_the_exit_code_of_a_job_is_that_of_its_status(ringfence: Command) -> None:
    """As a conversation's own would be."""
    tasks = {"blocked": "My number is 536-90-4399", "endless": "talk for ever", "paying": "pay 700"}
    for job, task in tasks.items():
        ringfence("jobs submit", "--task", task, "--id", job)
    ringfence("jobs submit", "--task", "Look", "--id", "cancelled")
    ringfence("jobs cancel", "cancelled")
    ringfence("worker", "--until-idle")
    codes = {job: ringfence("jobs show", job).code for job in [*tasks, "cancelled"]}
    assert codes == {"blocked": 3, "endless": 4, "paying": 5, "cancelled": 1}


def test_watching_follows_a_job_to_its_end(ringfence: Command) -> None:
    """With numbers to go on after; it ends where somebody has to decide."""
    waiting(ringfence)
    watched = ringfence("jobs watch", "job")
    assert watched.code == 5
    first, call, *rest = watched.out.splitlines()
    assert (first.split(), call.split()[:3]) == (["1", "user", "pay", "700"], ["2", "clerk", "pay"])
    assert rest[0] == "job waiting"
    assert 'Waits for approval: pay(amount="700")' in rest[-1]
    *events, last = map(json.loads, ringfence("jobs watch", "job", "--since", "1", "--json").out.splitlines())
    assert [event["number"] for event in events] == [2]
    assert last["job"]["status"] == "waiting"


def test_watching_on_a_terminal_shows_where_the_job_stands(
    ringfence: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last events, what was used, and what waits, in one place."""
    waiting(ringfence)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(jobs_watch, "make_console", lambda: console)
    assert ringfence("jobs watch", "job").code == 5
    assert " tokens · $0.0000 of $1.00" in screen.getvalue()
    assert "job waiting" in screen.getvalue()


def test_what_waits_is_listed_with_pseudonyms_and_revealed_on_demand(ringfence: Command) -> None:
    """An operator sees real values only when asking for them."""
    waiting(ringfence, "mail jane@acme.com")
    listed = ringfence("approvals list").out
    assert 'jane: clerk wants to run mail(to="<EMAIL_ADDRESS_1>")' in listed
    assert "because mail is consequential" in listed
    (request,) = ringfence("approvals list", "--reveal", "--json").json()["requests"]
    assert (request["conversation"], request["kind"], request["tool"]) == ("job", "approval", "mail")
    assert request["arguments"] == {"to": "jane@acme.com"}


def test_an_approved_call_runs_once(ringfence: Command, team: JobTeam) -> None:
    """The job is due again, and a worker goes on with it."""
    request = waiting(ringfence)
    approved = ringfence("approvals approve", request, "--by", "bob")
    assert approved.out == f"{request} approved, of conversation job; its job is queued\n"
    again = ringfence("approvals approve", request, "--by", "bob")
    assert again.code == 1
    assert "approved already, by bob" in again.err
    ringfence("worker", "--until-idle")
    assert ringfence("jobs show", "job").code == 0
    assert team.effects == ["paid 700"]
    assert ringfence("approvals list").out == "Nothing waits for a person.\n"


def test_a_rejected_call_does_not_run_and_the_team_hears_why(ringfence: Command, team: JobTeam) -> None:
    """In the words of whoever rejected it."""
    request = waiting(ringfence)
    rejected = ringfence("approvals reject", request, "--by", "bob", "--reason", "too much", "--json").json()
    assert rejected == {"id": request, "status": "rejected", "conversation": "job", "job": "queued"}
    ringfence("worker", "--until-idle")
    assert "too much" in ringfence("jobs watch", "job").out
    assert team.effects == []


def test_a_request_is_shown_with_all_that_it_takes_to_decide(ringfence: Command) -> None:
    """The call, why, who may decide, until when; real values only on demand."""
    request = waiting(ringfence, "mail jane@acme.com")
    shown = ringfence("approvals show", request)
    assert shown.code == 0
    for words in (
        f"request       {request} (approval)",
        "status        waiting",
        "conversation  job, of jane",
        'argument      to = "<EMAIL_ADDRESS_1>"',
        "--reveal shows real values",
        "because       mail is consequential",
        "who may       anybody who gives a name",
        "until         ",
        "digest        ",
    ):
        assert words in shown.out
    assert 'to = "jane@acme.com"' in ringfence("approvals show", request, "--reveal").out
    ringfence("approvals reject", request, "--by", "bob")
    after = ringfence("approvals show", request, "--json").json()
    assert (after["status"], after["decided_by"], after["still_needed"]) == ("rejected", "bob", 0)


def test_other_arguments_are_put_in_the_place_of_the_agents(ringfence: Command, team: JobTeam) -> None:
    """If they may be; and what runs is shown afterwards."""
    request = waiting(ringfence)
    refused = ringfence("approvals approve", request, "--by", "bob", "--arguments", '{"amount": 5}')
    assert (refused.code, refused.out) == (1, "")
    assert "do not fit pay: amount: must be a text" in refused.err
    seen = ringfence("approvals show", request, "--json").json()["digest"]
    stale = ringfence("approvals approve", request, "--by", "bob", "--seen", f"{seen[:-1]}x")
    assert (stale.code, "look at it again" in stale.err) == (1, True)
    changed = ["--arguments", '{"amount": "5"}', "--seen", seen]
    assert ringfence("approvals approve", request, "--by", "bob", *changed).code == 0
    ringfence("worker", "--until-idle")
    assert team.effects == ["paid 5"]
    assert "changed       by bob" in ringfence("approvals show", request).out


def test_several_persons_approve_and_others_may_not(ringfence: Command, team: JobTeam) -> None:
    """The job stays where it is until the last of them has spoken."""
    sections = yaml.safe_load(team.policy.read_text())
    approvals = {"by": ["*@contoso.com"], "approvers": 2, "four_eyes": True}
    team.policy.write_text(yaml.safe_dump(sections | {"approvals": approvals}))
    request = waiting(ringfence)
    wrong = ringfence("approvals approve", request, "--by", "jane")
    assert (wrong.code, "own user" in wrong.err) == (1, True)
    wrong = ringfence("approvals reject", request, "--by", "eve@evil.org")
    assert (wrong.code, "it may be decided by *@contoso.com, 2 different persons" in wrong.err) == (1, True)
    first = ringfence("approvals approve", request, "--by", "bob@contoso.com")
    assert first.out == f"{request} approved, of conversation job; it waits for 1 more to approve it\n"
    assert "approved by bob@contoso.com; 1 more needed" in ringfence("approvals list").out
    assert ringfence("jobs show", "job").code == 5
    again = ringfence("approvals approve", request, "--by", "Bob@contoso.com")
    assert (again.code, "approved it already" in again.err) == (1, True)
    last = ringfence("approvals approve", request, "--by", "carol@contoso.com", "--json").json()
    assert (last["status"], last["job"]) == ("approved", "queued")
    ringfence("worker", "--until-idle")
    assert team.effects == ["paid 700"]


def test_nothing_waits_of_a_job_that_was_cancelled(ringfence: Command) -> None:
    """Until it is retried."""
    request = waiting(ringfence)
    ringfence("jobs cancel", "job")
    assert ringfence("approvals list").out == "Nothing waits for a person.\n"
    ringfence("jobs retry", "job")
    ringfence("worker", "--until-idle")
    assert [one["id"] for one in ringfence("approvals list", "--json").json()["requests"]] == [request]


def test_a_worker_takes_no_job_with_a_team_that_cannot_be_fenced(ringfence: Command, team: JobTeam) -> None:
    """All that is wrong is told at the start, and not of job after job."""
    ringfence("jobs submit", "--task", "Look", "--id", "job")
    source = team.folder / "team.py"
    source.write_text(
        source.read_text().replace("workbench=fence.workbench([wait, hold, pay, mail])", "tools=[pay]")
    )
    refused = ringfence("worker", "--until-idle")
    assert refused.code == 2
    assert "desk" in refused.err or "clerk" in refused.err
    assert ringfence("jobs show", "job").out.splitlines()[0] == "job queued"

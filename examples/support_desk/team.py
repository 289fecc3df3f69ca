"""The support desk's team: ordinary AutoGen code, with every model and every tool taken from the fence."""

import os
from functools import lru_cache
from pathlib import Path

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat

from ringfence import Fence

from .mail import Mailbox
from .shop import Shop, create_shop
from .tools import support_tools

HERE = Path(__file__).parent


def support_team(fence: Fence) -> RoundRobinGroupChat:
    """Triage plans, the desk acts, the reviewer checks and answers."""
    triage = AssistantAgent("triage", fence.model_client("planner"), system_message=prompt("triage"))
    desk = AssistantAgent(
        "desk",
        fence.model_client("worker"),
        workbench=fence.workbench(support_tools(shop(), *mail_server())),
        system_message=prompt("desk"),
        max_tool_iterations=6,
    )
    reviewer = AssistantAgent("reviewer", fence.model_client("planner"), system_message=prompt("reviewer"))
    return RoundRobinGroupChat(
        [triage, desk, reviewer],
        termination_condition=TextMentionTermination("DONE", sources=["reviewer"]),
    )


def prompt(agent: str) -> str:
    """An agent's instructions: a file that you can edit."""
    return (HERE / "prompts" / f"{agent}.md").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def shop() -> Shop:
    """The shop's database, made and filled on first use: the file that also holds the conversations."""
    place = os.environ.get("SUPPORT_DESK_SHOP", "sqlite:///shop.sqlite").removeprefix("sqlite:///")
    # Conversations may be kept on PostgreSQL; the shop stays in a file.
    return create_shop(HERE / ("shop.sqlite" if "://" in place else place))


@lru_cache(maxsize=1)
def mailbox() -> Mailbox:
    """A mail server on this machine that keeps what it gets, in place of a real one."""
    return Mailbox().__enter__()


def mail_server() -> tuple[str, int]:
    """Where mail goes: SUPPORT_DESK_SMTP=host:port, else the mailbox."""
    host, _, port = os.environ.get("SUPPORT_DESK_SMTP", "").partition(":")
    return (host, int(port or 25)) if host else (mailbox().host, mailbox().port)

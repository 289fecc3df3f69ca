"""The command line of the benchmark."""

import argparse
import asyncio
import logging
import sys
from importlib.util import find_spec

_SUITES = ("banking", "slack", "travel", "workspace")


def main(given: list[str] | None = None) -> None:
    """Read the command line, run the suites, print the figures."""
    parser = argparse.ArgumentParser(prog="agentdojo", description="AgentDojo behind the gate")
    parser.add_argument("--suite", default="banking,slack", help=f"of {', '.join(_SUITES)}; comma between")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--list", action="store_true", help="also print what was asked, and what got through")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth attack only")
    parser.add_argument("--no-speed", action="store_true", help="do not measure the gate's CPU time")
    arguments = parser.parse_args(given)
    suites = arguments.suite.split(",")
    if unknown := [name for name in suites if name not in _SUITES]:
        parser.error(f"no such suite: {', '.join(unknown)}; there is {', '.join(_SUITES)}")
    if arguments.every < 1:
        parser.error("--every takes a whole number from 1")
    if find_spec("agentdojo") is None:
        parser.exit(2, "AgentDojo is not installed here; `make bench-agentdojo` does it\n")
    logging.disable(logging.CRITICAL)
    asyncio.run(_run(suites, arguments))


async def _run(suites: list[str], arguments: argparse.Namespace) -> None:
    # Only here, so that the command can say what is missing.
    from benchmarks.dojo import report
    from benchmarks.dojo.gate_cost import measure
    from benchmarks.dojo.suite_run import run_suite

    def tell(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    costs = [] if arguments.no_speed else await measure(suites[0])
    figures = [await run_suite(name, tell, every=arguments.every) for name in suites]
    if arguments.json:
        print(report.as_json(figures, costs))
    else:
        print(report.as_table(figures, costs, details=arguments.list))

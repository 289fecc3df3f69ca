"""What the guardrails cost: the guards of the doors, and asking validators of guardrails-ai.

    python -m benchmarks.guardrails [--passages 200]

CPU time of the warm process over many different passages, and wall time for guardrails that run at once. A
figure that misses its aim says so, and is no error.
"""

import argparse
import asyncio
import logging
import os


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.guardrails", description="What the guardrails cost"
    )
    parser.add_argument("--passages", type=int, default=200, help="how many, for each line of the tables")
    arguments = parser.parse_args()
    if arguments.passages < 1:
        parser.error("--passages must be at least 1")
    logging.disable(logging.CRITICAL)
    # CPU time of one thread; read when numpy is imported, so before what follows.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from benchmarks.guardrails.dispatch import measure_at_once, measure_dispatch
    from benchmarks.guardrails.doors import measure_doors

    asyncio.run(measure_doors(arguments.passages))
    measure_dispatch(arguments.passages)
    asyncio.run(measure_at_once(min(arguments.passages, 50)))


if __name__ == "__main__":
    main()

"""What the filter of personal data finds, how fast it is, and what hostile texts do to it.

    python -m benchmarks.pii [DATA] [--only quality|speed|hostile] [--picture FILE]

DATA is a file in the format of presidio-research: a JSON list of `{"full_text", "spans"}`. Without it, only
our own sets are measured. A figure that is below what is asked for says so, and is no error.
"""

import argparse
import logging
import os
import sys
from pathlib import Path


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pii", description="The filter of personal data"
    )
    parser.add_argument("data", nargs="?", help="annotated texts in the format of presidio-research")
    parser.add_argument("--only", choices=("quality", "speed", "hostile"))
    parser.add_argument("--picture", type=Path, help="where to draw how the cost of a chat grows")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    # CPU time of one thread; read when numpy is imported, so before what follows.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from benchmarks.pii.hostile import measure_hostile
    from benchmarks.pii.quality import measure_false_alarms, measure_quality
    from benchmarks.pii.samples import DataError, own_samples, read_samples
    from benchmarks.pii.speed import measure_speed

    if arguments.only in {None, "quality"}:
        if arguments.data:
            try:
                samples = read_samples(Path(arguments.data))
            except DataError as error:
                print(error, file=sys.stderr)
                return 2
            measure_quality(Path(arguments.data).name, samples)
        else:
            print("No DATA was given (make bench-pii DATA=path), so only our own sets are measured.")
        measure_quality("chat.txt", own_samples())
        measure_false_alarms()
    if arguments.only in {None, "speed"}:
        measure_speed(arguments.picture)
    if arguments.only in {None, "hostile"}:
        measure_hostile()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""AgentDojo's tasks and attacks behind the gate, with a model that obeys every injected instruction.

    python benchmarks/agentdojo.py [--suite banking,slack] [--json] [--list]

`make bench-agentdojo` runs it in an environment of its own, because AgentDojo's pins contradict ours. What is
measured, and what it says and does not say, stands in docs/provenance.md.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a script, this file would be found under the name of the package that it measures.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from benchmarks.dojo.command import main

    main()

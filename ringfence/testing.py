"""For tests of your own tools: each call goes through the real gate, and no language model is needed.

from ringfence.testing import ToolBench

async with ToolBench.from_file("ringfence.yaml", tools=[refund]) as bench:
    outcome = await bench.call("refund", order_id="1182", amount_usd="500")
    assert outcome.refused and "amount_usd" in outcome.reason
"""

from ringfence.agents.tool_bench import ServiceUnavailable, ToolBench
from ringfence.agents.tool_outcome import Became, ToolOutcome

__all__ = ["Became", "ServiceUnavailable", "ToolBench", "ToolOutcome"]

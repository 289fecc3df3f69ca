"""What is measured: our finder, the same with names unknown to its lists, and Presidio's plain engine."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from ringfence.guardrails.pii import PiiSettings
from ringfence.guardrails.presidio import PiiFinder


@contextmanager
def held_out_finder(settings: PiiSettings, unlisted: Collection[str]) -> Iterator[PiiFinder]:
    """A finder whose lists of names know none of these words; meanwhile there is no other one."""
    from ringfence.guardrails import basic_ner
    from ringfence.guardrails.recognizers import make_analyzer

    network = basic_ner.BasicNer
    made: list[basic_ner.BasicNer] = []

    def make_unaware(**options: Any) -> basic_ner.BasicNer:
        made.append(network(**options, unlisted=frozenset(unlisted)))
        return made[-1]

    with patch.object(basic_ner, "BasicNer", make_unaware):
        engine = make_analyzer(settings)
    if not made:
        raise RuntimeError(
            "the names are not held out: nothing has taken the network that does not know them"
        )
    with patch("ringfence.guardrails.presidio._analyzer", lambda _made_from: engine):
        yield PiiFinder(settings)


class PlainEngine:
    """Presidio's engine as it comes: each recognizer reads the whole text, every time."""

    def __init__(self, settings: PiiSettings, *, stock: bool) -> None:
        """With the same recognizers as our finder, or `stock`: with Presidio's own wherever there is one."""
        from ringfence.guardrails.recognizers import make_analyzer, make_stock_analyzer

        self._engine = make_stock_analyzer(settings) if stock else make_analyzer(settings, gated=False)
        supported = {*self._engine.get_supported_entities("en")}
        self._wanted = sorted(supported & settings.rules().keys())
        self._threshold = settings.threshold

    def find(self, text: str) -> int:
        """How much there is in a text."""
        found = self._engine.analyze(
            text, language="en", entities=self._wanted, score_threshold=self._threshold
        )
        return len(found)

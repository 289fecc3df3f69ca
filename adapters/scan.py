"""`ringfence scan`: texts as JSON lines in, what is personal in them as JSON lines out, in the same order.

The first texts are analysed in this process, at once; a long input is then shared out over the cores.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import Queue
from threading import Thread
from time import process_time
from typing import IO, Any

from ringfence.adapters.scan_lines import Chunk, Line, Parse, chunks_of, json_line, plain_line, unbuffered
from ringfence.adapters.scan_texts import (
    Found,
    Recorder,
    ToldFinder,
    as_line,
    error_record,
    look_into,
    was_scanned,
)
from ringfence.adapters.scan_workers import DIED, ScanWorkers, usable_cores
from ringfence.guardrails.pii import PiiSettings

__all__ = ["ScanOptions", "Scanned", "scan"]

_ALONE_SECONDS = 3.0
"""CPU time after which starting more processes pays: they take about as long to start."""
_WAITING_CHUNKS = 4
"""Chunks per worker that are read ahead."""
_DIED = "its analysis ended the process that it ran in"

Answered = tuple[Chunk, list[Found]]
"""A chunk with what was found in its texts."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How to scan."""

    plain: bool = False
    """The lines are texts, not JSON."""
    one_conversation: bool = False
    """The same value has the same stand-in in all texts; the vault grows with the values."""
    jobs: int | None = None
    """Processes; None takes as many as there are usable cores."""


@dataclass(slots=True)
class Scanned:
    """What a scan went through so far."""

    lines: int = 0
    not_scanned: int = 0
    first_line: int = 0
    """Number of the first line that was not scanned."""
    first_reason: str = ""
    read: int = 0
    """Bytes."""

    def count(self, line: Line, record: dict[str, Any]) -> None:
        """Note a record."""
        self.lines += 1
        if was_scanned(record):
            return
        self.not_scanned += 1
        if not self.first_line:
            self.first_line = line.number
            error = record.get("error")
            self.first_reason = error["message"] if error else f"line {line.number}: {record['flags'][0]}"

    @property
    def words(self) -> str:
        """What went wrong, for a person."""
        return f"{self.not_scanned:,} of {self.lines:,} lines were not scanned; {self.first_reason}"


def scan(
    settings: PiiSettings,
    options: ScanOptions,
    *,
    source: IO[Any],
    write: Callable[[str], object],
    on_progress: Callable[[Scanned], None] = lambda _scanned: None,
) -> Scanned:
    """Write a record for each text of the source.

    Raises:
        PolicyError: A recognizer, model or type that the policy names is not there.
    """
    parse: Parse = plain_line if options.plain else json_line
    chunks = chunks_of(unbuffered(source), parse, most_characters=settings.max_characters)
    finder = ToldFinder(settings)
    recorder = Recorder(finder, settings, one_conversation=options.one_conversation)
    scanned = Scanned()
    with _event_loop() as loop:
        answered = _answered(chunks, finder, settings, loop, options.jobs or usable_cores())
        with closing(answered):
            for chunk, answers in answered:
                found = iter(answers)
                for line in chunk.lines:
                    record = loop.run_until_complete(_record(recorder, line, found))
                    write(as_line(record))
                    scanned.count(line, record)
                scanned.read = chunk.read
                on_progress(scanned)
    return scanned


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop to run one short thing after another; a Runner would handle signals anew for each."""
    runner = asyncio.Runner()
    try:
        yield runner.get_loop()
    except KeyboardInterrupt:
        # Closing it would wait for the text that is being analysed.
        raise
    except BaseException:
        runner.close()
        raise
    runner.close()


async def _record(recorder: Recorder, line: Line, answers: Iterator[Found]) -> dict[str, Any]:
    if line.text is None:
        return error_record(line, line.problem)
    found = next(answers)
    if found.failure == DIED:
        return error_record(line, _DIED)
    return await recorder.record(line, line.text, found)


def _answered(
    chunks: Iterator[Chunk],
    finder: ToldFinder,
    settings: PiiSettings,
    loop: asyncio.AbstractEventLoop,
    jobs: int,
) -> Generator[Answered, None, None]:
    started = process_time()
    for chunk in chunks:
        for line in chunk.lines:
            # One by one, so that the first answers are there at once.
            one = Chunk((line,), chunk.read, more_waits=chunk.more_waits)
            yield one, [loop.run_until_complete(look_into(finder, text)) for text in one.texts]
        if jobs > 1 and chunk.more_waits and process_time() - started > _ALONE_SECONDS:
            break
    else:
        return
    workers = ScanWorkers(settings.model_dump_json(), jobs, timeout_seconds=settings.timeout_seconds)
    with workers:
        yield from _side_by_side(chunks, workers, most=jobs * _WAITING_CHUNKS)


def _side_by_side(chunks: Iterable[Chunk], workers: ScanWorkers, *, most: int) -> Iterator[Answered]:
    """Hand out the chunks as they come, and give back the answers in order."""
    waiting: Queue[tuple[Chunk, Future[list[Found]]] | BaseException | None] = Queue(most)

    def hand_out() -> None:
        try:
            for chunk in chunks:
                waiting.put((chunk, workers.submit(chunk.texts)))
            waiting.put(None)
        except BaseException as error:
            waiting.put(error)

    # A thread of its own, because reading may wait while answers are ready. Nobody waits for it in turn.
    Thread(target=hand_out, name="scan-reader", daemon=True).start()
    while (item := waiting.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        chunk, future = item
        yield chunk, future.result()

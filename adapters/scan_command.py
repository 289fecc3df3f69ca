"""The files, the progress bar and the last word of `ringfence scan`."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ringfence.adapters.console import make_console
from ringfence.adapters.harmless import harmless
from ringfence.adapters.outcome import Exit
from ringfence.adapters.scan import Scanned, ScanOptions, scan
from ringfence.adapters.streams import is_closed_pipe, kept_stdout, only_json
from ringfence.guardrails.pii import PiiSettings
from ringfence.policy import load_policy

__all__ = ["run_scan"]


def run_scan(policy: Path | None, options: ScanOptions, *, given: Path | None, wanted: Path | None) -> int:
    """Scan a file or standard input, and answer with the exit code."""
    settings = PiiSettings() if policy is None else load_policy(policy).policy.pii
    with ExitStack() as stack:
        standard = sys.stdin or io.BytesIO()  # None when the shell closed it
        source: IO[Any] = standard if given is None else stack.enter_context(_opened(given, "rb"))
        if given and wanted and wanted.exists() and given.samefile(wanted):
            raise typer.BadParameter("--out is the file that --in reads")
        target = stack.enter_context(kept_stdout() if wanted is None else _opened(wanted, "w"))
        stack.enter_context(only_json())
        show = stack.enter_context(_progress(source, target))
        scanned = scan(settings, options, source=source, write=_writer(target), on_progress=show)
    if scanned.not_scanned:
        make_console(stderr=True).print(Text(harmless(scanned.words), "red"))
        return Exit.FAILED
    return Exit.DONE


def _opened(path: Path, mode: str) -> IO[Any]:
    try:
        return path.open(
            mode, encoding=None if "b" in mode else "ascii", newline=None if "b" in mode else "\n"
        )
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be opened: {error.strerror}") from None


def _writer(target: IO[str]) -> Callable[[str], None]:
    def write(line: str) -> None:
        try:
            target.write(line)
            # At once: whoever reads may wait for this answer before asking on.
            target.flush()
        except OSError as error:
            if is_closed_pipe(error):
                _forget(target)
            raise

    return write


def _forget(target: IO[str]) -> None:
    """Let what could not be written go nowhere, or Python would try again at its end and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, target.fileno())
    os.close(nowhere)


@contextmanager
def _progress(source: IO[Any], target: IO[str]) -> Iterator[Callable[[Scanned], None]]:
    """A bar on a terminal that shows nothing else."""
    console = make_console(stderr=True)
    if not console.is_terminal or target.isatty():
        yield lambda _scanned: None
        return
    columns = BarColumn(), DownloadColumn(), TextColumn("{task.fields[lines]:,} lines"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=_size(source), lines=0)

        def show(scanned: Scanned) -> None:
            progress.update(task, completed=scanned.read, lines=scanned.lines)

        yield show


def _size(source: IO[Any]) -> int | None:
    """The bytes of a file; of a pipe nobody knows."""
    try:
        return os.fstat(source.fileno()).st_size or None
    except (OSError, ValueError, AttributeError):
        return None

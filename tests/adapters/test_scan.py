"""`ringfence scan`: texts in, what is personal in them out, line for line."""

import io
import json
import signal
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dying_worker
import pytest
from hypothesis import given
from hypothesis import strategies as st

with warnings.catch_warnings():
    # typer 0.19, which guardrails-ai asks for, imports names that click 8.5 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ringfence import cli
    from ringfence.adapters import scan, scan_workers
    from ringfence.adapters.scan_lines import Line, chunks_of, json_line, plain_line
    from ringfence.adapters.scan_texts import Found

JANE = "jane.roe@acme.com"
COMMAND = [sys.executable, "-m", "ringfence", "scan"]


@dataclass
class Done:
    """What a scan left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[Any]:
        """The lines of the output."""
        return [json.loads(line) for line in self.out.splitlines()]


Scan = Callable[..., Done]


@pytest.fixture
def scanned(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scan:
    """Scans objects or bytes in this process, under a policy with this `pii` section."""

    def run(
        *lines: Any,
        options: tuple[str | Path, ...] = (),
        raw: bytes | None = None,
        pii: str | None = "{detection: patterns}",
    ) -> Done:
        given = raw if raw is not None else "".join(json.dumps(line) + "\n" for line in lines).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        policy = tmp_path / "policy.yaml"
        policy.write_text(f"version: 1\npii: {pii}\n")
        code = cli.main(["scan", *map(str, options), *([str(policy)] if pii else [])])
        return Done(code, *capsys.readouterr())

    return run


def test_a_record_says_what_is_in_a_text_and_what_is_left_of_it(scanned: Scan) -> None:
    """Places count characters of the text as given; what the policy allows is told, and stays."""
    text = f"👩‍🚀 ask {JANE} at https://acme.example/a"
    done = scanned({"id": "m-1", "text": text, "more": [1]})
    (record,) = done.records
    assert (done.code, done.err) == (0, "")
    assert list(record) == ["id", "entities", "flags", "masked"]
    assert [set(one) for one in record["entities"]] == [{"type", "start", "end", "score"}] * 2
    values = {one["type"]: text[one["start"] : one["end"]] for one in record["entities"]}
    assert values == {"EMAIL_ADDRESS": JANE, "URL": "https://acme.example/a"}
    assert record["id"] == "m-1"
    assert record["flags"] == ["allowed:URL"]
    assert record["masked"] == "👩‍🚀 ask <EMAIL_ADDRESS_1> at https://acme.example/a"


BAD = [
    pytest.param(f"{JANE}".encode(), None, "is not JSON", id="plain text"),
    pytest.param(b"[" * 100_000, None, "is not JSON", id="nested too deeply"),
    pytest.param(b'{"id": ' + b"1" * 5000 + b', "text": "a"}', None, "is not JSON", id="too long a number"),
    pytest.param(b'["' + JANE.encode() + b'"]', None, "not a JSON object", id="a list"),
    pytest.param(b'{"id": "k"}', "k", "has no text", id="no text"),
    pytest.param(b'{"id": 7, "text": null}', 7, "not a string", id="null"),
    pytest.param(b'{"id": 7, "text": ["jane.roe@acme.com"]}', 7, "not a string", id="a list of texts"),
    pytest.param(b'{"id": true, "text": "a"}', None, "neither a string nor", id="an id that is none"),
    pytest.param(b'{"id": {"a": 1}, "text": "a"}', None, "neither a string nor", id="an object as id"),
    pytest.param(b'{"text": "\xff jane.roe@acme.com"}', None, "is not UTF-8", id="another encoding"),
]


@pytest.mark.parametrize(("line", "name", "said"), BAD)
def test_a_bad_line_is_told_and_the_rest_goes_on(scanned: Scan, line: bytes, name: object, said: str) -> None:
    """By number, on its own line of the output and once at the end; nothing of it is quoted."""
    done = scanned(raw=b'{"id": "a", "text": "x"}\n\n' + line + b'\n{"id": "b", "text": "y"}')
    assert [record["id"] for record in done.records] == ["a", name, "b"]
    assert done.records[2]["masked"] == "y"
    error = done.records[1]["error"]
    assert error["line"] == 3
    assert said in error["message"]
    assert done.code == 1
    assert "1 of 3 lines were not scanned; line 3: " in done.err
    assert "jane" not in done.out + done.err


def test_every_line_is_a_conversation_of_its_own(scanned: Scan) -> None:
    """Unless all of them are one."""
    lines = [{"id": 1, "text": JANE}, {"id": 2, "text": f"bob@acme.com and {JANE}"}]
    assert [one["masked"] for one in scanned(*lines).records] == [
        "<EMAIL_ADDRESS_1>",
        "<EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>",
    ]
    assert [one["masked"] for one in scanned(*lines, options=("--one-conversation",)).records] == [
        "<EMAIL_ADDRESS_1>",
        "<EMAIL_ADDRESS_2> and <EMAIL_ADDRESS_1>",
    ]


def test_a_blocked_text_has_no_masked_form(scanned: Scan) -> None:
    """That the policy says no is an answer like others: the exit code is 0."""
    done = scanned(
        {"id": 1, "text": f"{JANE} has 536-90-4399"},
        pii="{detection: patterns, entities: {US_SSN: block, EMAIL_ADDRESS: allow}}",
    )
    (record,) = done.records
    assert (done.code, record["masked"]) == (0, None)
    assert record["flags"] == ["blocked:US_SSN", "allowed:EMAIL_ADDRESS"]
    assert [one["type"] for one in record["entities"]] == ["EMAIL_ADDRESS", "US_SSN"]


@pytest.mark.parametrize(
    ("section", "flag"),
    [("{max_characters: 20}", "too_long"), ("{timeout_seconds: 0.0000001}", "timeout")],
)
def test_what_was_not_analysed_goes_nowhere(scanned: Scan, section: str, flag: str) -> None:
    """There is no masked text, and the exit code says so."""
    done = scanned({"id": 1, "text": "so many words to read"}, pii=section)
    assert done.records == [{"id": 1, "entities": [], "flags": [flag], "masked": None}]
    assert done.code == 1
    assert f"line 1: {flag}" in done.err


def test_a_search_that_crashes_goes_nowhere(scanned: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does anything of the text stand in what is told."""

    async def crash(_finder: object, text: str) -> None:
        raise ValueError(text)

    monkeypatch.setattr("ringfence.guardrails.presidio.PiiFinder.find_all", crash)
    done = scanned({"id": 1, "text": JANE})
    assert done.records == [{"id": 1, "entities": [], "flags": ["failed"], "masked": None}]
    assert JANE not in done.out + done.err


def test_what_only_a_model_reads_is_masked_and_told(scanned: Scan) -> None:
    """Written with invisible characters or escapes, it has no place that could be given."""
    (record,) = scanned({"id": 1, "text": "ask jane.r\u200boe\u2060@ac\u200bme.com"}).records
    assert "hidden:EMAIL_ADDRESS" in record["flags"] or record["entities"]
    assert record["masked"] == "ask <EMAIL_ADDRESS_1>"


def test_half_a_character_survives(scanned: Scan) -> None:
    """JSON can spell it, no encoding can; the text is scanned all the same, and its id is as it was."""
    (record,) = scanned(raw=b'{"id": "\\ud83d", "text": "\\ud83d ' + JANE.encode() + b'"}').records
    assert record["id"] == "\ud83d"
    assert (record["entities"][0]["start"], record["masked"]) == (2, "\ufffd <EMAIL_ADDRESS_1>")


def test_from_a_file_into_a_file(scanned: Scan, tmp_path: Path) -> None:
    """A file that is read is never written; a text line by line has its number as id."""
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_bytes(f"\ufeffhello\r\n\n{JANE}".encode())
    options = ("--text", "--in", source, "--out", target)
    assert scanned(options=options) == Done(0, "", "")
    records = [json.loads(line) for line in target.read_text().splitlines()]
    assert [(one["id"], one["masked"]) for one in records] == [(1, "hello"), (3, "<EMAIL_ADDRESS_1>")]
    refused = scanned(options=("--in", source, "--out", source))
    assert (refused.code, refused.out) == (2, "")
    assert source.read_bytes()


@pytest.mark.parametrize("section", ["{entities: {SHOE_SIZE: block}}", "{thresholds: 1}"])
def test_a_faulty_policy_is_told_before_anything_is_read(scanned: Scan, section: str) -> None:
    """Exit code 2, with the line."""
    done = scanned({"id": 1, "text": JANE}, pii=section)
    assert (done.code, done.out) == (2, "")
    assert "policy.yaml:2:" in done.err


def test_without_a_policy_the_defaults_hold(scanned: Scan) -> None:
    """Personal data becomes a stand-in, a secret blocks."""
    sound, secret = {"id": 1, "text": JANE}, {"id": 2, "text": "key AKIAZ7Q4LMWX3RTB6VNE"}
    first, second = scanned(sound, secret, pii=None).records
    assert first["masked"] == "<EMAIL_ADDRESS_1>"
    assert (second["masked"], second["flags"]) == (None, ["blocked:API_KEY"])


def test_nothing_in_is_nothing_out(scanned: Scan) -> None:
    """And no error."""
    assert scanned() == Done(0, "", "")


# Reading


class Dribble:
    """Input that comes in pieces of any size."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def read(self, size: int, /) -> bytes:
        """The next piece."""
        if not self.pieces:
            return b""
        piece, rest = self.pieces[0][:size], self.pieces[0][size:]
        self.pieces[:1] = [rest] if rest else []
        return piece


@given(st.lists(st.text("aä\n\r \ufeff", max_size=6).map(str.encode), max_size=8))
def test_it_does_not_matter_in_which_pieces_lines_arrive(pieces: list[bytes]) -> None:
    """Not even in the middle of a character."""

    def lines(source: Dribble) -> list[Line]:
        chunks = chunks_of(source, plain_line, most_characters=100)
        return [line for chunk in chunks for line in chunk.lines]

    whole = b"".join(pieces)
    assert lines(Dribble(pieces)) == lines(Dribble([whole]))
    expected = whole.decode().removeprefix("\ufeff").split("\n")
    numbered = [(number, text.removesuffix("\r")) for number, text in enumerate(expected, start=1)]
    assert [(one.number, one.text) for one in lines(Dribble([whole]))] == [
        (number, text) for number, text in numbered if text.strip()
    ]


def test_an_endless_line_does_not_fill_the_memory() -> None:
    """It is dropped as it comes, told by its number, and the next one is read."""
    source = Dribble([b"x" * 10_000] * 1000 + [b'\n{"text": "a"}'])
    tracemalloc.start()
    lines = [line for chunk in chunks_of(source, json_line, most_characters=10) for line in chunk.lines]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(line.number, line.text) for line in lines] == [(1, None), (2, "a")]
    assert "longer" in lines[0].problem
    assert peak < 1_000_000, "of ten million bytes"


# Processes


def test_a_text_that_kills_its_process_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunk is tried again text by text, and one text is left to tell of."""
    monkeypatch.setattr(scan_workers, "serve", dying_worker.serve)
    with scan_workers.ScanWorkers("{}", 2, timeout_seconds=1) as workers:
        futures = [workers.submit(texts) for texts in (["a", "b"], ["c", "die", "d"], ["e"])]
        found: list[list[Any]] = [[*future.result()] for future in futures]
    assert (found[0], found[2]) == (["A", "B"], ["E"])
    assert (found[1][0], found[1][2]) == ("C", "D")
    assert found[1][1].failure == scan_workers.DIED


def test_processes_that_cannot_start_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a scan that hangs, nor one that starts them for ever."""
    monkeypatch.setattr(scan_workers, "serve", dying_worker.never_ready)
    with (
        scan_workers.ScanWorkers("{}", 1, timeout_seconds=1) as workers,
        pytest.raises(scan_workers.WorkerError, match="--jobs 1"),
    ):
        workers.submit(["a"]).result()


def test_a_text_that_killed_its_process_is_an_error_line(
    scanned: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like one that cannot be read; it stands in its place."""

    async def died(_finder: object, text: str) -> Found:
        return Found(failure=scan_workers.DIED if text == "die" else "")

    monkeypatch.setattr(scan, "look_into", died)
    done = scanned({"id": 1, "text": "a"}, {"id": 2, "text": "die"}, {"id": 3, "text": "b"})
    assert [record.get("masked") for record in done.records] == ["a", None, "b"]
    assert done.records[1]["error"]["message"].startswith("line 2: its analysis ended")
    assert done.code == 1


SIDE_BY_SIDE = """
import sys
from ringfence.adapters import scan
from ringfence.cli import main

started = []

class Watched(scan.ScanWorkers):
    def __init__(self, *arguments, **options):
        started.append(True)
        super().__init__(*arguments, **options)

scan.ScanWorkers, scan._ALONE_SECONDS = Watched, 0.0
code = main(["scan", *sys.argv[1:]])
sys.exit(code + 10 * len(started))
"""


@pytest.mark.timeout(180)  # each process imports all that a scan needs
def test_over_several_processes_the_output_is_the_same(scanned: Scan, tmp_path: Path) -> None:
    """In the same order, in one conversation, with bad lines between."""
    lines = [
        "bad" if n % 50 == 7 else json.dumps({"id": n, "text": f"user{n % 9}@acme.com wrote of order {n}"})
        for n in range(600)
    ]
    given = "\n".join(lines).encode()
    alone = scanned(raw=given, options=("--one-conversation", "--jobs", "1"))
    options = ["--one-conversation", "--jobs", "2", str(tmp_path / "policy.yaml")]
    command = [sys.executable, "-c", SIDE_BY_SIDE, *options]
    together = subprocess.run(command, input=given, capture_output=True, check=False)
    assert (alone.code, together.returncode) == (1, 11), "10 stands for the processes that were started"
    assert together.stdout.decode() == alone.out
    assert together.stderr.decode() == alone.err


# In a process of its own


def test_an_answer_comes_before_the_next_question() -> None:
    """Nothing waits for a buffer to fill; Ctrl-C ends it quietly, with the code that shells give."""
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        for number in (1, 2):
            process.stdin.write(json.dumps({"id": number, "text": JANE}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr.read() == ""


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """`ringfence scan | head -1` ends quietly."""
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(b'{"id": 1, "text": "a"}\n' * 2)
        process.stdin.flush()
        assert process.wait() == 1
        assert process.stderr.read() == b""

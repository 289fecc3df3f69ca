"""An MCP server over stdio without any library, which does as a file says at that moment.

Run as `python mcp_whim.py FOLDER`. In the folder, `server.json` says which tools are listed and how calls
end; `calls.jsonl` gets a line for each call that arrived.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def whim(folder: Path) -> dict[str, Any]:
    """What the file says now."""
    said: dict[str, Any] = json.loads((folder / "server.json").read_text(encoding="utf-8"))
    return said


def set_whim(folder: Path, **said: Any) -> None:
    """Have the server do something else from now on: `tools`, `on_list`, `on_call`, `answer`."""
    before = whim(folder) if (folder / "server.json").exists() else {}
    draft = folder / "server.draft"
    draft.write_text(json.dumps(before | said), encoding="utf-8")
    draft.replace(folder / "server.json")


def calls(folder: Path) -> list[dict[str, Any]]:
    """The calls that arrived."""
    path = folder / "calls.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def _obey(word: str) -> None:
    if word == "die":
        os._exit(1)
    if word == "hang":
        time.sleep(3_600)


def _answer(folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    said = whim(folder)
    match asked["method"]:
        case "initialize":
            version = asked["params"]["protocolVersion"]
            info = {"name": "whim", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        case "tools/list":
            _obey(said.get("on_list", ""))
            return {"tools": said["tools"]}
        case "tools/call":
            with (folder / "calls.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(asked["params"]) + "\n")
            _obey(said.get("on_call", ""))
            return {"content": [{"type": "text", "text": said.get("answer", "done")}], "isError": False}
        case _:
            return {}


def main() -> None:
    """Answer line after line."""
    folder = Path(sys.argv[1])
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": _answer(folder, asked)}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The client's own modules, called from Python: one Node.js process that answers line by line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

SOURCES = Path(__file__).parents[2] / "client" / "src"


class ClientFunction:
    """A function that a module in client/src/ exports; arguments and values go as JSON."""

    def __init__(self, module: str, name: str) -> None:
        script = (
            f"import {{ {name} as call }} from {json.dumps((SOURCES / module).as_uri())};"
            "import { createInterface } from 'node:readline';"
            "for await (const line of createInterface({ input: process.stdin }))"
            " console.log(JSON.stringify(call(...JSON.parse(line)) ?? null));"
        )
        command = ["node", "--no-warnings", "--input-type=module", "--eval", script]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *arguments: object) -> Any:
        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        given.write(json.dumps(arguments) + "\n")
        given.flush()
        return json.loads(answers.readline())

    def __enter__(self) -> ClientFunction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

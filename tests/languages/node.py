"""What Node.js, which has the data of CLDR, says about languages."""

from __future__ import annotations

import json
import subprocess
from typing import Any


def evaluate(script: str, given: object) -> Any:
    """The value of a JavaScript function of ``given``, both as JSON; the function may be asynchronous."""
    given_json = "JSON.parse(require('fs').readFileSync(0, 'utf8'))"
    code = f"Promise.resolve(({script})({given_json})).then((value) => console.log(JSON.stringify(value)))"
    done = subprocess.run(["node", "-e", code], input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)

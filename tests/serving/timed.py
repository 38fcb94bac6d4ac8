"""``python -m tests.serving.timed head=1,body=2 serve …``: the server with other timeouts, in seconds."""

import sys
from functools import partial

from tertulia.serving.timeouts import Timeouts
from tertulia.workers import worker

if __name__ == "__main__":
    given = dict(pair.split("=") for pair in sys.argv.pop(1).split(","))
    timeouts = Timeouts(**{name: float(seconds) for name, seconds in given.items()})
    # before the command is run, which takes it from there
    worker.serve_one = partial(worker.serve_one, timeouts=timeouts)

    from tertulia.cli import main

    main(prog_name="tertulia")

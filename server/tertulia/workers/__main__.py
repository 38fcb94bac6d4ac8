"""``python -m tertulia.workers``: a worker, which takes its config from standard input."""

import asyncio
import sys

from tertulia.workers.worker import work

sys.exit(asyncio.run(work()))

"""Nchan: nginx with one worker on the server's core; this process publishes to it from the load's core."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.kinds import NCHAN
from bench.peers import text

CONFIGURATION = """
load_module {module};
user root;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /pub {{ nchan_publisher; nchan_channel_id bench; }}
        location = /sub {{ nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }}
    }}
}}
"""


def worker_of(nginx: subprocess.Popen[bytes]) -> int:
    """The worker's process."""
    children = Path(f"/proc/{nginx.pid}/task/{nginx.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.05)
    return int(found[0])


def main(port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "nginx.conf"
        file.write_text(CONFIGURATION.format(module=NCHAN, folder=folder, port=port))
        nginx = subprocess.Popen(["nginx", "-c", str(file), "-g", "daemon off;"], stdout=subprocess.DEVNULL)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that nginx ends as well
        try:
            worker = worker_of(nginx)
            os.sched_setaffinity(0, set(range(1, os.cpu_count() or 1)) or {0})
            print(f"ready {worker}", flush=True)
            publisher = http.client.HTTPConnection("127.0.0.1", port)
            number = 0
            for line in sys.stdin:
                for _ in range(int(line)):
                    number += 1
                    publisher.request("POST", "/pub", text(number))
                    publisher.getresponse().read()
        finally:
            nginx.terminate()
            nginx.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))

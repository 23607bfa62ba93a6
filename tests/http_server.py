"""A web server on this machine for tests of what speaks HTTP: it answers as it is told, and remembers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any, dict[str, str]]
"""Status, body (text as it is, anything else as JSON) and headers."""


class Server:
    """What was asked, and where."""

    def __init__(self, answer: Callable[[str, bytes], Answer]) -> None:
        self.answer, self.asked = answer, list[str]()
        self.address = ""


@contextmanager
def serving(answer: Callable[[str, bytes], Answer]) -> Iterator[Server]:
    """Answer every request by its path and body."""
    told = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            told.asked.append(self.path)
            status, body, headers = told.answer(self.path, self.rfile.read(length))
            written = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        told.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()

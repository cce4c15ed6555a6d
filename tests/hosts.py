"""Local HTTP servers in place of hosts of weights and images, well-behaved or not."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def host(handle: Handler, *, head: bool = False) -> Iterator[str]:
    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            handle(self)

        if head:
            do_HEAD = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/w.h5"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(body: bytes, code: int = 200, length: int | None = None) -> Handler:
    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        request.end_headers()
        request.wfile.write(body)

    return handle


class Site:
    """The pages of a web server, and how often each was requested."""

    def __init__(self) -> None:
        self.pages: dict[str, Handler] = {}
        self.asked: Counter[str] = Counter()
        self.url = ""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.asked[request.path] += 1
        self.pages.get(request.path, answer(b"", 404))(request)


def hold(over: threading.Event) -> Handler:
    """Return a handler that does not answer until an event is set, or for 8 seconds."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        over.wait(8)

    return handle

"""Local HTTP servers in place of hosts of weights and images, working or faulty."""

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
        self.requests: Counter[str] = Counter()
        self.url = ""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.requests[request.path] += 1
        self.pages.get(request.path, answer(b"", 404))(request)


def hold(release: threading.Event) -> Handler:
    """Return a handler that does not answer until an event is set.

    After 8 seconds it sets the event itself: one that is still unset shows that nothing waited for
    the answer.
    """

    def handle(request: BaseHTTPRequestHandler) -> None:
        if not release.wait(8):
            release.set()

    return handle


def trickle(release: threading.Event, seconds: float, length: int | None = None) -> Handler:
    """Return a handler that sends a byte every 0.1 seconds until an event is set.

    After some seconds it sets the event itself: one that is still unset shows that the client did
    not wait for the end.
    """

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if length is not None:
            request.send_header("Content-Length", str(length))
        request.end_headers()
        for _ in range(int(seconds * 10)):
            request.wfile.write(b"x")
            request.wfile.flush()
            if release.wait(0.1):
                return
        release.set()

    return handle

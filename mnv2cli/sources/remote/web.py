"""Web servers: files, and pages with links as folders."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from html.parser import HTMLParser
from urllib.parse import quote, unquote, urljoin, urlsplit

from mnv2cli.sources.filesystem import Kind, Listing
from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.errors import http_error
from mnv2cli.sources.remote.listing import RemoteEntry
from mnv2cli.sources.remote.protocol import RemoteFileSystem
from mnv2cli.sources.remote.retry import with_retries
from mnv2cli.sources.remote.sinks import Sink
from mnv2cli.sources.remote.stores import StoreFileSystem, opened_once
from mnv2cli.sources.urls import scheme_of, split_chain


def open_web(url: str) -> RemoteFileSystem:
    """Return the file system of all web servers.

    Raises:
        InputError: A library is missing.
    """
    tail = split_chain(url)[1]
    kind = StoreFileSystem if tail else WebFileSystem  # fsspec handles chained URLs
    return opened_once((scheme_of(url), tail), partial(kind, url))


class WebFileSystem(StoreFileSystem):
    """A web server; the links of a page are the entries of a folder."""

    def _is_glob(self, head: str) -> bool:
        return "*" in head.partition("?")[0]  # ? starts a query, [] enclose IPv6 addresses

    def _kind_of(self, url: str) -> Kind:
        return "folder" if url.partition("?")[0].endswith("/") else "file"

    def path(self, url: str) -> str:
        """Return the URL itself."""
        return url

    def scan(self, url: str) -> Listing:
        """List the links of a page to files and folders directly below it."""
        head, sign, query = url.partition("?")
        url = f"{head.rstrip('/')}/{sign}{query}"

        def page() -> str:
            sink = Sink(limits.PAGE_LIMIT)
            with sink.file:
                self.read(url, sink)
                return sink.whole().read().decode("utf-8", "replace")

        links = _Links()
        links.feed(with_retries(page))
        base = urlsplit(url)
        entries = {}
        for link in links.found:
            try:
                target = urlsplit(urljoin(url, link))
            except ValueError:
                continue
            host = (base.hostname, base.port, base.scheme)
            if (target.hostname, target.port, target.scheme) != host or target.query:
                continue
            here, path = unquote(base.path), unquote(target.path)
            name = path.removeprefix(here).rstrip("/")
            if path.startswith(here) and name and "/" not in name:
                folder = path.endswith("/")
                entries[name, folder] = RemoteEntry(name, self.join(url, name), folder)
        return nullcontext(list(entries.values()))

    def join(self, url: str, name: str) -> str:
        """Return the URL of a link, with the query of the page, such as a token."""
        head, sign, query = url.partition("?")
        return f"{head}{'' if head.endswith('/') else '/'}{quote(name)}{sign}{query}"

    def split(self, url: str) -> tuple[str, str]:
        """Return the folder and the name of a file; the name keeps the query."""
        head, sign, query = url.partition("?")
        folder, _, name = head.rpartition("/")
        return folder, unquote(name) + sign + query

    def canonical(self, url: str) -> str:
        """Return the canonical name of a folder."""
        return unquote(url.partition("?")[0].rstrip("/"))

    def parts(self, url: str) -> tuple[str, ...]:
        """Return the folders of a file and its name, for patterns."""
        return tuple(unquote(part) for part in urlsplit(url).path.split("/") if part)

    def read(self, url: str, sink: Sink) -> None:
        """Copy a file into a sink; may raise any exception."""
        from fsspec.asyn import sync

        sync(self.fs.loop, self._read, url, sink)

    async def _read(self, url: str, sink: Sink) -> None:
        import asyncio

        session = await self.fs.set_session()
        request = session.get(
            self.fs.encode_url(url), headers={"Accept-Encoding": "identity"}, max_redirects=5
        )
        answer = await asyncio.wait_for(request, sink.seconds_left)
        try:
            if answer.status >= 400:
                asked = answer.headers.get("Retry-After", "")
                raise http_error(answer.status, float(asked) if asked.isdigit() else 0.0)
            sink.expect(answer.content_length or 0)
            while data := await asyncio.wait_for(
                answer.content.read(1 << 16), max(sink.seconds_left, 0.001)
            ):
                sink.write(data)
        except BaseException:
            answer.close()
            raise
        answer.release()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value.strip() for name, value in attrs if name == "href" and value]

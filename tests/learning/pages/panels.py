"""Check the HTML of panels."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"br"}
OPTIONAL_END = {"th", "td", "dt", "dd"}


class PanelHtml(HTMLParser):
    """Checks that elements are nested and have no handlers, styles or links, and collects them.

    Attributes:
        open: Elements without an end.
        tags: The name of each element.
        shown: The text.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.shown = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = {name for name, _ in attrs}
        assert not any(name.startswith("on") for name in names)
        assert not {"src", "href", "style"} & names
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in OPTIONAL_END:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.shown += data

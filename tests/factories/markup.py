"""What an HTML page holds, as far as tests ask: its words and where they stand, its ids, forms and addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
SPOKEN = ("alt", "aria-label", "placeholder", "title")
ADDRESSES = {
    "a": "href",
    "link": "href",
    "script": "src",
    "img": "src",
    "form": "action",
    "source": "src",
    "use": "href",
}


@dataclass
class Form:
    method: str
    fields: list[str] = field(default_factory=list)


@dataclass
class Page:
    """Attributes:
    root: attributes of the html element.
    said: (words, whether they are the page's own: not a token, nor content that says its own language or direction).
    inline: what a strict policy forbids: scripts and styles in the page, on… and style attributes.
    """

    root: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, bool]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def own_words(self) -> Iterator[str]:
        return (words for words, own in self.said if own)

    def other_hosts(self) -> list[str]:
        return [address for address in self.addresses if urlsplit(address).netloc or address.startswith("//")]


def read(markup: str) -> Page:
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._data = False  # the script last opened is data, which nobody runs
        self._open: list[tuple[str, bool]] = []  # tag, whether what stands in it is the page's own words

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.page.root = given
        if tag == "script":
            self._data = given.get("type") == "application/json"
        own = self._own and self._is_own(tag, given)
        if tag not in VOID:
            self._open.append((tag, own))
        self._note(tag, given, own)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        inside = self._open[-1][0] if self._open else ""
        if inside in ("script", "style"):
            if words and not self._data:
                self.page.inline.append(f"<{inside}>{words[:40]}")
        elif words:
            self.page.said.append((words, self._own))

    @property
    def _own(self) -> bool:
        return self._open[-1][1] if self._open else True

    def _is_own(self, tag: str, given: dict[str, str]) -> bool:
        if tag in ("html", "body"):
            return True
        foreign = tag in ("bdi", "code", "pre", "kbd", "textarea") or given.get("dir") in ("ltr", "auto")
        return not (foreign or "lang" in given or given.get("translate") == "no")

    def _note(self, tag: str, given: dict[str, str], own: bool) -> None:
        page = self.page
        if "id" in given:
            page.ids.append(given["id"])
        page.inline += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        page.said += [(" ".join(given[name].split()), own) for name in SPOKEN if given.get(name)]
        if address := given.get(ADDRESSES.get(tag, "")):
            page.addresses.append(address)
        if tag == "form":
            page.forms.append(Form(given.get("method", "get").lower()))
        elif (
            page.forms and tag in ("input", "select", "textarea", "button") and any(t == "form" for t, _ in self._open)
        ):
            page.forms[-1].fields.append(given.get("name", ""))

from __future__ import annotations

import pytest

from tansiq.notices.defang import defang


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("192.0.2.7", "192[.]0[.]2[.]7"),
        ("192.0.2.0/24", "192[.]0[.]2[.]0/24"),
        ("2001:db8::1", "2001[:]db8[:][:]1"),
        ("www.gov.example", "www[.]gov[.]example"),
        ("http://www.gov.example/a.b", "hxxp[:]//www[.]gov[.]example/a[.]b"),
        ("HTTPS://user@www.gov.example:8443/", "HxxPS[:]//user[@]www[.]gov[.]example:8443/"),
        ("ftp://files.example/x", "ftp[:]//files[.]example/x"),
        ("hxxp://www[.]gov[.]example/", "hxxp://www[.]gov[.]example/"),
        ("AS64496", "AS64496"),
        ("", ""),
    ],
)
def test_defang_of_any_subject_leaves_nothing_to_click(text: str, written: str) -> None:
    assert defang(text) == written


@pytest.mark.parametrize("text", ["http://192.0.2.7:80/x?u=http://www.gov.example/", "2001:db8::7", "a.b.example"])
def test_defang_twice_changes_nothing_more(text: str) -> None:
    once = defang(text)

    assert defang(once) == once

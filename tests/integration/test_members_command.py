"""``tansiq members`` as scripts and people meet it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

TEAMS = """
[[team]]
code = "XA-CERT"
name = { en = "CERT of XA", fr = "CERT de XA", ar = "فريق XA" }
claims = { country = ["XA"], cidr = ["192.0.2.0/24"], domain = ["gov.example"], asn = [64496] }
contacts = [ { kind = "email", value = "cert@cert.example", role = "duty officer", hours = "24x7" } ]

[[team]]
code = "XF-CERT"
name = { en = "CERT of XF" }
claims = { cidr = [
  "192.0.2.128/25",
  "198.51.100.0/24",
] }
"""
KEYS = [
    "target",
    "team",
    "country",
    "asn",
    "as_name",
    "prefix",
    "attributed_by",
    "confidence_percent",
    "reason",
    "contacts",
]


@pytest.fixture
def teams(tmp_path: Path) -> Path:
    file = tmp_path / "teams.toml"
    file.write_text(TEAMS, encoding="utf-8")
    return file


def test_import_json_counts_by_kind_and_lists_overlaps(run: Run, teams: Path) -> None:
    done = run("members", "import", teams, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert result["teams"] == {"new": 2, "changed": 0, "unchanged": 0}
    assert result["claims"] == {"cidr": 3, "domain": 1, "asn": 1, "country": 1}
    assert (result["claims_new"], result["claims_ended"], result["superseded"], result["contacts"]) == (6, 0, 0, 1)
    (overlap,) = result["overlaps"]
    assert overlap | {"message": "", "remedy": ""} == {
        "row": 12,
        "kind": "cidr",
        "value": "192.0.2.128/25",
        "team": "XF-CERT",
        "others": ["XA-CERT"],
        "effect": "contested",
        "message": "",
        "remedy": "",
    }
    assert overlap["message"] and overlap["remedy"]


def test_import_for_people_says_what_was_done_and_what_overlaps(run: Run, teams: Path) -> None:
    done = run("members", "import", teams)

    assert done.returncode == 0
    assert "2 teams: 2 new, 0 changed, 0 unchanged." in done.stdout
    assert "Line 12: XF-CERT claims the prefix 192.0.2.128/25 inside 192.0.2.0/24 of XA-CERT" in done.stderr


def test_import_with_mistakes_exits_2_names_their_rows_and_imports_nothing(run: Run, teams: Path) -> None:
    teams.write_text(TEAMS.replace("198.51.100.0/24", "198.51.100.1/24"), encoding="utf-8")

    done = run("members", "import", teams, "--json")

    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert error == {
        "row": 13,
        "team": "XF-CERT",
        "field": "claims.cidr",
        "code": "members.cidr.host_bits",
        "message": "198.51.100.1/24 has bits set beyond its length.",
        "remedy": "If the network is meant, write 198.51.100.0/24; if the one address is meant, write 198.51.100.1/32.",
    }
    assert "XA-CERT" not in run("members", "list").stdout


def test_import_with_mistakes_for_people_points_at_file_and_line(run: Run, teams: Path) -> None:
    teams.write_text(TEAMS.replace("64496", "0"), encoding="utf-8")

    done = run("members", "import", teams)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{teams}:5: XA-CERT claims.asn: AS0 belongs to nobody" in done.stderr


def test_import_dry_run_changes_nothing(run: Run, teams: Path) -> None:
    done = run("members", "import", teams, "--dry-run", "--json")

    assert json.loads(done.stdout)["dry_run"] is True
    assert "XA-CERT" not in run("members", "list").stdout


@pytest.mark.parametrize(
    ("content", "code", "exit_code"),
    [
        (b"\xff\xfe[\0[\0", "members.toml.encoding", 2),
        (b'[[team]]\ncode = "XA', "members.toml.syntax", 2),
        (b"", "members.toml.empty", 2),
        (None, "members.file.unreadable", 3),
    ],
)
def test_import_of_what_is_no_file_of_teams_says_so(
    run: Run, tmp_path: Path, content: bytes | None, code: str, exit_code: int
) -> None:
    file = tmp_path / "rubbish"
    if content is not None:
        file.write_bytes(content)

    done = run("members", "import", file, "--json")

    assert done.returncode == exit_code
    assert [error["code"] for error in json.loads(done.stdout)["errors"]] == [code]


def test_import_of_a_directory_says_so(run: Run, tmp_path: Path) -> None:
    done = run("members", "import", tmp_path)

    assert (done.returncode, done.stdout) == (3, "")
    assert str(tmp_path) in done.stderr


def test_import_of_a_file_with_byte_order_mark_and_windows_line_ends_works(run: Run, teams: Path) -> None:
    teams.write_bytes(b"\xef\xbb\xbf" + TEAMS.replace("\n", "\r\n").encode())

    done = run("members", "import", teams, "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["overlaps"][0]["row"] == 12


@pytest.mark.sqlite(why="limits the pages of the file that SQLite keeps")
def test_import_on_a_full_disk_changes_nothing_and_says_so(run: Run, run_python: Run, tmp_path: Path) -> None:
    file = tmp_path / "many.toml"
    networks = ", ".join(f'"10.{i // 256}.{i % 256}.0/24"' for i in range(20_000))
    file.write_text(f'[[team]]\ncode = "XA-CERT"\nname = "CERT of XA"\nclaims = {{ cidr = [{networks}] }}')

    done = run_python(
        "from tansiq.cli import main, node; node.opened()\n"
        "from django.db import connection\n"
        "connection.cursor().execute('PRAGMA max_page_count = 100')\n"
        f"import sys; sys.argv = ['tansiq', 'members', 'import', {str(file)!r}]\n"
        "main()"
    )

    assert (done.returncode, done.stdout) == (4, "")
    assert "Nothing was changed." in done.stderr
    assert "XA-CERT" not in run("members", "list").stdout


def test_whois_json_answers_one_object_a_target(run: Run, teams: Path) -> None:
    run("members", "import", teams)

    done = run("members", "whois", "192.0.2.7", "AS64496", "www.gov.example", "XA", "192.0.2.200", "--json")

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [list(answer) for answer in answers] == [KEYS] * 5
    assert [(answer["team"], answer["attributed_by"]) for answer in answers] == [
        ("XA-CERT", "cidr"),
        ("XA-CERT", "asn"),
        ("XA-CERT", "domain"),
        ("XA-CERT", "country"),
        (None, "contested"),
    ]
    assert answers[0]["contacts"] == [
        {"kind": "email", "value": "cert@cert.example", "role": "duty officer", "hours": "24x7"}
    ]


def test_whois_for_people_shows_a_card_in_their_words(run: Run, teams: Path) -> None:
    run("members", "import", teams)

    done = run("members", "whois", "https://www.gov.example/x", "192.0.2.200")

    assert done.stdout.splitlines() == [
        "hxxps://www[.]gov[.]example/x",
        "  Team:        XA-CERT, CERT of XA",
        "  Why:         the team answers for the domain gov.example",
        "  Confidence:  90 %",
        "  Contact:     e-mail cert@cert.example, duty officer, day and night",
        "192.0.2.200",
        "  Team:        nobody",
        "  Why:         XF-CERT claims 192.0.2.128/25, which lies inside what XA-CERT answers for; "
        "nobody is told until they agree",
    ]


def test_whois_of_rubbish_in_a_list_answers_the_others_and_exits_2(run: Run) -> None:
    done = run("members", "whois", "-", "--json", input=b"MA\n\n not a target \n\xff\xfe\nTN\n")

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [answer.get("team") for answer in answers] == ["MA-MACERT", None, None, "TN-TUNCERT"]
    assert set(answers[1]["error"]) == {"code", "message", "remedy"}


def test_whois_of_many_targets_from_standard_input_answers_each_in_order(run: Run) -> None:
    targets = [f"192.0.{i // 256}.{i % 256}" for i in range(60_000)]

    done = run("members", "whois", "-", "--json", input="\n".join(targets))

    assert done.returncode == 0
    assert [json.loads(line)["target"] for line in done.stdout.splitlines()] == targets


def test_whois_on_an_untouched_home_sets_the_node_up_and_answers(run: Run, empty_home: Path) -> None:
    done = run("members", "whois", "MA", "--json", at=empty_home)

    assert done.returncode == 0
    assert json.loads(done.stdout)["team"] == "MA-MACERT"


def test_whois_with_a_compiled_table_loads_nothing_heavy(run: Run, run_python: Run) -> None:
    run("members", "whois", "MA")

    done = run_python(
        "import sys; sys.argv = ['tansiq', 'members', 'whois', 'MA', '192.0.2.1', 'gov.example', '--json']\n"
        "from tansiq.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print({'polars', 'numpy', 'django', 'duckdb'} & set(sys.modules), file=sys.stderr)"
    )

    assert (done.returncode, done.stderr.splitlines()[-1], done.stdout.count("\n")) == (0, "set()", 3)


def test_list_json_says_names_claims_memberships_and_contacts(run: Run) -> None:
    done = run("members", "list", "--json")

    teams = {team["code"]: team for team in map(json.loads, done.stdout.splitlines())}
    assert len(teams) == 30
    assert teams["MA-MACERT"]["claims"] == {"country": 1}
    assert teams["KR-DUZON"]["claims"] == {}
    assert [said["category"] for said in teams["PK-PISA"]["memberships"]] == ["general"]
    assert (teams["PK-PISA"]["categories"], teams["PK-PISA"]["suspended"]) == (["general"], [])


def test_help_of_every_verb_has_an_example(run: Run) -> None:
    for verb in ("import", "export", "whois", "list"):
        assert f"tansiq members {verb}" in run("members", verb, "--help", COLUMNS="200").stdout

"""What is said of a stance.toml that cannot be used: the line, what was found, what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigError
from train.settings import read_settings
from train.starter import write_project


def _read(folder: Path, text: str) -> None:
    (folder / "stance.toml").write_text(text, "utf-8")
    read_settings(folder, required=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[labeling]\ntitel = 'x'\n", r"line 2: \[labeling\] has no key titel \(did you mean title\?\); its keys are"),
        ("[target]\nname = 'x'\n\n[labelling]\n", r"line 4: there is no section \[labelling\] \(did you mean labeling"),
        (
            "[corpus]\nzzz = 1\n",
            r"line 2: \[corpus\] has no key zzz; its keys are root, format, languages, fields, patterns",
        ),
        (
            "[train]\nsplit = 'grup'\n",
            r"line 2: train.split: expected one of 'group', 'date', 'outlet'; found 'grup' \(did you mean group\?\)",
        ),
        ("[publish]\ntext_source = 'found it'\n", r"line 2: publish.text_source: expected one of .*'crowdsourced'"),
        ("[labeling]\noverlap = 'two'\n", r"line 2: labeling.overlap: expected a whole number; found \"two\"\."),
        ("[labeling]\noverlap = 2.5\n", r"line 2: labeling.overlap: expected a whole number; found 2.5\."),
        ("[publish]\nauthors = 'me'\n", r"line 2: publish.authors: expected a list in square .*; found \"me\"\."),
        ("[publish]\nauthors = ['me', 3]\n", r"line 2: publish.authors: expected a text in quotation marks; found 3\."),
        ("[train]\ntest = true\n", r"line 2: train.test: expected a number; found true\."),
        ("target = 'x'\n", r"line 1: target: expected a section with keys of its own; found \"x\"\."),
        ("[[labels]]\nnames = ['a', 'b']\n", r"line 1: labels: expected a section .*; found a list in square"),
        ("[labeling]\nassign = {a = 'x'}\n", r"line 2: labeling.assign: expected a list .*; found a text"),
        ("[train]\ntest = 2.0\n", r"line 1: train: validation and test: expected shares"),
        (
            "[train]\nseed = 1\nmask = true\nseed = 2\n",
            r"line 4: the key seed in \[train\] stands twice, first in line 2",
        ),
        ("[train]\n[corpus]\n[train]\n", r"line 3: the section \[train\] stands twice, first in line 1"),
        (
            "[corpus]\nroot = '.'\nfields = {}\n\n[corpus.fields]\ntext = 'body'\n",
            r"line 5: \[corpus.fields\] gives the keys of fields, which line 3 has given already \(fields = \{\}\); "
            "delete line 3",
        ),
        ("[train]\nseed = \n", r"line 2: train.seed: expected a whole number; found nothing\."),
        ("[labeling]\noverlap = two # each\n", r"line 2: labeling.overlap: expected a whole number; found two\."),
        ("[target]\nname = the tunnel\n", r"line 2: target.name: expected a text in quotation marks; found the tunnel"),
        ("[train]\nmask = True\n", r"line 2: train.mask: expected true or false; found True\."),
        ("[labels]\nnames = [a, b]\n", r"line 2: labels.names: not valid TOML: found \[a, b\]; a text must stand in"),
        ("[labels]\nnmaes = a\n", r"line 2: labels.nmaes: not valid TOML: found a; a text must stand in"),
        ("[train]\nseed = 1 2\n", r"line 2: not valid TOML: Expected newline"),
        ("seed = 1\n", r"line 1: there is no section \[seed\]"),
    ],
)
def test_the_message_names_line_key_and_what_was_meant(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        _read(tmp_path, text)


def test_a_byte_order_mark_is_fine_and_other_encodings_are_named(tmp_path: Path) -> None:
    (tmp_path / "stance.toml").write_bytes("\ufeff[target]\nname = 'Häfen'\n".encode())
    assert read_settings(tmp_path, required=True).target.name == "Häfen"
    (tmp_path / "stance.toml").write_bytes("[target]\nname = 'Häfen'\n".encode("cp1252"))
    with pytest.raises(ConfigError, match="expected UTF-8"):
        read_settings(tmp_path, required=True)


def test_a_new_project_takes_its_tables_below_their_section(tmp_path: Path) -> None:
    write_project(tmp_path)
    path = tmp_path / "stance.toml"
    text = path.read_text("utf-8")
    more = '[corpus.fields]\ntext = "body"\n\n[corpus.patterns]\nad = ["Anzeige"]\n'
    path.write_text(text + more, "utf-8")
    found = read_settings(tmp_path, required=True).corpus
    assert (found.fields, found.patterns) == ({"text": "body"}, {"ad": ["Anzeige"]})

"""The line that opens a dataset's folder: Python that names the folder itself, wherever it lies."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import StanceError
from release.contents.dataset_folder import check_name, open_line, taken_for, unopenable
from stance.command_line import cli
from tests.conftest import REPO

OPEN = [
    *(
        "text",
        "csv",
        "sub/parquet",
        "a b",
        "it's",
        'say "x"',
        "both ' and \"",
        "a{b}",
        "a#b",
        "a%20b",
        "~x",
        "-x",
        "a:b",
    ),
    *("back\\slash", "new\nline", "über", "$", "a$NOT_SET", "x.csv", "data.py.d", "train", ".hidden", "..."),
]
CLOSED = ["a*b", "what?", "a[1]", "n[!a]", "a::b", "x.py", "a$HOME", "${HOME}", "w[1]/inner"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one config, as small as can be."""
    folder = tmp_path_factory.mktemp("small") / "dataset"
    (folder / "gold").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1, 2, 3]}), folder / "gold" / "train-00000-of-00001.parquet")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: gold\n  data_files:\n  - split: train\n    path: gold/train-*\n---\n"
    )
    return folder


def _rows(line: str, cache: Path) -> int:
    """The rows that the line opens, evaluated as Python with the arguments that it writes."""
    from datasets import load_dataset

    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "load_dataset"
    path, config = (ast.literal_eval(argument) for argument in call.args)
    rows: int = load_dataset(path, config, cache_dir=str(cache))["train"].num_rows
    return rows


@pytest.mark.parametrize("name", OPEN)
def test_the_line_opens_the_folder_by_a_relative_and_by_the_whole_path(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    shutil.copytree(dataset, tmp_path / name)
    check_name(Path(name))
    for n, folder in enumerate((Path(name), tmp_path / name, Path("..") / tmp_path.name / name)):
        assert _rows(open_line(folder), tmp_path / f".cache{n}") == 3


@pytest.mark.parametrize("name", CLOSED)
def test_a_folder_that_opens_by_no_path_is_refused(dataset: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(dataset, tmp_path / name)
    if name in ("a*b", "what?"):  # opened, but with every folder that the pattern fits
        shutil.copytree(dataset, tmp_path / name.replace("*", "--").replace("?", "s"))
        assert _rows(open_line(tmp_path / name), tmp_path / "cache") == 6
    else:
        with pytest.raises((RuntimeError, FileNotFoundError)):
            _rows(open_line(tmp_path / name), tmp_path / "cache")
    for folder in (Path(name), tmp_path / name):
        with pytest.raises(StanceError, match=r"load_dataset can't open a folder there: .*; name another folder"):
            check_name(folder)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(lambda name: name not in "..")
)
def test_the_line_is_python_and_names_the_folder(name: str) -> None:
    call = ast.parse(open_line(Path(name)), mode="eval").body
    assert isinstance(call, ast.Call)
    path = ast.literal_eval(call.args[0])
    assert path.startswith(("./", "/"))
    assert Path(path).absolute() == Path(name).absolute()
    assert "\n" not in open_line(Path(name))


def test_every_name_that_the_library_takes_for_a_loader_is_told() -> None:
    from datasets import packaged_modules

    names = set(packaged_modules._PACKAGED_DATASETS_MODULES)
    assert {"text", "csv", "json", "parquet", "arrow", "xml", "imagefolder", "audiofolder", "webdataset"} <= names
    for name in names:
        for folder in (Path(name), Path("below") / name, Path("/there") / name):
            assert f'load_dataset("{name}") does not open this folder' in taken_for(folder)
            assert not unopenable(folder)
    for name in ("Text", "texts", "text.d", "hydrated", "gold", "text/inner"):
        assert taken_for(Path(name)) == ""


@pytest.mark.parametrize("out", ["text", 'sub/it\'s "new" csv', "json"])
def test_hydrate_prints_a_line_that_opens_and_warns_of_a_loaders_name(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["hydrate", str(REPO / "seeds" / "standoff"), "--articles", str(shared / "seeds"), "--out", out]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    line = done.stdout.splitlines()[-1].removeprefix("open it with ")
    assert _rows(line, tmp_path / "cache") == 168
    assert ("takes the bare name for its own loader" in done.stderr) is (out != 'sub/it\'s "new" csv')


def test_after_the_option_for_another_project_the_line_has_the_whole_path(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    arguments = ["-C", "../project", "hydrate", str(REPO / "seeds" / "standoff"), "--articles", str(shared / "seeds")]
    done = CliRunner().invoke(cli, [*arguments, "--out", "text"], catch_exceptions=False)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert _rows(done.stdout.splitlines()[-1].removeprefix("open it with "), tmp_path / "cache") == 168


@pytest.mark.parametrize("out", ["x.py", "a[1]", "$HOME"])
def test_hydrate_refuses_a_name_that_nothing_opens_and_writes_nothing(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["hydrate", str(REPO / "seeds" / "standoff"), "--articles", str(shared / "seeds"), "--out", out]
    with pytest.raises(StanceError, match="load_dataset can't open a folder there"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []


def test_the_docs_name_no_folder_after_a_loader() -> None:
    for path in (REPO / "README.md", *sorted((REPO / "docs").glob("*.md")), *sorted((REPO / "stance").glob("*.py"))):
        for line in path.read_text("utf-8").splitlines():
            if "--out " in line and "stance " in line:
                assert not taken_for(Path(line.split("--out ")[1].split()[0])), (path, line)

"""Sentence vectors beside n-grams: the encoder, what is kept, the model that reads them, and what can go wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ExamplesError
from corpus.records import CorpusSettings
from labeling.scheme import DEFAULT
from release.card.model_card import model_card
from release.contents.manifest import configuration
from release.hub.upload import MODEL
from stance.command_line import cli
from tests.support.encoder import assemble
from tests.support.hub import running
from tests.support.labelled_texts import made_up_examples, of_two_targets
from tests.support.spark import QUICK_JVM, needs_spark
from train.archive import score_shards
from train.archive.predict_archive import predict_archive
from train.archive.score_shards import ModelAsked
from train.encoder import vectors as vectors_module
from train.encoder.encode import Floats, _open, encode
from train.encoder.find_encoder import EncoderFiles, find_encoder
from train.encoder.vector_cache import cache_file
from train.encoder.vectors import Vectors, open_vectors
from train.evaluate.analysis import read_analysis
from train.input_digests import of_examples
from train.model import tfidf_logistic
from train.model.counted_texts import Fits
from train.model.explain import VECTOR, explain, strongest
from train.model.files import load_model, save
from train.model.joint import joined
from train.model.search import WEIGHTS
from train.model.vector_scorer import vector_scorer
from train.predict import judge
from train.predict.cross_fit import refit
from train.predict.judge import judge_of, open_model
from train.records import ModelCard, Recipe, read_metrics, read_record
from train.report.page import _settings
from train.report.sentences import recipe_sentence, vectors_sentence
from train.settings import PublishSettings, Settings, TrainSettings, told
from train.train_model import Trained, train

pytestmark = pytest.mark.usefixtures("searched_once")

NEWS = [
    "The senate voted on Monday to send troops to the border.",
    "Lawmakers decided to deploy soldiers at the frontier.",
    "The museum opens a new wing for medieval art in spring.",
    "",
    "兵を送るべきではない。",
    " ".join(["war"] * 400),
]
BOTH = Recipe(features="word", c=3.0, vectors=1.0)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("encoders") / "minilm")


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def minilm(encoder: Path) -> Vectors:
    return open_vectors(str(encoder))


@pytest.fixture(scope="module")
def trained(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    """A small training, with the scores and the folder of the model."""
    out = tmp_path_factory.mktemp("trained") / "model"
    return train(made_up_examples(), out, TrainSettings(features="embedding", encoder=str(encoder))), out


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the encoder is run on, in their order."""
    seen: list[str] = []

    def watched(files: EncoderFiles, texts: Sequence[str], *more: Any) -> Floats:
        seen.extend(texts)
        return encode(files, texts, *more)

    monkeypatch.setattr(vectors_module, "encode", watched)
    return seen


# --- the encoder


def test_vectors_are_the_mean_of_the_tokens_and_like_texts_have_like_vectors(minilm: Vectors) -> None:
    found = encode(minilm.files, NEWS)
    assert found.shape == (6, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert found[0] @ found[1] > found[0] @ found[2] + 0.2
    opened = _open(minilm.files.network, minilm.files.tokenizer, minilm.files.tokens)
    ids = np.array([opened.tokenizer.encode(NEWS[2]).ids])
    padded = np.pad(ids, ((0, 0), (0, 9)))
    mask = (np.arange(padded.shape[1]) < ids.shape[1]).astype(np.int64)[None]
    feed = {"input_ids": padded, "attention_mask": mask, "token_type_ids": np.zeros_like(padded)}
    tokens = opened.session.run(None, feed)[0][0, : ids.shape[1]]
    np.testing.assert_allclose(tokens.mean(axis=0) / np.linalg.norm(tokens.mean(axis=0)), found[2], atol=1e-5)


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(len(NEWS))), threads=st.integers(1, 3), size=st.integers(1, len(NEWS)))
def test_a_vector_depends_on_nothing_but_its_text(
    minilm: Vectors, order: Sequence[int], threads: int, size: int
) -> None:
    alone = np.concatenate([encode(minilm.files, [text]) for text in NEWS])
    some = list(order)[:size]
    assert (encode(minilm.files, [NEWS[n] for n in some], threads) == alone[some]).all()


def test_what_is_beyond_the_tokens_that_are_read_is_cut_off(minilm: Vectors) -> None:
    assert minilm.files.tokens == 128, "as the tokenizer's file says"
    long, longer = (" ".join(["war", *["peace"] * count]) for count in (300, 400))
    one, other, short = encode(minilm.files, [long, longer, "war peace"])
    assert (one == other).all()
    assert not np.allclose(one, short)


def test_the_files_of_a_folder_say_how_vectors_are_pooled_and_how_much_is_read(encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(encoder, tmp_path / "mine"))
    plain = find_encoder(str(folder))
    assert (plain.name, plain.revision, plain.pooling) == ("mine", "", "mean")
    assert plain.digest == find_encoder(str(encoder)).digest, "the same files elsewhere are the same encoder"
    (folder / "1_Pooling").mkdir()
    said = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(said))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 16}')
    (folder / "onnx" / "model.onnx").rename(folder / "model.onnx")
    found = find_encoder(str(folder))
    assert (found.pooling, found.tokens) == ("cls", 16)
    assert found.digest != plain.digest
    averaged = msgspec.structs.replace(found, pooling="mean")
    assert not np.allclose(encode(found, NEWS[:1]), encode(averaged, NEWS[:1]))
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    assert find_encoder(str(folder)).pooling == "mean"


def test_an_encoder_comes_from_the_hub_with_its_revision_and_then_from_the_cache(encoder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from train.encoder.find_encoder import find_encoder\n"
        "found = find_encoder(sys.argv[1]); print(found.name, found.revision, found.source, found.digest)"
    )
    with running() as hub:
        hub.create("model", "org/minilm")
        files: dict[str, bytes | None] = {"pytorch_model.bin": b"\0" * 99}
        files |= {path.relative_to(encoder).as_posix(): path.read_bytes() for path in encoder.rglob("*.*")}
        revision = hub.edit("model", "org/minilm", files, by="ann")
        only = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path)}
        env = os.environ | only | dict.fromkeys(("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY"), "1")

        def found(source: str) -> str:
            asked = [sys.executable, "-W", "ignore", "-c", code, source]
            return subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout

        first = found("org/minilm").split()
        assert first == ["org/minilm", revision, f"org/minilm@{revision}", find_encoder(str(encoder)).digest]
        assert not list(tmp_path.rglob("pytorch_model.bin")), "only what is needed is downloaded"
    assert found(f"org/minilm@{revision}").split() == first, "the Hub is gone"


# --- what is kept


def test_no_text_is_encoded_twice(
    encoder: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mine = open_vectors(str(encoder))
    asked.clear()
    first = mine.of([*NEWS, NEWS[0]])
    assert sorted(asked) == sorted(set(NEWS))
    assert (mine.of(NEWS[::-1]) == first[:6][::-1]).all()
    assert len(asked) == len(NEWS), "the second time from the file"
    assert (mine.unkept().of(NEWS[:1]) == first[:1]).all()
    assert len(asked) == len(NEWS) + 1
    file = cache_file(mine.files.digest)
    assert b"troops" not in file.read_bytes(), "texts are not kept"
    file.write_bytes(b"no database, " * 99)
    with pytest.raises(ExamplesError, match=r"which keeps sentence vectors, cannot be used: .* Delete it"):
        mine.of(NEWS)


# --- the model


def test_two_trainings_give_the_same_bytes_and_encode_nothing_anew(
    trained: tuple[Trained, Path], encoder: Path, asked: list[str], tmp_path: Path
) -> None:
    _, out = trained
    asked.clear()
    train(made_up_examples(), tmp_path / "again", TrainSettings(features="embedding", encoder=str(encoder)), jobs=1)
    assert asked == [""], "only the encoder itself is tried"
    for path in sorted(out.iterdir()):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_model_says_which_encoder_it_needs_and_holds_no_weights(
    trained: tuple[Trained, Path], minilm: Vectors
) -> None:
    done, out = trained
    card = read_record(out / "model.json", ModelCard)
    assert card.encoder == minilm.encoder == read_metrics(out).encoder == done.metrics.encoder
    assert card.recipe.vectors == done.metrics.cv.vectors
    assert card.recipe.vectors in WEIGHTS
    assert sum(path.stat().st_size for path in out.iterdir()) < 2_000_000
    assert str(minilm.files.source) not in "".join((out / name).read_text() for name in MODEL if name.endswith("json"))
    model = load_model(out)
    rows = [row for row in made_up_examples() if row.group in ("g3", "g4")]
    assert model.predict([row.text for row in rows]) == load_model(out, trust=True).predict([r.text for r in rows])


def test_a_training_compares_with_n_grams_alone(trained: tuple[Trained, Path], tmp_path: Path) -> None:
    done, out = trained
    alone = train(made_up_examples(), tmp_path / "alone", TrainSettings())
    gain = read_analysis(out).vectors
    assert gain
    assert gain.baseline == alone.metrics.cv.tried[0]
    assert (gain.f_avg, gain.macro_f1) == (alone.metrics.test.f_avg, alone.metrics.test.macro_f1)
    apart = done.metrics.test.f_avg.value - alone.metrics.test.f_avg.value
    assert gain.compared.f_avg.value == pytest.approx(apart)
    assert 0 < gain.share < 1
    assert [row for row in done.metrics.cv.tried if not row.recipe.vectors] == alone.metrics.cv.tried
    assert len(done.metrics.cv.tried) == 35
    assert "and sentence vectors of the frozen encoder minilm (digest " in recipe_sentence(done.metrics)
    times = done.metrics.cv.repeats
    assert f"the best of 15 recipes with sentence vectors in {times} × 5-fold" in recipe_sentence(done.metrics)
    sentence = vectors_sentence(done.analysis)
    assert "The baseline, n-grams alone with the recipe that was best for them, has an F_avg of" in sentence
    assert vectors_sentence(alone.analysis) == ""
    assert b"vectors" not in (tmp_path / "alone" / "analysis.json").read_bytes()


@pytest.mark.parametrize("masked", [False, True])
def test_a_ready_model_predicts_as_the_pipelines_do_and_text_by_text(minilm: Vectors, masked: bool) -> None:
    rows = of_two_targets(8)
    model = msgspec.structs.replace(tfidf_logistic.fit(BOTH, rows, vectors=minilm), masked=masked)
    texts = [f"They [T]said[/T] {row.text}" for row in rows[:20]]
    for target in ("t", "u", "never seen"):
        wanted = tfidf_logistic.probabilities(model, texts, [target] * len(texts))
        ready = judge_of(model, target)
        np.testing.assert_allclose(ready.chances(texts), wanted, atol=1e-6)
        assert (np.concatenate([ready.chances([text]) for text in texts]) == ready.chances(texts)).all()


def test_what_only_scikit_learn_can_score_is_left_to_it(minilm: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made_up_examples(8)
    model = tfidf_logistic.fit(BOTH, rows, vectors=minilm)
    monkeypatch.setattr("train.model.vector_scorer.scorer", lambda pipeline: None)
    slow = vector_scorer(model.pipelines["t"], 1.0, 384)
    texts = [row.text for row in rows[:9]]
    wanted = tfidf_logistic.probabilities(model, texts)
    np.testing.assert_allclose(slow.probabilities(texts, minilm.of(texts), model.labels), wanted, atol=1e-6)


def test_a_joint_model_encodes_target_and_text_and_is_refitted_so(minilm: Vectors, asked: list[str]) -> None:
    rows = made_up_examples(8)
    read = [msgspec.structs.replace(row, text=joined(row.text, "more bridges"), target="") for row in rows]
    recipe = Recipe(features="text+target", c=3.0, vectors=2.0)
    fitted = tfidf_logistic.fit(recipe, read, vectors=minilm)
    model = msgspec.structs.replace(fitted, joint=["more bridges"])
    asked.clear()
    texts = ["Soldiers go home.", "A council met."]
    wanted = tfidf_logistic.probabilities(model, texts, ["more bridges"] * 2)
    assert asked == [f"more bridges: {text}" for text in texts]
    ready = judge_of(model, "more bridges")
    np.testing.assert_allclose(ready.chances(texts), wanted, atol=1e-6)
    np.testing.assert_allclose(refit(ready, rows, DEFAULT).chances(texts), wanted, atol=1e-6)


def test_fits_on_parts_are_those_of_a_model_on_the_parts(minilm: Vectors) -> None:
    rows = made_up_examples(10)
    fits = Fits(BOTH, rows, vectors=minilm)
    training, testing = rows[:40], rows[40:]
    model = tfidf_logistic.fit(BOTH, training, vectors=minilm)
    wanted = tfidf_logistic.probabilities(model, [row.text for row in testing], [row.target for row in testing])
    np.testing.assert_allclose(fits.probabilities(training, testing), wanted, atol=1e-4)


def test_an_explanation_has_the_vector_as_one_piece_and_adds_up(minilm: Vectors) -> None:
    rows = made_up_examples(10)
    model = tfidf_logistic.fit(BOTH, rows, vectors=minilm)
    text = rows[0].text
    pieces = explain(model, text)
    assert [piece for piece, _ in pieces] == [*text.split(), VECTOR]
    pipeline = model.pipelines["t"]
    x = tfidf_logistic.features(pipeline, [text], minilm, 1.0)
    wanted = pipeline["logistic"].decision_function(x)[0] - pipeline["logistic"].intercept_
    found = {label: sum(by[label] for _, by in pieces) for label in model.labels}
    for label, value in zip(pipeline["logistic"].classes_, wanted, strict=True):
        assert found[label] == pytest.approx(value, abs=1e-4)
    assert strongest(model, rows, 5)["t"]["favor"]


def test_an_archive_is_scored_with_vectors_whatever_the_processes(
    trained: tuple[Trained, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model = trained
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(score_shards, "SHARD", 1)
    news = tmp_path / "news"
    news.mkdir()
    for n, row in enumerate(made_up_examples(6)[::6]):
        (news / f"{n}.txt").write_text(f"Report: {row.text} today.\n\nNothing of it {row.text} is new.\n")
    told = CorpusSettings(root=str(news))
    for workers in (1, 2):
        predict_archive([news], model, tmp_path / f"out{workers}", told, workers=workers)
    parts = [sorted((tmp_path / f"out{n}" / "scores").rglob("*.parquet")) for n in (1, 2)]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]] != []
    assert not (tmp_path / "cache").exists(), "the vectors of an archive would fill it"
    # What a cluster's machines do with the files that they are sent.
    names = ("model.json", "model.skops", "encoder.json")
    asked = ModelAsked(folder=model, target="t", trust=False, version=open_model(model, "t").version)
    monkeypatch.setattr(score_shards, "_HELD", {})
    sent = score_shards._judge(asked, lambda: {name: (model / name).read_bytes() for name in names})
    assert (sent.chances(NEWS[:2]) == open_model(model, "t").chances(NEWS[:2])).all()


@needs_spark
@pytest.mark.slow
def test_spark_scores_with_vectors_as_this_computer_does(
    trained: tuple[Trained, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", QUICK_JVM)
    (tmp_path / "news").mkdir()
    for n in range(4):
        (tmp_path / "news" / f"{n}.txt").write_text(f"They refuse the danger of war. Item {n} of the council is new.\n")
    told = CorpusSettings(root=str(tmp_path / "news"))
    for name, address in (("here", None), ("there", "local[2]")):
        predict_archive([tmp_path / "news"], trained[1], tmp_path / name, told, workers=1, address=address)
    parts = [sorted((tmp_path / name / "scores").rglob("*.parquet")) for name in ("here", "there")]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]] != []


def test_a_models_card_names_the_encoder_and_the_hub_gets_no_path(trained: tuple[Trained, Path]) -> None:
    done, out = trained
    card = model_card(out, PublishSettings(), "org/model").decode()
    assert "The encoder is not part of this model" in card
    assert done.metrics.encoder
    assert f"`{done.metrics.encoder.digest}`" in card
    assert 'model["tfidf"].transform(texts)' in card
    assert "`pip install '.[embeddings]'` instead of" in card
    assert "encoder.json" not in MODEL


def test_settings_of_vectors_count_only_where_they_are_asked_for() -> None:
    rows = made_up_examples(4)
    plain, other = TrainSettings(), TrainSettings(encoder="org/other")
    vectors = TrainSettings(features="embedding")
    assert of_examples(rows, plain) == of_examples(rows, other) != of_examples(rows, vectors)
    assert not told(Settings(train=other))["train"].keys() & {"features", "encoder"}
    assert told(Settings(train=vectors))["train"]["features"] == "embedding"


def test_no_path_of_this_machine_is_published() -> None:
    mine = Settings(train=TrainSettings(features="embedding", encoder="/home/ann/minilm"))
    assert configuration(mine, standoff=False)["train"]["features"] == "embedding"
    assert "/home/ann" not in str([configuration(mine, standoff=True), _settings(mine)])


# --- what can go wrong


def _damage(folder: Path, how: str) -> None:
    network = folder / "onnx" / "model.onnx"
    if how == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif how == "no network":
        network.unlink()
    elif how == "several networks":
        for name in ("model_a.onnx", "model_b.onnx"):
            shutil.copyfile(network, folder / "onnx" / name)
        network.unlink()
    elif how == "broken network":
        network.write_bytes(network.read_bytes()[:5000])
    elif how == "broken tokenizer":
        (folder / "tokenizer.json").write_text('{"model": 3}')
    elif how == "no json":
        (folder / "tokenizer.json").write_text("no JSON")
    elif how == "odd pooling":
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    else:
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no tokenizer", r"the encoder .*mine has no tokenizer: .*tokenizer.json is not there; expected onnx/model"),
        ("no network", r"the encoder .*mine has no ONNX file that can be chosen \(found none\); expected onnx/model"),
        ("several networks", r"found several: onnx/model_a.onnx, onnx/model_b.onnx"),
        ("broken network", r"onnx/model.onnx cannot be opened as an ONNX file"),
        ("broken tokenizer", r"tokenizer.json cannot be opened as a tokenizer"),
        ("no json", r"tokenizer.json: expected JSON"),
        ("odd pooling", r"1_Pooling/config.json: expected one of mean, .*; found pooling_mode_max_tokens"),
        ("no folder", r"there is no such folder here, and an id at the Hub has the form ORG/NAME"),
    ],
)
def test_an_encoder_that_cannot_be_used_is_one_message(encoder: Path, tmp_path: Path, how: str, message: str) -> None:
    folder = Path(shutil.copytree(encoder, tmp_path / "mine"))
    _damage(folder, how)
    out = tmp_path / "model"
    with pytest.raises(ExamplesError, match=message):
        train(made_up_examples(), out, TrainSettings(features="embedding", encoder=str(folder)))
    assert not out.exists()


def test_a_missing_or_another_encoder_at_predict_time_is_one_message(
    trained: tuple[Trained, Path], encoder: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(trained[1], tmp_path / "model"))
    mine = Path(shutil.copytree(encoder, tmp_path / "mine"))
    place = model / "encoder.json"
    place.write_text(json.dumps({"source": str(mine)}))
    texts = NEWS[:1]
    assert load_model(model).predict(texts) == load_model(trained[1]).predict(texts), "moved, it is the same"
    (mine / "sentence_bert_config.json").write_text('{"max_seq_length": 12}')
    with pytest.raises(ExamplesError, match=r"needs the encoder minilm \(digest .*\); found another encoder at .*mine"):
        open_model(model, "t")
    shutil.rmtree(mine)
    with pytest.raises(ExamplesError, match=r"needs the encoder minilm .* no such folder .* write .*\"source\""):
        open_model(model, "t")
    place.unlink()
    with pytest.raises(ExamplesError, match=r"nothing says where it is on this computer: write .* to .*encoder.json"):
        open_model(model, "t")


def test_files_of_different_runs_are_one_message(trained: tuple[Trained, Path], tmp_path: Path) -> None:
    model = Path(shutil.copytree(trained[1], tmp_path / "model"))
    save(tfidf_logistic.fit(Recipe(features="word", c=1.0), made_up_examples()), tmp_path / "other")
    shutil.copyfile(tmp_path / "other" / "model.skops", model / "model.skops")
    with pytest.raises(ExamplesError, match=r"expected \d+ coefficients, .* The files are of different runs"):
        load_model(model)
    # A model of n-grams that is trained into the same folder needs no encoder any more.
    save(tfidf_logistic.fit(Recipe(features="word", c=1.0), made_up_examples()), model)
    assert load_model(model).vectors is None
    assert not (model / "encoder.json").exists()


def test_without_the_extra_the_message_names_it_and_all_else_works(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnxruntime", "tokenizers"):
        monkeypatch.setitem(sys.modules, name, None)
    _open.cache_clear()
    with pytest.raises(ExamplesError, match=r"pip install 'stance-corpus\[embeddings\]'"):
        train(made_up_examples(), tmp_path / "model", TrainSettings(features="embedding", encoder=str(encoder)))
    train(made_up_examples(), tmp_path / "model", TrainSettings())
    assert judge.open_model(tmp_path / "model", "t").chances(NEWS).shape == (6, 3)


def test_the_command_trains_and_predicts_with_vectors(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "stance.toml").write_text('[train]\nfeatures = "embedding"\nencoder = "encoders/minilm"\n')
    shutil.copytree(encoder, tmp_path / "encoders" / "minilm")
    rows = [{"text": row.text, "label": row.label, "group": row.group} for row in made_up_examples()]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "news.txt").write_text("They never refuse the danger of war. The museum opens today.\n")

    def stance(*arguments: str) -> str:
        here = Path.cwd()
        try:
            done = CliRunner().invoke(cli, ["-C", str(tmp_path), *arguments], catch_exceptions=False)
        finally:
            os.chdir(here)
        assert done.exit_code == 0, done.output
        return done.output

    said = stance("train", "data.jsonl", "--out", "model")
    assert "and vectors of minilm × " in said
    assert "what the vectors add, paired: F_avg " in said
    stance("predict", "model", "news.txt", "--out", "stances.csv")
    assert len((tmp_path / "stances.csv").read_text().splitlines()) == 3

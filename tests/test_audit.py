"""The audit finds every leak that there is, and the naive comparison measures what leaks are worth."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.fuzz import ratio

from corpus.duplicates.queries import LETTERS, MIN_WORDS
from corpus.errors import ExamplesError
from corpus.near_duplicates import near_duplicates, normalise
from labeling.scheme import DEFAULT, Stance
from train.evaluate import leak_audit as audits
from train.evaluate.leak_audit import Audit, audit, check, naive, with_and_without
from train.examples.load import load_examples
from train.records import Example

WORDS = "the talks on aid ended in Ostrel without a deal late on Monday as ministers left for home".split()


def _rows(texts: Sequence[str], name: str = "r") -> list[Example]:
    return [
        Example(sentence_id=f"{name}{n}", text=text, label="none", group=f"{name}{n}") for n, text in enumerate(texts)
    ]


TEXT = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join),
    st.text(alphabet="aбé .", max_size=12),
)


@settings(deadline=None)
@given(st.lists(TEXT, max_size=12), st.lists(TEXT, max_size=12), st.sampled_from([60.0, LETTERS, 95.0, 100.0]))
def test_every_pair_from_the_threshold_up_is_found_and_no_other(
    train: list[str], test: list[str], threshold: float
) -> None:
    found = audit(_rows(train, "b"), _rows(test, "a"), threshold)
    expected = {}
    for n, one in enumerate(map(normalise, test)):
        for m, two in enumerate(map(normalise, train)):
            long = min(len(one.split()), len(two.split())) >= MIN_WORDS
            if one == two or (long and ratio(one, two) >= threshold):
                expected[f"a{n}", f"b{m}"] = ratio(one, two)
    assert {(pair.test_id, pair.train_id): pair.ratio for pair in found.pairs} == pytest.approx(expected)
    assert found.found == len(expected)
    assert found.affected == sorted({int(name[1:]) for name, _ in expected})
    assert [pair.ratio for pair in found.pairs] == sorted((pair.ratio for pair in found.pairs), reverse=True)


def test_blocks_and_length_windows_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(3)
    train = [" ".join(draw.choices(WORDS, k=draw.randint(5, 40))) for _ in range(150)]
    test = [text[draw.randint(0, 9) :] + " " + " ".join(draw.choices(WORDS, k=draw.randint(0, 9))) for text in train]
    whole = audit(_rows(train), _rows(test))
    assert whole.found > 50
    for size in (1, 7):
        monkeypatch.setattr(audits, "BLOCK", size)
        assert audit(_rows(train), _rows(test)) == whole


def test_a_leak_that_the_clustering_does_not_join_fails_a_split_made_here() -> None:
    # Where five words differ the clustering wants the rarest words the same, and here those are the ones changed.
    one = "the harbour council of Ostrel voted on Monday night to send two ships of grain and medicine to the coast"
    two = one.replace("Monday", "Sunday").replace("two", "six").replace("grain", "flour")
    two = two.replace("night", "noon").replace("send", "lend")
    frame = [
        " ".join(draw.sample("the harbour council of Ostrel voted on to ships and medicine coast".split(), 9))
        for draw in map(random.Random, range(40))
    ]
    changed = ["we heard of Monday and night and two and send and grain", "they spoke of Sunday noon six lend flour"]
    assert near_duplicates([one, two, *frame, *changed])[:2] == [0, 1]
    found = audit(_rows([one, "something else is said here in full"], "train"), _rows([two], "test"))
    assert found.affected == [0]
    with pytest.raises(ExamplesError, match="the split leaks: 1 of 1 test sentences") as caught:
        check(found)
    assert 'together = [["test0","train0"]]' in str(caught.value)
    check(audit(_rows(["something else is said here in full"]), _rows([two])))


def test_short_sentences_leak_only_when_they_are_equal() -> None:
    assert audit(_rows(["Training.", "He said so."]), _rows(["Trading.", "She said so."])).found == 0
    assert audit(_rows(["He said so."]), _rows(["“He said so”"])).found == 1
    four, five = "nobody answered the minister", "nobody answered the minister a"
    assert ratio(four, five) > 95
    assert audit(_rows([four]), _rows([five])).found == audit(_rows([five]), _rows([four])).found == 0


def test_equal_texts_by_the_thousand_are_counted_and_only_listed_as_far_as_can_be_read() -> None:
    training, testing = _rows(["Yes."] * 3_000 + ["no more of it"], "b"), _rows(["Yes.", "other"] * 1_000, "a")
    tracemalloc.start()
    found = audit(training, testing)
    assert tracemalloc.get_traced_memory()[1] < 50e6  # all pairs at once are some 500 MB
    tracemalloc.stop()
    assert (found.found, len(found.pairs), found.tested) == (3_000_000, audits.MOST, 2_000)
    assert found.affected == list(range(0, 2_000, 2))
    everything = sorted((one.sentence_id, two.sentence_id) for one in testing[::2] for two in training[:-1])
    assert [(pair.test_id, pair.train_id) for pair in found.pairs] == everything[: audits.MOST]


def test_nothing_to_compare_is_no_leak() -> None:
    assert audit([], []) == Audit(threshold=LETTERS, compared=0, found=0, pairs=[], affected=[], tested=0)
    assert audit(_rows(["a b c d e"]), []).found == audit([], _rows(["a b c d e"])).found == 0


def test_semeval_leaks_as_much_as_is_known(shared: Path) -> None:
    rows = load_examples(shared / "data" / "semeval2016_task6" / "examples.jsonl")
    training, testing = ([row for row in rows if row.split == name] for name in ("train", "test"))
    found = audit(training, testing)
    assert len(found.affected) == 13  # 12 by the texts as they are
    assert found.compared == 2914 * 1249


def test_scores_stand_with_and_without_the_affected_rows() -> None:
    testing = [msgspec.structs.replace(row, label=DEFAULT.names[n % 3]) for n, row in enumerate(_rows(["a"] * 9))]
    found = Audit(threshold=80, compared=9, found=3, pairs=[], affected=[0, 1, 2], tested=9)
    given_: list[Stance] = [row.label if n < 3 else "none" for n, row in enumerate(testing)]
    both = with_and_without(testing, given_, found, seed=1)
    assert both.all.accuracy.value == pytest.approx(5 / 9)
    assert both.without is not None
    assert both.without.accuracy.value == pytest.approx(1 / 3)
    assert (both.without.n, both.affected) == (6, 3)
    everything = msgspec.structs.replace(found, affected=list(range(9)))
    assert with_and_without(testing, given_, everything, seed=1).without is None
    assert b"null" in msgspec.json.encode(with_and_without(testing, given_, everything, seed=1))


def _nearest(training: Sequence[Example], testing: Sequence[Example]) -> list[Stance]:
    """A model that knows only what it has seen: the label of the same text, else the most frequent one."""
    seen = {row.text: row.label for row in training}
    counts = Counter(row.label for row in training)
    most = max(DEFAULT.names, key=lambda stance: (counts[stance], stance))
    return [seen.get(row.text, most) for row in testing]


def _copied(copies: int) -> list[Example]:
    return [
        Example(sentence_id=f"{group}-{n}", text=f"text {group}", label=DEFAULT.names[group % 3], group=f"g{group}")
        for group in range(60)
        for n in range(copies)
    ]


def test_a_naive_split_flatters_where_groups_hold_copies_and_not_where_they_hold_one() -> None:
    copied = naive(_copied(5), 60, _nearest, seeds=range(5))
    assert copied.low is not None
    assert copied.flatters > 0.5
    assert copied.low > 0.3
    assert naive(_copied(5)[::-1], 60, _nearest, seeds=range(5)) == copied
    single = naive(_copied(1), 12, _nearest, seeds=range(5))
    assert single.low is not None
    assert single.high is not None
    assert single.low <= 0 <= single.high
    assert naive(_copied(1), 12, _nearest, seeds=[1]).low is None


def test_naive_and_grouped_splits_have_the_same_sizes_and_groups_stay_whole() -> None:
    sizes: list[tuple[int, int]] = []
    whole: list[bool] = []

    def spy(training: Sequence[Example], testing: Sequence[Example]) -> list[Stance]:
        sizes.append((len(training), len(testing)))
        whole.append(not {row.group for row in training} & {row.group for row in testing})
        return ["none"] * len(testing)

    found = naive(_copied(5), 60, spy, seeds=[1, 2, 3])
    assert set(sizes) == {(240, 60)}
    assert whole == [False, True] * 3
    # The same in each draw: that is no interval of 0 to 0.
    assert (found.flatters, found.low, found.high) == (0.0, None, None)


@pytest.mark.parametrize("tested", [0, 300, 400])
def test_a_naive_split_that_leaves_nothing_is_an_error(tested: int) -> None:
    with pytest.raises(ExamplesError, match=f"{tested} of 300 examples"):
        naive(_copied(5), tested, _nearest, seeds=[1])


def test_near_duplicates_among_long_texts_are_found_by_the_words_that_they_share() -> None:
    chance = np.random.default_rng(5)
    words = ["".join(chance.choice(list("abcdefghij"), 6)) for _ in range(3000)]
    texts = [chance.choice(words, 200).tolist() for _ in range(60)]
    tests = []
    for n, text in enumerate(texts[:20]):
        edited = list(text)
        for place in chance.permutation(200)[: 4 * n].tolist():  # up to 76 of 200 words are others
            edited[place] = str(chance.choice(words))
        tests.append(" ".join(edited))
    trains = [" ".join(text) for text in texts] + ["A short text of some words that has nothing to do with these."]
    found = audit(_rows(trains), _rows(tests))
    by_hand = {
        (n, m)
        for n, test in enumerate(tests)
        for m, train in enumerate(trains)
        if ratio(normalise(test), normalise(train)) >= found.threshold
    }
    assert len(by_hand) > 8
    assert {(int(pair.test_id[1:]), int(pair.train_id[1:])) for pair in found.pairs} == by_hand
    assert found.found == len(by_hand)

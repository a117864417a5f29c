"""The data statement of a release: who labelled what, and how the annotators were chosen and paid."""

from __future__ import annotations

from release.card.card_facts import CardFacts, extractors
from release.card.card_sentences import decided_sentence
from release.card.managed_markdown import decode, fill, merge
from train.report import corpus_sentences
from train.report import sentences as readings


def data_statement(facts: CardFacts) -> bytes:
    """`annotators.md`: a data statement, in which what people wrote between stance's parts is kept.

    Raises:
        PublishError: the existing data statement has a broken marker, or one of stance's parts in it was edited.

    References:
        Bender and Friedman (2018), Data Statements for Natural Language Processing: Toward Mitigating System Bias
        and Enabling Better Science, TACL 6:587-604.
    """
    name = "annotators.md"
    there = facts.before.files.get(name, b"")
    text = fill(
        "annotators.md.j2",
        facts=facts,
        said=facts.settings,
        snapshot=facts.snapshot,
        readings=readings,
        about=corpus_sentences,
        decided=decided_sentence(facts),
        extractors=extractors(facts),
    )
    return merge(text, decode(there, name), name).encode()

"""What the answers to a task's holes come to: shares with intervals, distances between texts."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefill_training.evaluate.answers import Answer
from surefill_training.evaluate.statistics import Estimate, bootstrap

_CODE_TOKEN = re.compile(r"\w+|[^\w\s]")
_BINS = 10


@dataclass(frozen=True)
class TaskScores:
    """One task's scores; every hole counts, whether anything was suggested or not."""

    holes: int
    exact_match: Estimate
    edit_similarity: Estimate
    shown: Estimate
    parses: Estimate
    """Of what was shown and could be judged, as ``parsing.judge`` does."""
    bleu: float | None
    """sacreBLEU over all holes, 0 to 100, words and signs as tokens; None for single names."""
    rouge_l: Estimate | None
    """F-measure of the longest common subsequence, same tokens; None for single names."""
    median_ms: float
    p95_ms: float
    shown_by_default: Estimate
    """Holes with a suggestion that the default settings find sure enough."""
    right_by_default: Estimate
    """Exact match among those."""


@dataclass(frozen=True)
class CalibrationBin:
    """Suggestions of like confidence: how sure the model was, and how often it was right."""

    confidence: float
    exact: float
    count: int


def score(answers: Sequence[Answer]) -> TaskScores:
    """Scores of one task; ``answers`` must not be empty."""
    shown = [answer for answer in answers if answer.shown]
    judged = [answer for answer in shown if answer.parses is not None]
    default = [answer for answer in answers if answer.shown_by_default]
    times = [answer.milliseconds for answer in answers]
    whole = answers[0].hole.task != "member"
    return TaskScores(
        holes=len(answers),
        exact_match=estimate(answers, [float(a.exact) for a in answers]),
        edit_similarity=estimate(answers, [a.similarity for a in answers]),
        shown=estimate(answers, [float(a.shown) for a in answers]),
        parses=estimate(judged, [float(a.parses is True) for a in judged]),
        bleu=bleu(answers) if whole else None,
        rouge_l=estimate(answers, rouge_l(answers)) if whole else None,
        median_ms=statistics.median(times),
        p95_ms=float(np.percentile(times, 95)),
        shown_by_default=estimate(answers, [float(a.shown_by_default) for a in answers]),
        right_by_default=estimate(default, [float(a.exact) for a in default]),
    )


def estimate(answers: Sequence[Answer], values: Sequence[float]) -> Estimate:
    """Mean of ``values``, one for each of ``answers``, with an interval over their packages."""
    return bootstrap(values, packages(answers))


def packages(answers: Sequence[Answer]) -> list[str]:
    """The package of each answer's hole."""
    return [answer.hole.document.source for answer in answers]


def code_tokens(text: str) -> list[str]:
    """Words and single signs: prose tokenisers would drop the brackets and operators."""
    return _CODE_TOKEN.findall(text)


def bleu(answers: Sequence[Answer]) -> float:
    """Corpus BLEU of the suggestions, 0 to 100 (Papineni et al., 2002; Post, 2018)."""
    from sacrebleu.metrics.bleu import BLEU

    shown = [" ".join(code_tokens(a.hole.compared(a.text))) for a in answers]
    truths = [" ".join(code_tokens(a.hole.truth)) for a in answers]
    return float(BLEU(tokenize="none", force=True).corpus_score(shown, [truths]).score)


def rouge_l(answers: Sequence[Answer]) -> list[float]:
    """ROUGE-L F-measure of each suggestion, 0 to 1 (Lin, 2004)."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_CodeTokenizer())
    return [
        float(scorer.score(a.hole.truth, a.hole.compared(a.text))["rougeL"].fmeasure)
        for a in answers
    ]


class _CodeTokenizer:
    """``code_tokens`` as rouge-score wants it."""

    def tokenize(self, text: str) -> list[str]:
        return code_tokens(text)


def calibration(answers: Sequence[Answer]) -> list[CalibrationBin]:
    """Ten bins of confidence, those without a suggestion left out (Guo et al., 2017)."""
    bins: list[list[Answer]] = [[] for _ in range(_BINS)]
    for answer in answers:
        if answer.shown:
            bins[min(int(answer.confidence * _BINS), _BINS - 1)].append(answer)
    return [
        CalibrationBin(
            confidence=statistics.fmean(a.confidence for a in inside),
            exact=statistics.fmean(a.exact for a in inside),
            count=len(inside),
        )
        for inside in bins
        if inside
    ]


def calibration_error(bins: Sequence[CalibrationBin]) -> float | None:
    """Mean distance of confidence and exactness, by suggestions; None without any."""
    total = sum(b.count for b in bins)
    if not total:
        return None
    return sum(b.count * abs(b.confidence - b.exact) for b in bins) / total

"""Decides whether a sentence answers a question, rather than only being about the same thing.

The evidence is the cosine of multilingual-e5-small between both, how much of the question stands in the passage and in
the sentence (`reader_coverage`), and whether the wanted kind of answer is there. docs/decisions/0010 tells how the
English constants were chosen, and what they do on other questions. The Chinese ones and those of short questions were
chosen on samples of CMRC2018, some also with the passage that answers them taken away, and on 160 short questions about
fourteen one-page notices, contracts and letters in both languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.chat.extractive.coverage import units_of
from models.chat.extractive.cues import cue_match, negation_mismatch, opposite_terms, other_ordinal
from models.chat.extractive.text import is_chinese

LEAST_EN: Final = 0.088
"""Least by which an English answer is closer to its question than any text is (`usual`)."""
MISSING_EN: Final = 0.02
"""Taken off for a passage with nothing of what is asked about, and again for a sentence and neighbours with none."""
LEAST_WHOLE_EN: Final = 0.06
"""The same where everything that is asked about stands in the sentence and its neighbours."""
SHORT_QUESTION: Final = 2
LEAST_SHORT, MISSING_SHORT = 0.805, 0.07
"""For questions about so many things or fewer ("When is rent due?"): plain closeness; what is missing says more."""
CUE_EN: Final = 0.01
LEAST_ZH: Final = 0.84
MISSING_ZH: Final = 0.09
MISSING_IN_SENTENCE_ZH: Final = 0.02
CUE_ZH: Final = 0.005
LEAST_CROSS: Final = 0.765
CUE_CROSS: Final = 0.02
"""For a sentence in the other language: no words can be compared (chosen on XQuAD)."""
LEAST_SAID: Final = {"en": 0.815, "zh": 0.870, "cross": 0.810}
"""For what the user said: first person there, second person in the question."""
CUE_SAID: Final = 0.02


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a sentence goes with a question.

    Attributes:
        closeness: Cosine of the two.
        usual: Mean cosine of the question to texts that have nothing to do with it.
        in_passage: Share (0..1) of what the question is about that stands in the passage or its headings.
        in_sentence: The same for the sentence.
        around: The same, rare words weighing more, for the sentence with its neighbours and headings.
    """

    closeness: float
    usual: float
    in_passage: float = 1.0
    in_sentence: float = 1.0
    around: float = 1.0


def answers(question: str, sentence: str, found: Evidence) -> bool:
    """Decide whether the best sentence found answers the question."""
    if _contradicts(question, sentence):
        return False
    cue = cue_match(question, sentence)
    asked, said = is_chinese(question), is_chinese(sentence)
    if asked != said:
        return found.closeness + CUE_CROSS * cue >= LEAST_CROSS
    if asked:
        missing = MISSING_ZH * (1 - found.in_passage) + MISSING_IN_SENTENCE_ZH * (1 - found.in_sentence)
        return found.closeness - missing + CUE_ZH * cue >= LEAST_ZH
    if len(units_of(question)) <= SHORT_QUESTION:
        return found.closeness - MISSING_SHORT * (1 - found.in_passage) + CUE_EN * cue >= LEAST_SHORT
    if found.around == 1 and cue >= 0 and found.closeness - found.usual >= LEAST_WHOLE_EN:
        return True
    missing = MISSING_EN * (2 - found.in_passage - found.around)
    return found.closeness - found.usual - missing + CUE_EN * cue >= LEAST_EN


def said_answers(question: str, sentence: str, closeness: float) -> bool:
    """Decide the same for something that the user said."""
    asked, said = is_chinese(question), is_chinese(sentence)
    least = LEAST_SAID["cross" if asked != said else "zh" if asked else "en"]
    return not _contradicts(question, sentence) and closeness + CUE_SAID * cue_match(question, sentence) >= least


def _contradicts(question: str, sentence: str) -> bool:
    return (
        negation_mismatch(question, sentence)
        or other_ordinal(question, sentence)
        or bool(opposite_terms(question, sentence))
    )

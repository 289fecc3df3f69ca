"""Words in which letters of another script stand in for the Latin letters that they look like."""

import re

_PAIRS = (
    "аa еe ёe оo рp сc уy хx іi їi јj ѕs һh ԁd ԛq ԝw ѵv ьb вb гr кk тt мm нh пn иu ӏl ғf "
    "АA ВB ЕE ІI ЇI ЈJ ЅS КK МM НH ОO РP СC ТT УY ХX ԜW ҮY ӀI "
    "οo αa εe ρp ιi νv υu τt κk χx ηn γy ωw μu βb σo ϲc ϳj ͼc "
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX "
    "սu ոn հh օo ցg զq ѕs ՕO ՏS ɑa ɡg ɩi"
)
LOOKALIKES = {pair[0]: pair[1] for pair in _PAIRS.split()}
_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u052f\u0531-\u0587\u0251\u0261\u0269]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LATIN = re.compile("[A-Za-z]")
_LEAST_LATIN = 2
_SYMBOLS = "μΔΩαβγ"


def has_foreign_signs(text: str) -> bool:
    """Whether there are letters that may stand in for others."""
    return _FOREIGN.search(text) is not None


def mixed_words(text: str) -> list[tuple[int, int]]:
    """Where words mix Latin letters with look-alikes."""
    return [(match.start(), match.end()) for match in _mixed(text)]


def folded_words(text: str) -> dict[int, str]:
    """The Latin letter for each look-alike in such a word, by its place."""
    return {
        match.start() + number: LOOKALIKES[sign]
        for match in _mixed(text)
        for number, sign in enumerate(match[0])
        if sign in LOOKALIKES
    }


def _mixed(text: str) -> list[re.Match[str]]:
    if not (_FOREIGN.search(text) and _LATIN.search(text)):
        return []
    return [match for match in _WORD.finditer(text) if _is_mixed(match[0])]


def _is_mixed(word: str) -> bool:
    if word.isascii() or not _FOREIGN.search(word):
        return False
    latin = [number for number, sign in enumerate(word) if sign.isascii()]
    foreign = [number for number, sign in enumerate(word) if not sign.isascii()]
    if len(latin) < _LEAST_LATIN or not all(word[number] in LOOKALIKES for number in foreign):
        return False
    # No disguise: a foreign ending on a Latin stem, as Russian has it, and a foreign symbol before a unit.
    return not (min(foreign) > max(latin) and len(foreign) > 1) and not (
        foreign == [0] and word[0] in "μΔΩαβγ"
    )

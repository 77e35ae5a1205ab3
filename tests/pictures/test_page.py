"""The web page of `composer open`; Chromium, if it is installed, opens it and plays."""

import json
import re
import sys
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import chromium
import pytest

from composer.api import ChordSymbol, ComposerError, Meter, Note, Part, Score, Tempo
from composer.pictures.page import document
from composer.pictures.page.document import draw_page
from composer.pictures.page.tune_data import tune_data
from composer.pictures.roll import RollPiece

HOSTILE = '</script><script>document.title = "owned"</script><!-- $title ${script} "\'<b>\x1b\u202e'


def melody(*pitches, start=0):
    return tuple(Note(Fraction(start + at), pitch, Fraction(1)) for at, pitch in enumerate(pitches))


SCORE = Score(
    (Part(melody(60, 64, 67, 72, 67, 64, 60, 60), "1"),),
    (ChordSymbol(Fraction(0), Fraction(4), "C"), ChordSymbol(Fraction(4), Fraction(4), "G7")),
    (Tempo(Fraction(0), 60.0), Tempo(Fraction(4), 120.0)),
    title="Little Tune",
)


def drawn(*scores):
    return draw_page([RollPiece(score, "name", "facts") for score in scores], "Tunes", lambda done: None)


def embedded(page):
    return json.loads(re.search('<script type="application/json" id="music">(.*?)</script>', page)[1])


def test_notes_bars_chords_and_tempo_for_the_player():
    data = tune_data(SCORE, "Little Tune")
    assert data["tempo"] == [[0, 0], [4, 4], [9, 6.5]]
    assert data["bars"] == [[0, 4, 1, 1], [4, 8, 2, 1]]
    assert data["chords"] == [[0, "C"], [4, "G7"]]
    tune, chords = data["parts"]
    assert (tune["name"], tune["drawn"], tune["notes"][:2]) == ("melody", True, [[0, 1, 60, 80], [1, 1, 64, 80]])
    assert (chords["name"], chords["drawn"], chords["notes"][0][3]) == ("chords", False, 48)


def test_compound_beats_and_pickup():
    jig = Score((Part(melody(*[60] * 7)),), meters=(Meter(Fraction(0), 6, 8),), pickup=Fraction(1))
    assert tune_data(jig, "")["bars"] == [[0, 1, 0, 1.5], [1, 4, 1, 1.5], [4, 7, 2, 1.5]]


def test_percussion_alone_has_a_row_for_each_sound():
    kit = Part((*melody(36, 42), *melody(38, start=2)), "Kit", percussion=True)
    data = tune_data(Score((kit,)), "")
    assert data["rows"] == {"low": 0, "high": 2, "sounds": [36, 38, 42]}
    assert [note[2] for note in data["parts"][0]["notes"]] == [0, 2, 1]


def test_percussion_beside_notes_is_played_and_not_drawn():
    data = tune_data(Score((*SCORE.parts, Part(melody(36), percussion=True))), "")
    assert [(part["name"], part["drawn"]) for part in data["parts"]] == [("melody", True), ("drums", False)]


class Elements(HTMLParser):
    """The names of all elements, and the text of each `h2`."""

    def __init__(self, text):
        super().__init__()
        self.names, self.titles = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)

    def handle_data(self, data):
        if self.names[-1:] == ["h2"]:
            self.titles.append(data)


def test_text_stays_text():
    parts = (Part(melody(60), f"{HOSTILE} 1"), Part(melody(48), "Bass"))
    hostile = Score(parts, (ChordSymbol(Fraction(0), Fraction(1), HOSTILE),), title=HOSTILE)
    text, usual = drawn(hostile).document.decode(), drawn(SCORE).document.decode()
    for tag in ("script", "b", "h2"):
        assert Elements(text).names.count(tag) == Elements(usual).names.count(tag)
    assert "".join(Elements(text).titles).startswith("</script><script>")
    assert embedded(text)[0]["parts"][0]["name"].startswith("</script>")
    assert "\x1b" not in text


def test_no_control_characters_in_names():
    """The title is that of a piece, or the name of a file."""
    text = draw_page(
        [RollPiece(replace(SCORE, title=""), "a\x1b]0;b\x07", "")], "t\x1b[2Ju\x07", print
    ).document.decode()
    assert "<title>t [2Ju</title>" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text)


def test_nothing_is_loaded():
    text = drawn(SCORE, SCORE).document.decode()
    assert "default-src 'none'" in text
    assert not re.search(r"""(?:src|href)=(?!["']#)|url\(|@import|https?://(?!www\.w3\.org/)""", text)


def test_without_verovio_only_the_sheet_music_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    page = drawn(SCORE, SCORE)
    reason = "sheet music needs verovio, which is not installed: pip install 'composer-cli[pictures]'"
    assert page.not_engraved == {reason: ["Little Tune"] * 2}
    assert page.document.count(b'<p class="missing">No sheet music: sheet music needs verovio') == 2
    assert embedded(page.document.decode())[0]["sheets"] == {}


def test_sheet_music_and_its_notes():
    pytest.importorskip("verovio")
    text = drawn(SCORE, SCORE).document.decode()
    first, second = (tune["sheets"] for tune in embedded(text))
    assert [span[1:] for span in first["wide"]] == [[beat, beat + 1] for beat in range(8)]
    ids = [span[0] for sheets in (first, second) for layout in ("wide", "narrow") for span in sheets[layout]]
    assert len({*ids}) == 32
    assert all(text.count(f'<g id="{each}" class="note"') == 1 for each in ids)


def test_too_large(monkeypatch):
    monkeypatch.setattr(document, "MAX_PIECES", 1)
    with pytest.raises(ComposerError, match="more than 1 pieces"):
        drawn(SCORE, SCORE)
    monkeypatch.setattr(document, "MAX_NOTES", 7)
    with pytest.raises(ComposerError, match="8 notes are too many"):
        drawn(SCORE)


def test_long_pieces_have_no_sheet_music(monkeypatch):
    monkeypatch.setattr(document, "MAX_ENGRAVED", 7)
    assert drawn(SCORE).not_engraved == {document.TOO_LONG: ["Little Tune"]}


@pytest.mark.skipif(chromium.PROGRAM is None, reason="Chromium is not installed")
def test_in_chromium(tmp_path):
    path = tmp_path / "page.html"
    hostile = Score((Part(melody(60, 62, 64, 65), HOSTILE), Part(melody(48))), title=HOSTILE)
    path.write_bytes(drawn(SCORE, hostile).document)
    with chromium.Page(tmp_path / "profile", path.as_uri()) as page:
        assert page.evaluate("document.title") == "Tunes"
        assert page.evaluate("document.querySelectorAll('.tune').length") == 2
        ink = "new Set(document.querySelector('canvas').getContext('2d').getImageData(0, 0, 400, 150).data).size"
        assert page.evaluate(ink) > 20
        assert page.evaluate("document.querySelector('.roll').getAttribute('aria-valuetext')") == "bar 1 of 2"
        left = "document.querySelector('.cursor').getBoundingClientRect().left"
        start = page.evaluate(left)
        page.press(" ", "Space")
        page.wait(f"{left} > {start + 5}")
        assert page.evaluate("document.querySelector('.toggle').getAttribute('aria-label')") == "Pause Little Tune"
        page.press("ArrowRight")
        page.wait("document.querySelector('.roll').getAttribute('aria-valuetext') == 'bar 2 of 2'")
        page.press("n")
        page.wait("document.querySelectorAll('.tune')[1].classList.contains('playing')")
        page.press(" ", "Space")
        assert not page.evaluate("document.querySelector('.playing')")
        corner = page.evaluate(
            "(({ left, top }) => [left, top])(document.querySelector('.roll').getBoundingClientRect())"
        )
        page.click(corner[0] + 200, corner[1] + 60)
        assert abs(page.evaluate(left) - corner[0] - 200) < 3
        page.resize(375, 700)
        assert page.evaluate("document.documentElement.scrollWidth") == 375
        assert page.requests == [path.as_uri()]


@pytest.mark.skipif(chromium.PROGRAM is None, reason="Chromium is not installed")
def test_sound_that_comes_late_or_not_at_all(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(drawn(SCORE).document)
    with chromium.Page(tmp_path / "profile", path.as_uri()) as page:
        page.evaluate(
            "waiting = []; starts = 0; channel = Synth.prototype.channel;"
            "AudioContext.prototype.resume = () => new Promise((...ways) => { waiting.push(ways); });"
            "Synth.prototype.channel = function (to) { starts += !to; return channel.call(this, to); }; 0"
        )
        page.evaluate("player.toggle(); player.toggle(); player.toggle(); waiting.forEach(([play]) => play())")
        page.wait("player.playing")
        assert page.evaluate("starts") == 1
        page.press(" ", "Space")
        assert not page.evaluate("player.active")
        problem = "document.querySelector('.problem').checkVisibility()"
        assert not page.evaluate(problem)
        page.evaluate("waiting = []; player.toggle(); waiting[0][1]()")
        page.wait(problem)
        assert not page.evaluate("player.active")
        page.evaluate("waiting = []; player.toggle(); waiting[0][0]()")
        page.wait("player.playing")
        assert not page.evaluate(problem)

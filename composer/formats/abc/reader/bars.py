"""Group a voice's elements into bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from composer.formats.abc.elements import Element, Mark, Overlay, PartMark, Sign, Sound, TempoChange
from composer.formats.abc.reader.tempo import WrittenTempo
from composer.music.direction_words import Direction
from composer.music.keys import Signature, Time


@dataclass(slots=True)
class Bar:
    """The sounds between two bar lines. `open` is the mark before them, `close` the one after, None if there is none.

    `part` is the name of the part that starts with this bar. `overlays` are the sounds of further voices from the start
    of the bar on. `tempos` are pairs of ticks after the start and a tempo. The directions `before` and `after`
    concern the start and the end of the bar.
    """

    sounds: list[Sound] = field(default_factory=list)
    open: Mark | None = None
    close: Mark | None = None
    part: str | None = None
    time: Time | None = None
    key: Signature | None = None
    line: int = 0
    column: int = 0
    overlays: list[list[Sound]] = field(default_factory=list)
    tempos: list[tuple[int, WrittenTempo]] = field(default_factory=list)
    before: set[Direction] = field(default_factory=set)
    after: set[Direction] = field(default_factory=set)

    @property
    def ticks(self) -> int:
        return sum(sound.ticks for sound in self.sounds)


def bars(elements: Sequence[Element]) -> list[Bar]:
    """Return the bars of a voice; bar lines with nothing between them are merged."""
    builder = _BarBuilder()
    for element in elements:
        builder.add(element)
    return builder.finish()


class _BarBuilder:
    def __init__(self) -> None:
        self.found: list[Bar] = []
        self.bar = Bar()
        self.over: list[Bar] = []
        """The bars of an overlay, from the one that is being filled on; the last is `bar`."""
        self.passage: tuple[int, int] | None = None
        """Where the overlays of a passage `(&` ... `&)` begin: the number of a bar, and ticks in it."""
        self.signs: list[tuple[Bar, int, Direction]] = []
        """Each sign, its bar, and how many sounds of the bar are before it."""

    def add(self, element: Element) -> None:
        bar = self.bar
        if isinstance(element, Sound):
            self._sound(element)
        elif isinstance(element, Mark):
            self._mark(element)
        elif isinstance(element, PartMark):
            if bar.sounds:
                self._end_bar(None)
            self.bar.part = element.name
        elif isinstance(element, Time):
            bar.time = element
        elif isinstance(element, Signature):
            bar.key = element
        else:
            self._change(element)

    def _change(self, element: Overlay | TempoChange | Sign) -> None:
        bar = self.bar
        if isinstance(element, TempoChange):
            bar.tempos.append((bar.ticks, element.tempo))
        elif isinstance(element, Sign):
            self.signs.append((bar, len(bar.sounds), element.direction))
        else:
            self._overlay(element)

    def _overlay(self, overlay: Overlay) -> None:
        if overlay.begins:
            self.passage = len(self.found), self.bar.ticks
        elif overlay.ends:
            self.passage, self.over = None, []
        elif self.passage is not None:
            first, ticks = self.passage
            self.over = [*self.found, self.bar][first:]
            self.over[0].overlays.append([Sound((), ticks, 0, 0)] if ticks else [])
        elif self.bar.sounds:  # else the bar has this voice only
            self.over = [*self.found, self.bar][-overlay.bars :]
            self.over[0].overlays.append([])

    def _sound(self, sound: Sound) -> None:
        bar = self.bar
        if self.over:
            self.over[0].overlays[-1].append(sound)
            return
        if not bar.sounds:
            bar.line, bar.column = sound.line, sound.column
        bar.sounds.append(sound)

    def _mark(self, mark: Mark) -> None:
        if len(self.over) > 1:
            self.over.pop(0)
            self.over[0].overlays.append([])
            return
        self.over = []
        if self.bar.sounds:
            self._end_bar(mark)
        else:
            _merge(mark, self.bar, self.found)

    def _end_bar(self, mark: Mark | None) -> None:
        self.bar.close = mark
        self.found.append(self.bar)
        self.bar = Bar(open=mark)

    def finish(self) -> list[Bar]:
        found = self.found
        if self.bar.sounds:
            found.append(self.bar)
        places = {id(bar): at for at, bar in enumerate(found)}
        for bar, position, direction in self.signs if found else ():
            at, sounds = places.get(id(bar), len(found)), len(bar.sounds)
            if direction.kind in ("segno", "coda"):
                at += 0 < position == sounds
                if at < len(found):
                    found[at].before.add(direction)
            else:
                # before a bar of one note, it may belong to the note or the bar line; D.C. and fine follow the note
                early = position == 0 and sounds != 1 if direction.kind == "jump" else position == 0
                if direction.kind == "fine":
                    early = sounds == 0
                found[max(at - early, 0)].after.add(direction)
        return found


def _merge(mark: Mark, bar: Bar, found: list[Bar]) -> None:
    """Merge a bar line into the one right before it."""
    if (first := bar.open) is not None:
        ends, starts = max(first.ends, mark.ends), first.starts or mark.starts
        strong, endings = first.strong or mark.strong, mark.endings or first.endings
        mark = Mark(first.text + mark.text, first.line, first.column, ends, starts, strong, endings)
    bar.open = mark
    if found:
        found[-1].close = mark

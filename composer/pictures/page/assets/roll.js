// The piano roll of a tune. Only what is in view is drawn, so that long pieces scroll smoothly.

const GUTTER = 38, MARGIN = 10, BAR_NUMBERS = 18, CHORDS = 18, BLACK_KEYS = new Set([1, 3, 6, 8, 10]);
const MIN_BEAT = 22, MAX_BEAT = 90; // pixels

class Roll {
  constructor(element, tune) {
    this.element = element;
    this.tune = tune;
    this.strip = element.querySelector(".strip");
    this.canvas = element.querySelector("canvas");
    this.cursor = element.querySelector(".cursor");
    this.notes = new Spans(tune.parts.flatMap((part) => (part.drawn ? part.notes : [])));
    this.beat = 0;
    this.turning = null;
    this.leftAlone = 0;
    element.addEventListener("scroll", () => this.draw());
    for (const kind of ["wheel", "touchmove"])
      element.addEventListener(kind, () => (this.leftAlone = performance.now() + 3000), { passive: true });
    this.layOut();
    new ResizeObserver(() => this.layOut()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.layOut());
  }

  layOut() {
    const { low, high, sounds } = this.tune.rows;
    const rows = high - low + 1;
    this.width = this.element.clientWidth;
    this.row = sounds.length ? 16 : Math.min(Math.max(Math.floor(250 / rows), 5), 10);
    this.top = BAR_NUMBERS + (this.tune.chords.length ? CHORDS : 0);
    this.height = this.top + rows * this.row + 6;
    const filling = (this.width - GUTTER - MARGIN) / this.tune.beats;
    this.scale = Math.min(Math.max(filling, MIN_BEAT), MAX_BEAT);
    this.strip.style.width = `${Math.max(GUTTER + this.tune.beats * this.scale + MARGIN, this.width)}px`;
    const ratio = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: this.width * ratio, height: this.height * ratio });
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.colors = getComputedStyle(this.element);
    this.moveTo(this.beat, false);
  }

  // Return the beat at a horizontal position of the pointer.
  beatAt(clientX) {
    const x = clientX - this.element.getBoundingClientRect().left + this.element.scrollLeft - GUTTER;
    return Math.min(Math.max(x / this.scale, 0), this.tune.beats);
  }

  moveTo(beat, follow) {
    this.beat = beat;
    this.cursor.style.transform = `translateX(${GUTTER + beat * this.scale}px)`;
    if (follow) this.#turnPage();
    this.draw();
  }

  #turnPage() {
    const x = GUTTER + this.beat * this.scale, left = this.element.scrollLeft;
    const inView = left + GUTTER <= x && x <= left + this.width * 0.85;
    if (inView) this.turning = null;
    if (inView || this.turning !== null || performance.now() < this.leftAlone) return;
    this.turning = Math.max(x - this.width * 0.2, 0);
    this.element.scrollTo({ left: this.turning, behavior: isStill() ? "auto" : "smooth" });
  }

  draw() {
    const pen = this.canvas.getContext("2d"), ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.from = (this.element.scrollLeft - GUTTER) / this.scale;
    this.to = (this.element.scrollLeft + this.width) / this.scale;
    this.#drawLanes(pen);
    this.#drawBars(pen);
    this.#drawNotes(pen);
    this.#drawKeys(pen);
  }

  #x(beat) {
    return GUTTER + beat * this.scale - this.element.scrollLeft;
  }

  #y(row) {
    return this.top + (this.tune.rows.high - row) * this.row;
  }

  #color(name) {
    return this.colors.getPropertyValue(`--${name}`);
  }

  #isDark(row) {
    return this.tune.rows.sounds.length ? row % 2 === 1 : BLACK_KEYS.has(row % 12);
  }

  #drawLanes(pen) {
    const end = this.#x(this.tune.beats);
    pen.fillStyle = this.#color("dark-lane");
    for (let row = this.tune.rows.low; row <= this.tune.rows.high; row++)
      if (this.#isDark(row)) pen.fillRect(0, this.#y(row), end, this.row);
  }

  #drawBars(pen) {
    const bottom = this.height - 6;
    let free = -Infinity;
    pen.textBaseline = "middle";
    for (const [start, end, number, beat] of this.tune.bars) {
      if (end < this.from || start > this.to) continue;
      pen.fillStyle = this.#color("beat");
      for (let line = start + beat; line < end - 1e-6; line += beat) pen.fillRect(this.#x(line), this.top, 1, bottom - this.top);
      pen.fillStyle = this.#color("bar");
      pen.fillRect(this.#x(start), this.top, 1, bottom - this.top);
      if (number && this.#x(start) >= free) {
        pen.font = "11px system-ui, sans-serif";
        pen.fillStyle = this.#color("muted");
        pen.fillText(number, this.#x(start) + 2, BAR_NUMBERS / 2 + 1);
        free = this.#x(start) + 26;
      }
    }
    pen.fillStyle = this.#color("bar");
    pen.fillRect(this.#x(this.tune.beats), this.top, 1, bottom - this.top);
    pen.font = "600 12px system-ui, sans-serif";
    pen.fillStyle = this.#color("ink");
    free = -Infinity;
    for (const [beat, symbol] of this.tune.chords) {
      if (beat < this.from - 8 || beat > this.to || this.#x(beat) < free) continue;
      pen.fillText(symbol, this.#x(beat) + 2, BAR_NUMBERS + CHORDS / 2 - 1);
      free = this.#x(beat) + pen.measureText(symbol).width + 8;
    }
  }

  #drawNotes(pen) {
    const notes = this.notes.between(this.from, this.to).sort((a, b) => b.part.number - a.part.number);
    for (const note of notes) {
      const x = this.#x(note.start), width = Math.max((note.end - note.start) * this.scale - 1.5, 2);
      const sounds = note.start <= this.beat && this.beat < note.end && this.beat > 0;
      pen.globalAlpha = note.part.muted ? 0.25 : 0.35 + 0.65 * Math.min(note.velocity / 80, 1);
      pen.fillStyle = this.#color(`voice-${note.part.color}`);
      pen.beginPath();
      pen.roundRect(x + 0.5, this.#y(note.row) + 0.5, width, this.row - 1, Math.min(3, this.row / 3));
      pen.fill();
      if (sounds && !note.part.muted) {
        pen.globalAlpha = 0.45;
        pen.fillStyle = this.#color("glow");
        pen.fill();
        pen.globalAlpha = 1;
        pen.strokeStyle = this.#color("ink");
        pen.lineWidth = 1.2;
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
  }

  #drawKeys(pen) {
    const { low, high, sounds } = this.tune.rows;
    pen.fillStyle = this.#color("lane");
    pen.fillRect(0, 0, GUTTER, this.height);
    pen.font = "10px system-ui, sans-serif";
    for (let row = low; row <= high; row++) {
      const y = this.#y(row);
      if (!sounds.length) {
        pen.fillStyle = this.#color(this.#isDark(row) ? "black-key" : "white-key");
        pen.fillRect(24, y, GUTTER - 25, this.row - 0.5);
      }
      const label = sounds.length ? sounds[row] : row % 12 === 0 ? `C${row / 12 - 1}` : "";
      pen.fillStyle = this.#color("muted");
      if (label !== "") pen.fillText(label, 5, y + this.row / 2 + 0.5);
    }
    pen.fillStyle = this.#color("bar");
    pen.fillRect(GUTTER - 1, this.top, 1, this.height - this.top - 6);
  }
}

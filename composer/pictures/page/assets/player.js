// The player: one tune plays at a time, and notes are handed to the synthesizer a little ahead of time.

const PATIENCE = 3000; // milliseconds that a browser gets to turn sound on
const AHEAD = 0.25, AHEAD_HIDDEN = 2.5; // seconds; hidden pages have slow timers

class Tune {
  constructor(article, data, number) {
    Object.assign(this, data, { article, number, position: 0 });
    this.tempoMap = new TempoMap(data.tempo);
    this.seconds = this.tempoMap.seconds(this.beats);
    this.parts.forEach((part, at) => {
      part.number = at;
      part.color = part.drawn ? at % 7 : 7;
      part.notes = part.notes.map(([start, length, row, velocity]) => {
        const pitch = this.rows.sounds.length && part.drawn ? this.rows.sounds[row] : row;
        return { part, start, end: start + length, row, pitch, velocity };
      });
    });
    this.notes = new Spans(this.parts.flatMap((part) => part.notes));
    this.roll = new Roll(article.querySelector(".roll"), this);
    this.sheet = new Sheet(article, data.sheets);
    this.show(0, false);
  }

  // Show the position, in seconds, in the piano roll and the sheet music.
  show(position, follow) {
    this.position = Math.min(Math.max(position, 0), this.seconds);
    const beat = this.tempoMap.beat(this.position);
    this.roll.moveTo(beat, follow);
    this.sheet.moveTo(beat, follow);
    const at = this.barAt(beat); // its number as written comes again when it is repeated
    const slider = this.roll.element;
    if (slider.getAttribute("aria-valuenow") !== String(at)) {
      const last = Math.max(...this.bars.map(([, , number]) => number));
      slider.setAttribute("aria-valuenow", at);
      slider.setAttribute("aria-valuemax", this.bars.length - 1);
      slider.setAttribute("aria-valuetext", `bar ${this.bars[at][2]} of ${last}`);
    }
  }

  // Return the index of the bar at a beat.
  barAt(beat) {
    return Math.max(this.bars.findLastIndex(([start]) => start <= beat + 1e-6), 0);
  }

  // Return the beat where the bar before or after a beat begins.
  nextBar(beat, direction) {
    const starts = this.bars.map(([start]) => start);
    if (direction > 0) return starts.find((start) => start > beat + 1e-3) ?? this.beats;
    return starts.findLast((start) => start < beat - 0.3) ?? 0;
  }
}

class Player {
  constructor(tunes, transport) {
    this.tunes = tunes;
    this.transport = transport;
    this.rate = 1;
    this.volume = 0.8;
    this.playing = false;
    this.looping = false;
    this.starting = null; // names the start that waits for the browser to turn sound on
    this.select(tunes[0]);
  }

  get active() {
    return this.playing || this.starting !== null;
  }

  select(tune) {
    this.pause();
    this.current = tune;
    for (const each of this.tunes) each.article.classList.toggle("current", each === tune);
    this.#report();
  }

  toggle(tune = this.current) {
    if (this.active && tune === this.current) return this.pause();
    if (tune !== this.current) this.select(tune);
    return this.play();
  }

  // Play as soon as there is sound, unless something else is asked for meanwhile.
  async play() {
    const start = (this.starting = Symbol());
    const hasSound = await this.#turnSoundOn();
    if (this.starting !== start) return;
    this.starting = null;
    this.transport.querySelector(".problem").hidden = hasSound;
    if (!hasSound) return;
    if (this.current.position >= this.current.seconds - 0.05) this.current.show(0, true);
    this.playing = true;
    this.#start();
    this.timer ??= setInterval(() => this.#schedule(), 60);
    this.frame = requestAnimationFrame(() => this.#frame());
    this.#report();
  }

  // Return whether the browser plays sound; it may refuse, never answer, or have no device.
  async #turnSoundOn() {
    try {
      this.synth ??= new Synth();
      this.synth.setVolume(this.volume);
      const late = new Promise((_, reject) => setTimeout(reject, PATIENCE));
      await Promise.race([this.synth.context.resume(), late]);
      return true;
    } catch {
      return false;
    }
  }

  pause() {
    this.starting = null;
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.synth.silence(this.output);
    this.#report();
  }

  // Move to a beat, and play on from there if a tune is played.
  seek(beat, tune = this.current) {
    const wasPlaying = this.active;
    if (tune === this.current) this.pause();
    else this.select(tune);
    tune.show(tune.tempoMap.seconds(beat), true);
    this.#report();
    if (wasPlaying) this.play();
  }

  setRate(rate) {
    if (this.playing) {
      const now = this.synth.now;
      [this.startPosition, this.startTime] = [this.#position(now), now];
    }
    this.rate = rate;
    this.#report();
  }

  setVolume(volume) {
    this.volume = volume;
    this.synth?.setVolume(volume);
  }

  mute(tune, part, muted) {
    part.muted = muted;
    if (tune === this.current && this.playing) this.channels[part.number].gain.value = muted ? 0 : 1;
    tune.roll.draw();
  }

  // Begin to play at the position of the tune, with notes that sound there already.
  #start() {
    const tune = this.current;
    this.output = this.synth.channel();
    this.channels = tune.parts.map((part) => {
      const channel = this.synth.channel(this.output);
      channel.gain.value = part.muted ? 0 : 1;
      return channel;
    });
    [this.startPosition, this.startTime] = [tune.position, this.synth.now + 0.05];
    const beat = tune.tempoMap.beat(tune.position) - 1e-4;
    this.next = tune.notes.from(beat);
    for (const note of tune.notes.at(beat)) this.#play(note);
    this.#schedule();
  }

  #position(time) {
    return this.startPosition + Math.max(time - this.startTime, 0) * this.rate;
  }

  #play(note) {
    const map = this.current.tempoMap, begin = Math.max(map.seconds(note.start), this.startPosition);
    const start = Math.max(this.startTime + (begin - this.startPosition) / this.rate, this.synth.now);
    const length = (map.seconds(note.end) - begin) / this.rate;
    if (length > 0) this.synth.play(note.part, note.pitch, note.velocity, start, length, this.channels[note.part.number]);
  }

  #schedule() {
    if (!this.playing) return;
    const tune = this.current, until = this.#position(this.synth.now + (document.hidden ? AHEAD_HIDDEN : AHEAD));
    while (this.next < tune.notes.all.length && tune.tempoMap.seconds(tune.notes.all[this.next].start) < until)
      this.#play(tune.notes.all[this.next++]);
    if (this.#position(this.synth.now) >= tune.seconds) this.#end();
  }

  #end() {
    if (this.looping) return this.seek(0);
    this.pause();
    this.current.show(0, true);
    this.#report();
  }

  #frame() {
    if (!this.playing) return;
    const heard = this.synth.now - (this.synth.context.outputLatency || 0);
    this.current.show(this.#position(heard), true);
    this.#report();
    this.frame = requestAnimationFrame(() => this.#frame());
  }

  #report() {
    const { transport, current, playing } = this;
    const find = (name) => transport.querySelector(name);
    const texts = {
      ".name": current.title,
      ".time": `${clock(current.position / this.rate)} / ${clock(Math.round(current.seconds / this.rate))}`,
      ".bpm": `${Math.round(current.bpm * this.rate)} BPM`,
    };
    for (const [name, text] of Object.entries(texts)) if (find(name).textContent !== text) find(name).textContent = text;
    const players = [[transport, playing], ...this.tunes.map((tune) => [tune.article, playing && tune === current])];
    for (const [element, on] of players) {
      if (element.classList.toggle("playing", on) === element.wasPlaying) continue;
      element.wasPlaying = on;
      const button = element.querySelector(".toggle");
      button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/^\w+/, on ? "Pause" : "Play"));
    }
  }
}

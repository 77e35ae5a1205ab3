// Sound: plucked strings, sustained tones and drums, made of oscillators and noise.

const PLUCKED = [[0, 15], [24, 39], [45, 47], [104, 108], [112, 119]]; // General MIDI programs that die away
const DRUMS = {
  kick: { tone: [150, 45], level: 1.1, decay: 0.25, noise: 0.1, noiseDecay: 0.02 },
  snare: { tone: [220, 170], level: 0.5, decay: 0.12, noise: 0.6, noiseDecay: 0.16 },
  clap: { noise: 0.7, noiseDecay: 0.14 },
  click: { tone: [1800, 1500], level: 0.4, decay: 0.04, noise: 0.15, noiseDecay: 0.02 },
  closed: { noise: 0.35, noiseDecay: 0.06, bright: true },
  open: { noise: 0.35, noiseDecay: 0.4, bright: true },
  cymbal: { noise: 0.4, noiseDecay: 1.2, bright: true },
};
const DRUM_OF = {
  35: "kick", 36: "kick", 38: "snare", 40: "snare", 39: "clap", 42: "closed", 44: "closed", 46: "open",
  49: "cymbal", 51: "cymbal", 52: "cymbal", 53: "cymbal", 55: "cymbal", 57: "cymbal", 59: "cymbal",
  54: "closed", 69: "closed", 70: "closed", 80: "closed",
};
const TOMS = { 41: 80, 43: 95, 45: 110, 47: 130, 48: 150, 50: 175 };

class Synth {
  constructor() {
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.volume = this.context.createGain();
    const limiter = this.context.createDynamicsCompressor();
    limiter.threshold.value = -12;
    this.volume.connect(limiter).connect(this.context.destination);
    this.input = this.context.createGain();
    this.input.connect(this.volume);
    this.#addRoom();
    this.noise = this.#noise(1.5, () => 1);
    this.pluckedWave = this.#wave((n) => Math.abs(Math.sin(n * Math.PI * 0.18)) / n ** 1.3);
    this.sustainedWave = this.#wave((n) => [0, 1, 0.5, 0.28, 0.2, 0.06, 0.08, 0, 0.05][n] ?? 0);
  }

  get now() {
    return this.context.currentTime;
  }

  setVolume(share) {
    this.volume.gain.setTargetAtTime(share ** 2 * 1.4, this.now, 0.02);
  }

  // Return a gain that can be silenced, and that notes are played into.
  channel(destination = this.input) {
    const gain = this.context.createGain();
    gain.connect(destination);
    return gain;
  }

  silence(channel) {
    channel.gain.setTargetAtTime(0, this.now, 0.015);
    setTimeout(() => channel.disconnect(), 200);
  }

  play(part, pitch, velocity, start, length, channel) {
    const level = 0.32 * (velocity / 127) ** 1.4;
    if (part.percussion) this.#drum(pitch, level * 1.6, start, channel);
    else if (PLUCKED.some(([low, high]) => low <= part.program && part.program <= high))
      this.#pluck(pitch, level * 1.5, start, length, channel);
    else this.#sustain(pitch, level * 0.6, start, length, channel);
  }

  #pluck(pitch, level, start, length, channel) {
    const base = 440 * 2 ** ((pitch - 69) / 12), ring = 1.6 * (220 / base) ** 0.4;
    const { oscillator, gain, filter } = this.#voice(this.pluckedWave, base, start, channel);
    filter.frequency.setValueAtTime(Math.min(base * 9, 12000), start);
    filter.frequency.setTargetAtTime(Math.min(base * 2.5, 6000), start, ring * 0.25);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(level, start + 0.004);
    gain.gain.setTargetAtTime(0, start + 0.004, ring * 0.5);
    gain.gain.setTargetAtTime(0, start + length, 0.07);
    oscillator.stop(start + Math.min(length + 0.5, ring * 4));
  }

  #sustain(pitch, level, start, length, channel) {
    const base = 440 * 2 ** ((pitch - 69) / 12), attack = Math.min(0.035, length / 3);
    const { oscillator, gain, filter } = this.#voice(this.sustainedWave, base, start, channel);
    filter.frequency.value = Math.min(base * 6, 9000);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(level, start + attack);
    gain.gain.setTargetAtTime(level * 0.75, start + attack, 0.2);
    gain.gain.setTargetAtTime(0, start + length, 0.06);
    oscillator.stop(start + length + 0.5);
  }

  #drum(sound, level, start, channel) {
    const drum = TOMS[sound]
      ? { tone: [TOMS[sound] * 1.5, TOMS[sound]], level: 0.9, decay: 0.3, noise: 0.1, noiseDecay: 0.05 }
      : DRUMS[DRUM_OF[sound] ?? "click"];
    if (drum.tone) {
      const { oscillator, gain, filter } = this.#voice(null, drum.tone[0], start, channel);
      filter.frequency.value = 8000;
      oscillator.frequency.exponentialRampToValueAtTime(drum.tone[1], start + drum.decay / 3);
      this.#decay(gain, level * drum.level, start, drum.decay);
      oscillator.stop(start + drum.decay * 2);
    }
    const source = this.context.createBufferSource(), filter = this.context.createBiquadFilter();
    const gain = this.context.createGain();
    source.buffer = this.noise;
    filter.type = "highpass";
    filter.frequency.value = drum.bright ? 6500 : 900;
    this.#decay(gain, level * drum.noise, start, drum.noiseDecay);
    source.connect(filter).connect(gain).connect(channel);
    source.start(start, 0, Math.min(drum.noiseDecay * 2, 1.4));
  }

  #decay(gain, level, start, seconds) {
    gain.gain.setValueAtTime(level, start);
    gain.gain.exponentialRampToValueAtTime(level / 1000, start + seconds * 2);
  }

  #voice(wave, frequency, start, channel) {
    const oscillator = this.context.createOscillator(), filter = this.context.createBiquadFilter();
    const gain = this.context.createGain();
    if (wave) oscillator.setPeriodicWave(wave);
    oscillator.frequency.setValueAtTime(frequency, start);
    filter.type = "lowpass";
    oscillator.connect(filter).connect(gain).connect(channel);
    oscillator.start(start);
    return { oscillator, gain, filter };
  }

  #wave(level) {
    const imaginary = Float32Array.from({ length: 17 }, (_, n) => (n ? level(n) : 0));
    return this.context.createPeriodicWave(new Float32Array(17), imaginary);
  }

  #noise(seconds, envelope) {
    const length = Math.round(seconds * this.context.sampleRate);
    const buffer = this.context.createBuffer(1, length, this.context.sampleRate);
    const samples = buffer.getChannelData(0);
    for (let at = 0; at < length; at++) samples[at] = (Math.random() * 2 - 1) * envelope(at / length);
    return buffer;
  }

  #addRoom() {
    const room = this.context.createConvolver(), wet = this.context.createGain();
    room.buffer = this.#noise(1.1, (share) => (1 - share) ** 3.5);
    wet.gain.value = 0.16;
    this.input.connect(room).connect(wet).connect(this.volume);
  }
}

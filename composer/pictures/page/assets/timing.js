// Time: beats (quarter notes) to seconds and back, and what sounds at a beat.

class TempoMap {
  // `points` are [beat, seconds], ascending in both, of which the last is after the end.
  constructor(points) {
    this.points = points;
    this.inner = points.slice(1, -1);
  }

  seconds(beat) {
    return this.#interpolate(beat, 0, 1);
  }

  beat(seconds) {
    return this.#interpolate(seconds, 1, 0);
  }

  #interpolate(value, from, to) {
    const after = firstIndex(this.inner, (point) => value < point[from]);
    const [before, next] = [this.points[after], this.points[after + 1]];
    return before[to] + (value - before[from]) * (next[to] - before[to]) / (next[from] - before[from]);
  }
}

// Spans with `start` and `end` in beats, by start; finds those that sound without looking at all of them.
class Spans {
  constructor(spans) {
    this.all = spans.sort((a, b) => a.start - b.start);
    this.longest = this.all.reduce((longest, span) => Math.max(longest, span.end - span.start), 0);
  }

  // Return the index of the first span that starts at `beat` or later.
  from(beat) {
    return firstIndex(this.all, ({ start }) => start >= beat);
  }

  // Return the spans that sound between two beats.
  between(begin, end) {
    return this.all.slice(this.from(begin - this.longest), this.from(end)).filter((span) => span.end > begin);
  }

  at(beat) {
    return this.between(beat, beat + 1e-6);
  }
}

// Return the index of the first item that `isLater`, which holds for all items after it too; the length if none is.
function firstIndex(items, isLater) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isLater(items[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

function clock(seconds) {
  const whole = Math.max(Math.floor(seconds), 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Whether the reader has asked for less motion.
function isStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

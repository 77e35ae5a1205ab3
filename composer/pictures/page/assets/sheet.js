// Sheet music: the notes that sound are highlighted, in the one of its two layouts that is in view.

class Sheet {
  // `layouts` have the class of a layout's element, and its notes as [id, start, end].
  constructor(article, layouts) {
    this.layouts = Object.entries(layouts).map(([name, notes]) => {
      const element = article.querySelector(`.sheet .${name}`);
      return { element, notes: new Spans(notes.map(([id, start, end]) => ({ id, start, end }))) };
    });
    this.roll = article.querySelector(".roll");
    this.highlighted = [];
  }

  moveTo(beat, follow) {
    const layout = this.layouts.find(({ element }) => element.offsetParent !== null);
    const sounding = layout && beat > 0 ? layout.notes.at(beat).map(({ id }) => document.getElementById(id)) : [];
    for (const note of this.highlighted) if (!sounding.includes(note)) note?.classList.remove("sounding");
    for (const note of sounding) note?.classList.add("sounding");
    if (follow && sounding[0] && sounding[0] !== this.highlighted[0]) this.#keepInView(sounding[0]);
    this.highlighted = sounding;
  }

  // Scroll to the staff of a note, unless the piano roll above is in view too.
  #keepInView(note) {
    const staff = note.closest(".system"), { top, bottom } = staff.getBoundingClientRect();
    const isInView = top >= 0 && bottom <= innerHeight - document.querySelector(".transport").offsetHeight;
    if (isInView || this.roll.getBoundingClientRect().bottom > 0) return;
    scrollBy({ top: top - 40, behavior: isStill() ? "auto" : "smooth" });
  }

  // Return the beat of a note that was clicked, undefined if it was something else.
  beatOf(target) {
    const id = target.closest(".note")?.id;
    for (const { notes } of this.layouts) {
      const note = notes.all.find((each) => each.id === id);
      if (note) return note.start;
    }
    return undefined;
  }
}

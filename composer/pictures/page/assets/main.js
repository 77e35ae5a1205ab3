// Connect the player with the page: buttons, keys, and clicks on the music.

const music = JSON.parse(document.getElementById("music").textContent);
const articles = document.querySelectorAll(".tune");
const transport = document.querySelector(".transport");
const tunes = music.map((data, number) => new Tune(articles[number], data, number));
const player = new Player(tunes, transport);

for (const tune of tunes) {
  tune.article.querySelector(".toggle").addEventListener("click", () => player.toggle(tune));
  tune.roll.element.addEventListener("click", (event) => player.seek(tune.roll.beatAt(event.clientX), tune));
  tune.article.querySelector(".sheet")?.addEventListener("click", (event) => {
    const beat = tune.sheet.beatOf(event.target);
    if (beat !== undefined) player.seek(beat, tune);
  });
  if (tune.parts.length > 1) tune.parts.forEach((part) => addPartButton(tune, part));
}

function addPartButton(tune, part) {
  const button = document.createElement("button");
  button.type = "button";
  button.dir = "auto";
  button.textContent = part.name;
  button.title = "Mute or unmute";
  button.style.setProperty("--color", `var(--voice-${part.color})`);
  button.setAttribute("aria-pressed", "true");
  button.addEventListener("click", () => {
    player.mute(tune, part, !part.muted);
    button.setAttribute("aria-pressed", String(!part.muted));
  });
  tune.article.querySelector(".parts").append(button);
}

const loop = transport.querySelector(".loop");
function toggleLoop() {
  player.looping = !player.looping;
  loop.setAttribute("aria-pressed", String(player.looping));
}
loop.addEventListener("click", toggleLoop);
transport.querySelector(".toggle").addEventListener("click", () => player.toggle());
transport.querySelector(".tempo").addEventListener("input", (event) => player.setRate(event.target.value / 100));
transport.querySelector(".volume").addEventListener("input", (event) => player.setVolume(event.target.value / 100));

function moveBars(direction, tune) {
  player.seek(tune.nextBar(tune.tempoMap.beat(tune.position), direction), tune);
}

function moveTunes(direction) {
  const tune = tunes[player.current.number + direction];
  if (!tune) return;
  const wasPlaying = player.active;
  player.select(tune);
  tune.article.scrollIntoView({ block: "nearest" });
  if (wasPlaying) player.play();
}

// What keys do; the tune is that of the piano roll that has the focus, or else the current one.
const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: (tune) => moveBars(-1, tune),
  ArrowRight: (tune) => moveBars(1, tune),
  Home: (tune) => player.seek(0, tune),
  n: () => moveTunes(1),
  p: () => moveTunes(-1),
  r: toggleLoop,
};

document.addEventListener("keydown", (event) => {
  const isSlider = event.target.matches("input"), isButton = event.target.matches("button");
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
  if ((isButton && event.key === " ") || (isSlider && !" npr".includes(event.key))) return;
  event.preventDefault();
  KEYS[event.key](tunes.find(({ roll }) => roll.element === event.target) ?? player.current);
});

// What the panel says, as plain data: its defaults, from and to the text in the WebUI's hidden textbox. The fields are
// those of generation/cast.py and generation/panel.py, which a test compares.

export const LETTERS = ["α", "β", "γ", "δ", "ε"];
export const MOST = LETTERS.length;
export const MOST_THINGS = 20;
export const MOST_LORAS = 4;
export const LONGEST = { text: 4000, name: 100 };
const VERSION = 1;

export const WHENS = ["shown", "generation"];
export const PLACES = ["prompt", "characters", "scene"];
export const LENGTHS = ["very_short", "short", "long", "very_long"];
export const WANTED = ["tags", "prose", "both"];
export const MOST_ADDED = 150;

export const blankAdded = () => ({ tags: [], prose: "", locked: [] });
export const blankCharacter = () => ({ name: "", prompt: "", negative: "", weight: 1, box: [0, 0, 1, 1], loras: [], added: blankAdded() });
export const blankExpansion = () => ({
  when: "shown",
  places: ["prompt", "characters"],
  expander: "tipo-200m-ft2",
  length: "short",
  to: "tags",
  ban: "",
  temperature: 0.5,
  top_p: 0.95,
  top_k: 80,
  min_p: 0.1,
});

export const blank = () => ({
  enabled: false,
  check: false,
  keep_trying: 0,
  characters: [],
  common: "",
  scene: "",
  negative: "",
  things: [],
  floor: "",
  count_style: "english",
  background_lora: null,
  separation_lora: null,
  loras: [],
  mode: "regions",
  base_weight: 0.3,
  end_step: 1,
  expansion: null,
  main_added: blankAdded(),
  scene_added: blankAdded(),
});

/** What belongs to the panel and not to its cast. */
export const OWN = ["enabled", "check", "keep_trying", "main", "main_negative"];

const round = (n) => Math.round(n * 1000) / 1000;
const text = (value, otherwise = "") => (typeof value === "string" ? value : otherwise);
const amount = (value, low, high, otherwise) => (Number.isFinite(value) ? round(Math.min(high, Math.max(low, value))) : otherwise);
const list = (value) => (Array.isArray(value) ? value.filter((v) => v && typeof v === "object") : []);

function box(value) {
  const ok = Array.isArray(value) && value.length === 4 && value.every((v) => Number.isFinite(v) && v >= 0 && v <= 1);
  return ok && value[0] < value[2] && value[1] < value[3] ? value.map(round) : [0, 0, 1, 1];
}

export function character(data) {
  return {
    name: text(data.name),
    prompt: text(data.prompt),
    negative: text(data.negative),
    weight: amount(data.weight, 0, 2, 1),
    box: box(data.box),
    loras: loras(data.loras),
    added: added(data.added),
  };
}

const tags = (value) => (Array.isArray(value) ? value : []).filter((v) => text(v).trim()).slice(0, MOST_ADDED);

function added(data) {
  const found = tags(data?.tags);
  return { tags: found, prose: text(data?.prose), locked: tags(data?.locked).filter((tag) => found.includes(tag)) };
}

/** How texts are expanded, from any object; null where that is none. */
export function expansion(data) {
  if (!data || typeof data !== "object") return null;
  const plain = blankExpansion();
  const one = (name, choices) => (choices.includes(data[name]) ? data[name] : plain[name]);
  return {
    when: one("when", WHENS),
    places: Array.isArray(data.places) ? PLACES.filter((place) => data.places.includes(place)) : plain.places,
    expander: text(data.expander) || plain.expander,
    length: one("length", LENGTHS),
    to: one("to", WANTED),
    ban: text(data.ban),
    temperature: amount(data.temperature, 0.01, 10, plain.temperature),
    top_p: amount(data.top_p, 0.01, 1, plain.top_p),
    top_k: Math.round(amount(data.top_k, 0, 1000, plain.top_k)),
    min_p: amount(data.min_p, 0, 0.99, plain.min_p),
  };
}

function lora(data) {
  if (!data || typeof data !== "object" || !text(data.name)) return null;
  const made = { name: data.name, weight: amount(data.weight, -5, 5, 1) };
  if (Number.isFinite(data.text_weight)) made.text_weight = amount(data.text_weight, -5, 5, 1);
  if (Array.isArray(data.blocks) && data.blocks.length) made.blocks = data.blocks;
  return made;
}
const loras = (value) => list(value).map(lora).filter(Boolean).slice(0, MOST_LORAS);
const thing = (data) => ({ object: text(data.object), number: Math.round(amount(data.number, 1, 20, 1)), color: text(data.color) });

/** A state from any object: what is missing or odd has its default. A cast has no `enabled`, and is then on. */
export function complete(data) {
  const plain = blank();
  const state = {
    enabled: data.enabled !== false,
    check: data.check === true,
    keep_trying: Math.round(amount(data.keep_trying, 0, 20, 0)),
    characters: list(data.characters).slice(0, MOST).map(character),
    things: list(data.things).map(thing).filter((t) => t.object).slice(0, MOST_THINGS),
    background_lora: lora(data.background_lora),
    separation_lora: lora(data.separation_lora),
    loras: loras(data.loras),
    mode: data.mode === "prompt" ? "prompt" : "regions",
    base_weight: amount(data.base_weight, 0, 1, plain.base_weight),
    end_step: amount(data.end_step, 0, 1, plain.end_step),
    expansion: expansion(data.expansion),
    main_added: added(data.main_added),
    scene_added: added(data.scene_added),
  };
  for (const name of ["common", "scene", "negative", "floor", "count_style"]) state[name] = text(data[name], plain[name]);
  // what the WebUI's own prompts were when a picture was made: only the server makes something of it
  for (const name of ["main", "main_negative"]) if (typeof data[name] === "string") state[name] = data[name];
  return { ...plain, ...state };
}

/**
 * The textbox's text as {state, problem, expansion}. An empty text is a panel that is off: its state is null. `problem`: why it
 * cannot be read, as the server says it, or one of "broken" and "later".
 */
export function read(value) {
  if (value.trim() === "") return { state: null, problem: "" };
  let data;
  try {
    data = JSON.parse(value);
  } catch {
    return { state: null, problem: "broken" };
  }
  if (!data || typeof data !== "object" || Array.isArray(data)) return { state: null, problem: "broken" };
  if (data.version > VERSION) return { state: null, problem: "later" };
  // a picture of another extension's says how it was expanded, and the panel is off
  if (data.enabled === false) return { state: null, problem: text(data.problem), ...(data.expansion && { expansion: expansion(data.expansion) }) };
  return { state: complete(data), problem: "" };
}

/** The text for the textbox: nothing at all when the panel is off. */
export const write = (state) => (state.enabled ? JSON.stringify(state) : "");

/** The cast alone, for the library. */
export function castOf(state) {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !OWN.includes(name)));
}

/** Whether nothing was put in yet. */
export function isEmpty(state) {
  const { enabled: _on, ...rest } = state;
  const { enabled: _off, ...plain } = blank();
  return JSON.stringify(rest) === JSON.stringify(plain);
}

export const copy = (value) => JSON.parse(JSON.stringify(value));

// The panel's state while the page is open; everything that shows a part of it listens.

import { ARRANGE, withOneMore } from "./places.mjs";
import { blank, blankAdded, blankCharacter, blankExpansion, complete, copy, isEmpty, MOST } from "./state.mjs";

const KEPT = 30;

/** Events: "change" (detail.live: in the midst of a drag), "select", "kept" (what can be undone changed). */
export class Store extends EventTarget {
  state = blank();
  problem = "";
  selected = 0;
  aspect = 1;
  #before = [];

  on(name, listener) {
    const call = (event) => listener(event.detail ?? {});
    this.addEventListener(name, call);
    return () => this.removeEventListener(name, call);
  }

  tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** The first thing put into an empty panel switches it on. */
  change(values, { live = false } = {}) {
    const first = !this.state.enabled && !("enabled" in values) && isEmpty(this.state);
    Object.assign(this.state, first ? { enabled: true, ...values } : values);
    if (!live) this.problem = "";
    this.tell("change", { live });
  }

  /** Remember what is now, so that the next change can be taken back. */
  keep() {
    this.#before.push(copy(this.state));
    this.#before.splice(0, this.#before.length - KEPT);
    this.tell("kept");
  }

  get canUndo() {
    return this.#before.length > 0;
  }

  undo() {
    const before = this.#before.pop();
    if (before) {
      this.state = before;
      this.change({});
    }
    this.select(Math.min(this.selected, this.state.characters.length - 1));
    this.tell("kept");
  }

  /**
   * Take over what the WebUI, a file or a picture says. `data` null: the panel is switched off, its cast stays.
   * `expansion`: settings that are taken over all the same.
   */
  take(data, { problem = "", keep = true, expansion = null } = {}) {
    if (keep && !isEmpty(this.state)) this.keep();
    if (data) this.state = complete(data);
    else this.state.enabled = false;
    if (!data && expansion) this.state.expansion = expansion;
    this.problem = problem;
    this.select(0);
    this.tell("change");
  }

  /** A picture's cast: who is where, and its tags. LoRAs and all else stay as they are. */
  fill({ characters, common, scene }) {
    const { main: _, main_negative: __, ...now } = this.state;
    this.keep();
    this.take({ ...now, enabled: true, characters, common: common || now.common, scene: scene || now.scene }, { keep: false });
  }

  select(at) {
    this.selected = Math.max(0, at);
    this.tell("select");
  }

  // what an expander added, by place: `prompt`, `scene`, or a character's number

  added(place) {
    if (place === "prompt") return this.state.main_added;
    return place === "scene" ? this.state.scene_added : (this.state.characters[place]?.added ?? blankAdded());
  }

  setAdded(place, added) {
    if (place === "prompt") this.change({ main_added: added });
    else if (place === "scene") this.change({ scene_added: added });
    else if (this.state.characters[place]) this.character(Number(place), { added });
  }

  expand(values) {
    this.change({ expansion: { ...(this.state.expansion ?? blankExpansion()), ...values } });
  }

  // the cast

  get boxes() {
    return this.state.characters.map((c) => c.box);
  }

  character(at, values, options) {
    const characters = this.state.characters.map((c, n) => (n === at ? { ...c, ...values } : c));
    this.change({ characters }, options);
  }

  /** One more, in its own place or in room that is left. Returns its number, -1 when there are enough. */
  add(box = null, values = {}) {
    const { characters } = this.state;
    if (characters.length >= MOST) return -1;
    this.keep();
    const boxes = box ? [...this.boxes, box] : withOneMore(this.boxes, this.aspect);
    const next = [...characters, { ...blankCharacter(), ...values }];
    this.change({ enabled: true, characters: next.map((c, n) => ({ ...c, box: boxes[n] })) });
    this.select(characters.length);
    return characters.length;
  }

  remove(at) {
    this.keep();
    this.change({ characters: this.state.characters.filter((_, n) => n !== at) });
    this.select(Math.min(at, this.state.characters.length - 1));
  }

  move(at, to) {
    const characters = [...this.state.characters];
    if (to < 0 || to >= characters.length) return;
    this.keep();
    characters.splice(to, 0, ...characters.splice(at, 1));
    this.change({ characters });
    this.select(to);
  }

  arrange(kind) {
    const { characters } = this.state;
    if (characters.length === 0) return;
    this.keep();
    const boxes = ARRANGE[kind](characters.length, this.aspect);
    this.change({ characters: characters.map((c, n) => ({ ...c, box: boxes[n] })) });
  }
}

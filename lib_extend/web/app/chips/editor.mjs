// A caption as chips: one for each tag, sentence or group. Click × to remove one, drag or Alt and arrows to order them, type
// to add; the text itself is a key away. What is not touched stays to the letter.

import { api } from "../api.mjs";
import { uid } from "../dom.mjs";
import { percent, sources, texts } from "../texts.mjs";
import { LitElement, html, nothing, repeat } from "../vendor/lit.mjs";
import { head, inserted, moved, respelled, spelled, without, write } from "./caption_lines.mjs";
import { completed } from "./complete.mjs";

const words = texts.chips;
const REMEMBERED = 200;
const shown = (piece) => (piece.kind === "tag" ? piece.raw.replaceAll("\\(", "(").replaceAll("\\)", ")") : piece.raw);
const key = (text) => text.trim().toLowerCase().replaceAll(" ", "_").replaceAll("\\", "");

/** Events: "change" (a person changed the text). */
export class CaptionChips extends LitElement {
  static properties = {
    lines: { state: true },
    as: { state: true }, // "chips" or "text"
    editing: { state: true }, // [line, place] of the chip that is a field now
    readOnly: { type: Boolean },
  };

  #text = "";
  #past = [];
  #where = {};
  #tags = new Map();
  #style = { underscores: false, escape: false, separator: ", " };
  #reading = 0;
  #at = [0, 0];
  #drag = null;
  #fields = new Map();
  #hint = uid("chips");

  constructor() {
    super();
    this.lines = null;
    this.as = "chips";
    this.editing = null;
    this.readOnly = false;
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  // the page's style sheets are for what is inside, too
  createRenderRoot() {
    return this;
  }

  get text() {
    return this.#text;
  }

  /** Whether a chip or the text has the focus and takes keys. */
  get typing() {
    return this.getRootNode().activeElement?.matches?.("input, textarea") && this.contains(this.getRootNode().activeElement);
  }

  /**
   * Show a text. `where`: { folder, image }, whose caption it is, where it is one's; `tags`: what is known of its tags
   * ({ name, text, category, score, source }); `style`: how new tags are written.
   */
  async show(text, { where = this.#where, tags = null, style = null } = {}) {
    const other = text !== this.#text || where.image !== this.#where.image;
    if (where.image !== this.#where.image || where.folder !== this.#where.folder) this.#past = [];
    this.#where = where;
    this.#text = text;
    if (tags) this.#tags = new Map(tags.map((tag) => [key(tag.text ?? tag.name), tag]));
    if (style) this.#style = { ...this.#style, ...style };
    if (other || !this.lines) await this.#read();
    else this.requestUpdate();
  }

  /** What is known of the tags, where it comes later than the text. */
  know(tags) {
    this.#tags = new Map(tags.map((tag) => [key(tag.text ?? tag.name), tag]));
    this.requestUpdate();
  }

  async #read() {
    const mine = (this.#reading += 1);
    const text = this.#text;
    const last = this.lines;
    try {
      const { folder = "", image = "" } = this.#where;
      const { lines } = await api.post("captions/pieces", { text, folder, image });
      // a later text, or one that would not be written back as it is, is not shown as chips
      if (mine !== this.#reading) return;
      this.lines = write(lines) === text ? lines : null;
    } catch {
      if (mine === this.#reading) this.lines = last && write(last) === text ? last : null;
    }
    if (mine === this.#reading) this.unread = this.lines === null;
    this.requestUpdate();
    await this.updateComplete;
  }

  /** Take over what a person did; `anew`: pieces were typed and have to be read. */
  #change(lines, said, anew = false) {
    this.#past = [...this.#past, this.#text].slice(-REMEMBERED);
    this.lines = lines;
    this.#text = write(lines);
    this.#say(said);
    if (anew) this.#read();
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  undo() {
    if (!this.#past.length) return;
    this.#text = this.#past.at(-1);
    this.#past = this.#past.slice(0, -1);
    this.#read().then(() => this.#say(words.undone));
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #say(sentence) {
    const place = this.querySelector("[role=status].said");
    if (place) place.textContent = sentence;
  }

  remove(line, n) {
    const piece = this.lines[line].pieces[n];
    this.#change(without(this.lines, line, n, this.#style.separator), words.removed(shown(piece)));
    this.#focus(line, Math.min(n, this.lines[line].pieces.length - 1));
  }

  move(line, n, to, m) {
    const piece = this.lines[line].pieces[n];
    this.#change(moved(this.lines, line, n, to, m, this.#style.separator), words.moved(shown(piece), m + 1, this.lines[to].pieces.length + (line === to ? 0 : 1)));
    this.#focus(to, m);
  }

  /** Add what a person typed or chose to a line, unless it is there. Whether it was added. */
  add(line, raw) {
    const there = this.lines.flatMap((l) => l.pieces).some((p) => key(p.raw) === key(raw) || (p.kind === "tag" && p.name === key(raw)));
    if (there) {
      this.#say(words.there(raw));
      return false;
    }
    const piece = { raw, name: key(raw), kind: "tag", category: "" };
    this.#change(inserted(this.lines, line, this.lines[line].pieces.length, piece, this.#style.separator), words.added(raw), true);
    return true;
  }

  /** Add a tag by its canonical name, written as the caption's others are, behind its last line. Whether it was added. */
  addNamed(name) {
    if (this.lines) return this.add(Math.max(0, this.#last), spelled(name, this.lines, this.#style));
    const raw = spelled(name, [], this.#style);
    this.#typed(this.#text.trim() ? `${this.#text.trimEnd()}${this.#style.separator}${raw}` : raw);
    return true;
  }

  async #focus(line, n) {
    if (n < 0) line = n = 0;
    this.#at = [line, n];
    this.requestUpdate();
    await this.updateComplete;
    (this.querySelector(`[data-at="${line}:${n}"]`) ?? this.querySelector(".chip-add input"))?.focus();
  }

  #key(event) {
    if (event.altKey && event.code === "KeyT") {
      this.toggle();
    } else if ((event.ctrlKey || event.metaKey) && event.code === "KeyZ" && !this.typing) this.undo();
    else {
      const place = event.target.closest?.("[data-at]")?.dataset.at;
      if (!place || this.typing || event.ctrlKey || event.metaKey) return;
      const [line, n] = place.split(":").map(Number);
      const last = this.lines[line].pieces.length - 1;
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (step && event.altKey) {
        if (!this.readOnly && n + step >= 0 && n + step <= last) this.move(line, n, line, n + step);
      } else if (step) {
        if (n + step >= 0 && n + step <= last) this.#focus(line, n + step);
        else this.#leave(line, step);
      } else if (event.key === "Home") this.#focus(line, 0);
      else if (event.key === "End") this.#focus(line, last);
      else if (this.readOnly) return;
      else if (event.key === "Delete" || event.key === "Backspace") this.remove(line, n);
      else if (event.key === "Enter" || event.key === "F2") this.#edit(line, n);
      else return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** From the end of a line to its field, or to the next line with chips. */
  #leave(line, step) {
    const next = this.lines.findIndex((l, n) => l.pieces.length && (step > 0 ? n > line : n < line));
    if (step > 0 && line === this.#last) this.querySelector(".chip-add input")?.focus();
    else if (next >= 0) this.#focus(next, step > 0 ? 0 : this.lines[next].pieces.length - 1);
  }

  get #last() {
    return this.lines.findLastIndex((l) => l.pieces.length > 0);
  }

  async #edit(line, n) {
    this.editing = [line, n];
    await this.updateComplete;
    const field = this.querySelector(".chip-edit");
    field?.focus();
    field?.select();
  }

  #edited(line, n, value, keep) {
    if (!this.editing) return;
    this.editing = null;
    const before = this.lines[line].pieces[n].raw;
    if (keep && value.trim() === "") return void this.remove(line, n);
    if (keep && value !== before) this.#change(respelled(this.lines, line, n, value.trim()), "", true);
    this.#focus(line, n);
  }

  async toggle() {
    this.as = this.as === "chips" ? "text" : "chips";
    await this.updateComplete;
    if (this.as === "text") this.querySelector("textarea")?.focus();
    else this.#focus(...this.#at);
  }

  #typed(text) {
    this.#past = [...this.#past, this.#text].slice(-REMEMBERED);
    this.#text = text;
    // chips are made when they are looked at
    clearTimeout(this.later);
    this.later = setTimeout(() => this.#read(), 300);
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #category(piece) {
    if (piece.kind !== "tag") return piece.kind;
    return this.#tags.get(key(piece.raw))?.category || piece.category || "general";
  }

  #title(piece) {
    const known = this.#tags.get(key(piece.raw));
    const parts = [words.categories[this.#category(piece)]];
    if (known?.score !== null && known?.score !== undefined) parts.push(words.score(percent(known.score)));
    if (known?.source) parts.push(sources[known.source]);
    if (known?.taggers?.length) parts.push(texts.saidBy(known.taggers));
    return parts.filter(Boolean).join(" · ");
  }

  #chip(piece, line, n) {
    const name = shown(piece);
    const [atLine, at] = this.#at;
    if (this.editing?.[0] === line && this.editing[1] === n) {
      return html`<li class="tag-chip"><input class="chip-edit" type="text" aria-label=${words.edit(name)} spellcheck="false" autocomplete="off" .value=${piece.raw} size=${Math.max(4, piece.raw.length)} @keydown=${(event) => {
        if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
        this.#edited(line, n, event.target.value, event.key === "Enter");
      }} @blur=${(event) => this.#edited(line, n, event.target.value, true)} /></li>`;
    }
    const first = this.lines.findIndex((l) => l.pieces.length > 0);
    const tab = (atLine === line && at === n) || (line === first && n === 0 && !this.lines[atLine]?.pieces[at]) ? 0 : -1;
    return html`<li
      class="tag-chip"
      data-kind=${piece.kind}
      data-category=${this.#category(piece)}
      title=${this.#title(piece)}
      draggable=${this.readOnly ? "false" : "true"}
      @dragstart=${(event) => this.#lift(event, line, n)}
      @dragover=${(event) => this.#over(event)}
      @dragleave=${(event) => event.currentTarget.removeAttribute("data-over")}
      @drop=${(event) => this.#drop(event, line, n)}
    ><button type="button" class="chip-name" data-at="${line}:${n}" tabindex=${tab} aria-describedby=${this.#hint} @focus=${() => (this.#at = [line, n])} @dblclick=${() => !this.readOnly && this.#edit(line, n)}>${name}<span class="visually-hidden">, ${this.#title(piece)}</span></button>${
      this.readOnly ? nothing : html`<button type="button" class="chip-remove" tabindex="-1" aria-label=${words.remove(name)} @click=${() => this.remove(line, n)}>×</button>`
    }</li>`;
  }

  #lift(event, line, n) {
    this.#drag = [line, n];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.lines[line].pieces[n].raw);
  }

  #over(event) {
    if (!this.#drag) return;
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    event.currentTarget.dataset.over = event.clientX > box.left + box.width / 2 ? "after" : "before";
  }

  #drop(event, line, n) {
    const side = event.currentTarget.dataset.over;
    event.currentTarget.removeAttribute("data-over");
    if (!this.#drag) return;
    event.preventDefault();
    const [from, at] = this.#drag;
    this.#drag = null;
    let to = n + (side === "after" ? 1 : 0);
    if (from === line && at < to) to -= 1;
    if (from !== line || at !== to) this.move(from, at, line, to);
  }

  /** The field for new tags of a line; it stays the same element while chips come and go. */
  #field(line) {
    if (!this.#fields.has(line)) {
      const input = document.createElement("input");
      input.type = "text";
      input.placeholder = words.add;
      const take = (raw) => raw.trim() && this.add(line, raw.trim());
      input.addEventListener("keydown", (event) => {
        if (event.isComposing) return;
        if (event.key === "Backspace" && !input.value) {
          const n = this.lines[line].pieces.length - 1;
          if (n >= 0) this.#focus(line, n);
        } else if ((event.key === "Enter" || event.key === ",") && input.value.trim() && !event.ctrlKey && !event.metaKey) {
          take(input.value);
          input.value = "";
        } else if (event.key === "ArrowLeft" && input.selectionStart === 0 && !input.value) this.#focus(line, this.lines[line].pieces.length - 1);
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      this.#fields.set(line, completed(input, { folder: () => this.#where.folder ?? "", take: (tag) => (take(spelled(tag.name, this.lines, this.#style)), input.focus()) }));
    }
    const field = this.#fields.get(line);
    field.querySelector("input").setAttribute("aria-label", this.#several ? words.addTo(line + 1) : words.add);
    return field;
  }

  get #several() {
    return this.lines.filter((l) => l.pieces.length > 0).length > 1;
  }

  #legend() {
    const there = new Set(this.lines.flatMap((l) => l.pieces.map((p) => this.#category(p))));
    return html`<ul class="legend" aria-label=${words.legend}>${Object.entries(words.categories)
      .filter(([id]) => there.has(id))
      .map(([id, name]) => html`<li data-category=${id}>${name}</li>`)}</ul>`;
  }

  render() {
    const text = this.as === "text" || this.lines === null;
    return html`
      <div class="chips-tools">
        ${text ? html`<span class="grow"></span>` : this.#legend()}
        <button type="button" class="link small" title="Alt T" aria-keyshortcuts="Alt+T" ?hidden=${this.lines === null && this.as !== "text"} @click=${() => this.toggle()}>${text ? words.asChips : words.asText}</button>
      </div>
      ${text
        ? html`<textarea rows="7" aria-label=${words.label} spellcheck="false" ?readonly=${this.readOnly} .value=${this.#text} @input=${(event) => this.#typed(event.target.value)}></textarea>
            ${this.unread && this.as !== "text" ? html`<p class="hint">${words.unread}</p>` : nothing}`
        : html`<div class="caption-chips" role="group" aria-label=${words.label}>
            ${this.lines.map((line, at) =>
              line.pieces.length || at === head(this.lines)
                ? html`<div class="caption-line">
                    ${this.#several ? html`<span class="line-number muted">${words.line(at + 1)}</span>` : nothing}
                    <ul>
                      ${repeat(line.pieces.map((piece, n) => [piece, n]), ([piece, n]) => `${n}:${piece.raw}`, ([piece, n]) => this.#chip(piece, at, n))}
                      ${this.readOnly ? nothing : html`<li class="chip-add">${this.#field(at)}</li>`}
                    </ul>
                  </div>`
                : nothing,
            )}
          </div>`}
      <span class="visually-hidden" id=${this.#hint}>${words.keys}</span>
      <span class="visually-hidden said" role="status"></span>
    `;
  }
}

if (!customElements.get("prompt-extend-chips")) customElements.define("prompt-extend-chips", CaptionChips);

/** A new editor; its settings say how new tags are written. */
export function captionChips(app, { readOnly = false } = {}) {
  const element = new CaptionChips();
  element.readOnly = readOnly;
  const show = element.show.bind(element);
  element.show = (text, more = {}) =>
    show(text, { style: { underscores: app.value("underscores") === true, escape: app.value("escape_brackets") === true, separator: app.value("separator") ?? ", " }, ...more });
  return element;
}

// Correcting persons: whose tag is whose, which letter is whose, where each one stands.

import { completed } from "../../chips/complete.mjs";
import { fill, h } from "../../dom.mjs";
import { button } from "../../parts/button.mjs";
import { colorOf, corners } from "../../parts/persons.mjs";
import { spoken } from "../../parts/tags.mjs";
import { texts } from "../../texts.mjs";

const words = texts.review;
const MIME = "application/x-prompt-extend-tag";

/** Persons as they are edited and sent: {letter, box, tags by name}. */
export const editable = (persons) =>
  persons.map((p) => ({ letter: p.letter, box: corners(p.box).map((v) => Math.round(v * 10) / 10), tags: (p.tags ?? []).map((t) => t.name ?? t) }));

/**
 * The panel over `persons` (changed in place). `letters`: those there are; `size`: the picture's pixels; `redraw()` is
 * called when boxes or letters changed, `save()` and `cancel()` by the buttons; tags are completed with those of `folder()`.
 */
export function personsPanel(persons, { letters, size, redraw, save, cancel, folder }) {
  const list = h("ul", { class: "stack person-edits" });
  const element = h(
    "section",
    { class: "stack persons-panel", "aria-label": words.persons },
    h("p", { class: "hint" }, words.personsHint),
    list,
    h(
      "div",
      { class: "row" },
      button(words.savePersons, save, "primary small"),
      button(texts.common.cancel, cancel, "small"),
      button(words.addPerson, () => add(), "plain small", { class: "button plain small add-person" }),
    ),
  );
  const free = () => letters.filter((l) => !persons.some((p) => p.letter === l));
  const changed = () => {
    draw();
    redraw();
  };
  const move = (tag, from, to) => {
    if (from === to || !persons[to]) return;
    persons[from].tags = persons[from].tags.filter((t) => t !== tag);
    if (!persons[to].tags.includes(tag)) persons[to].tags.push(tag);
    changed();
    list.children[to]?.querySelector(`[data-tag="${CSS.escape(tag)}"]`)?.focus();
  };
  const drop = (tag, from) => {
    persons[from].tags = persons[from].tags.filter((t) => t !== tag);
    changed();
  };
  const rename = (at, letter) => {
    const other = persons.find((p, n) => n !== at && p.letter === letter);
    if (other) other.letter = persons[at].letter;
    persons[at].letter = letter;
    changed();
  };
  const add = () => {
    const [width, height] = size;
    const [letter] = free();
    if (!letter) return;
    persons.push({ letter, box: [width * 0.35, height * 0.2, width * 0.65, height * 0.9].map(Math.round), tags: [] });
    changed();
  };

  const chip = (tag, at) => {
    const element = h(
      "li",
      {
        class: "tag-chip drag",
        draggable: true,
        tabIndex: 0,
        data: { tag },
        "aria-label": words.tagOf(spoken(tag), persons[at].letter),
        title: words.moveHint,
        on: {
          dragstart: (event) => {
            event.dataTransfer.setData(MIME, JSON.stringify([tag, at]));
            event.dataTransfer.effectAllowed = "move";
          },
          keydown: (event) => {
            const to = persons.findIndex((p, n) => p.letter === event.key || String(n + 1) === event.key);
            if (to >= 0) move(tag, at, to);
            else if (event.key === "Delete" || event.key === "Backspace") drop(tag, at);
            else return;
            event.preventDefault();
            event.stopPropagation();
          },
        },
      },
      spoken(tag),
      h("button", { type: "button", tabIndex: -1, "aria-label": texts.settings.removeItem(spoken(tag)), on: { click: () => drop(tag, at) } }, "×"),
    );
    return element;
  };
  const row = (person, at) => {
    const letter = h(
      "select",
      { class: "letter", style: `background:${colorOf(at)}`, "aria-label": words.letterOf(person.letter) },
      letters.map((l) => h("option", { value: l, selected: l === person.letter }, l)),
    );
    letter.addEventListener("change", () => rename(at, letter.value));
    const input = h("input", { type: "text", class: "add-tag", placeholder: words.addTag, "aria-label": words.addTagTo(person.letter), spellcheck: false, autocomplete: "off" });
    const take = (text = input.value) => {
      const fresh = text.split(",").map((t) => t.trim().replaceAll(" ", "_")).filter((t) => t && !person.tags.includes(t));
      if (!fresh.length) return false;
      person.tags.push(...fresh);
      return true;
    };
    const again = () => {
      changed();
      list.children[at].querySelector(".add-tag").focus();
    };
    const completing = completed(input, { folder, take: (tag) => take(tag.name) && again() });
    input.addEventListener("keydown", (event) => event.key === "Enter" && take() && again());
    input.addEventListener("change", () => take() && changed());
    const element = h(
      "li",
      { class: "person-edit", data: { person: person.letter } },
      letter,
      h("ul", { class: "row tight grow" }, person.tags.map((tag) => chip(tag, at)), h("li", {}, completing)),
      button("×", () => (persons.splice(at, 1), changed()), "plain icon small", { "aria-label": words.removePerson(person.letter), title: words.removePerson(person.letter) }),
    );
    element.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes(MIME)) return;
      event.preventDefault();
      element.toggleAttribute("data-over", true);
    });
    element.addEventListener("dragleave", () => element.removeAttribute("data-over"));
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      const [tag, from] = JSON.parse(event.dataTransfer.getData(MIME));
      move(tag, from, at);
    });
    return element;
  };
  const draw = () => {
    fill(list, persons.map(row));
    element.querySelector(".add-person").hidden = free().length === 0;
  };
  draw();
  return element;
}

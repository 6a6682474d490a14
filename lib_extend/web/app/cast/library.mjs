// Characters and whole casts that are kept as files: save, load, delete.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { ask, confirm, dialog } from "../parts/dialog.mjs";
import { empty, note, shown } from "../parts/states.mjs";
import { castOf, character as whole, LETTERS } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.library;
const at = (kind, name) => `${kind}/${encodeURIComponent(name)}`;

/** Save under a name that is asked for; an older one of that name only after a question. Returns whether it was. */
async function save(context, kind, suggested, thing) {
  const { place, say } = context;
  const name = await ask(place, words.saveTitle[kind], words.name, suggested);
  if (!name) return false;
  const one = kind.slice(0, -1);
  try {
    await api.put(at(kind, name), { [one]: thing, replace: false });
  } catch (error) {
    if (error.status !== 409) {
      say(error.message, "bad");
      return false;
    }
    if (!(await confirm(place, words.replaceAsk(name), words.replaceExplain, words.replace, "danger"))) return false;
    try {
      await api.put(at(kind, name), { [one]: thing, replace: true });
    } catch (again) {
      say(again.message, "bad");
      return false;
    }
  }
  say(words.saved(name), "good");
  return true;
}

export function saveCharacter(context, index) {
  const one = context.store.state.characters[index];
  return save(context, "characters", one.name, one);
}

/** Put a saved character in the place of one; its box stays where the picture has it. */
export function loadCharacter(context, index) {
  const { store } = context;
  open(context, "characters", async (name) => {
    const { character } = await api.get(at("characters", name));
    store.keep();
    store.character(index, { ...whole(character), name: character.name || name, box: store.boxes[index] });
  });
}

/** The button that opens the library: whole casts, and characters to add. */
export function libraryButton(context) {
  return button(words.title, () => open(context, "casts"), "small");
}

/** The dialog. `instead(name)`: what choosing a character does, when not adding it. */
function open(context, first, instead = null) {
  const { store, say } = context;
  let kind = first;
  const list = h("div", { class: "library-list" });
  const tabs = h(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": words.title, hidden: Boolean(instead) },
    ["casts", "characters"].map((k) => h("label", {}, h("input", { type: "radio", name: "library", value: k, checked: k === kind, on: { change: () => ((kind = k), show()) } }), words.kinds[k])),
  );
  const saveNow = button(words.saveCast, async () => (await save(context, "casts", "", castOf(store.state))) && show(), "small");
  const box = dialog(context.place, instead ? words.chooseCharacter : words.title, [tabs, list], [saveNow]);

  const use = (name) => async () => {
    try {
      if (kind === "casts") {
        const { cast } = await api.get(at("casts", name));
        store.take({ ...cast, enabled: true, check: store.state.check, keep_trying: store.state.keep_trying });
      } else if (instead) await instead(name);
      else {
        const { character } = await api.get(at("characters", name));
        const { box: _, ...values } = whole(character);
        if (store.add(null, { ...values, name: values.name || name }) < 0) return void say(texts.cast.full(LETTERS.length), "bad");
      }
    } catch (error) {
      return void say(error.message, "bad");
    }
    box.close("");
    return void say(words.loaded(name), "good");
  };
  const remove = (name) => async () => {
    if (!(await confirm(context.place, words.removeAsk(name), words.removeExplain, words.remove, "danger"))) return;
    try {
      await api.remove(at(kind, name));
    } catch (error) {
      say(error.message, "bad");
    }
    show();
  };
  const row = (one) =>
    h(
      "li",
      { class: "library-row" },
      h("div", { class: "grow" }, h("div", { class: "strong cut" }, one.name), h("div", { class: "hint cut" }, one.summary ?? one.prompt)),
      button(kind === "casts" || instead ? words.load : words.add, use(one.name), "small"),
      button("×", remove(one.name), "plain icon small", { "aria-label": words.removeOne(one.name), title: words.removeOne(one.name) }),
    );
  const show = () => {
    const asked = kind;
    saveNow.hidden = kind !== "casts" || Boolean(instead);
    saveNow.disabled = store.state.characters.length + store.state.things.length === 0;
    return shown(
      list,
      async () => {
        const answer = await api.get(asked);
        const found = answer[asked];
        return h(
          "div",
          { class: "stack" },
          found.length ? h("ul", { class: "stack close" }, found.map(row)) : empty(words.empty[asked], words.emptyHint[asked]),
          answer.problems.map((p) => note("warn", h("span", {}, p))),
        );
      },
      180,
    );
  };
  fill(list);
  show();
  return box;
}

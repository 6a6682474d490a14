// The background: its LoRA, its objects with number and color, its floor; and the tags that this makes.

import { api } from "../api.mjs";
import { fill, h, later, uid } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { spoken } from "../parts/tags.mjs";
import { amount, labelled, line } from "./fields.mjs";
import { loraField } from "./lora_field.mjs";
import { placedLoras } from "./placed_loras.mjs";
import { LONGEST, MOST_THINGS } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.background;
const CHIPS = 14;

export function backgroundSection(context) {
  const { store } = context;
  const badge = h("span", { class: "badge cut", hidden: true });
  const suggestions = h("datalist", { id: uid("objects") });
  const floors = h("datalist", { id: uid("floors") });
  const list = h("ul", { class: "stack close things" });
  const chips = h("div", { class: "chips" });
  const typed = h("input", { type: "text", placeholder: words.placeholder, list: suggestions.id, maxLength: LONGEST.name, autocomplete: "off", spellcheck: false });
  const floor = line(store, { get: () => store.state.floor, set: (value) => store.change({ floor: value }), placeholder: words.floorHint, list: floors.id });
  const style = h(
    "select",
    { on: { change: () => store.change({ count_style: style.value }) } },
    Object.entries(words.styles).map(([value, text]) => h("option", { value }, text)),
  );
  const adds = h("p", { class: "adds" });

  const add = (object) => {
    const name = object.trim().replaceAll(",", " ");
    const things = store.state.things;
    if (!name || things.length >= MOST_THINGS) return;
    const at = things.findIndex((t) => spoken(t.object) === spoken(name) && !t.color);
    if (at >= 0) change(at, { number: Math.min(20, things[at].number + 1) });
    else {
      store.keep();
      store.change({ things: [...things, { object: name, number: 1, color: "" }] });
    }
  };
  const change = (at, values) => store.change({ things: store.state.things.map((t, n) => (n === at ? { ...t, ...values } : t)) });
  const remove = (at) => {
    store.keep();
    store.change({ things: store.state.things.filter((_, n) => n !== at) });
    (list.children[Math.min(at, list.children.length - 1)]?.querySelector("input") ?? typed).focus();
  };
  const take = () => {
    add(typed.value);
    typed.value = "";
  };
  typed.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    take();
  });

  const row = (at) => {
    const now = () => store.state.things[at] ?? { object: "", number: 1, color: "" };
    const number = amount(store, { get: () => now().number, set: (value) => change(at, { number: Math.round(value) }), low: 1, high: 20, step: 1 });
    const color = h("select", { on: { change: () => change(at, { color: color.value }) } });
    const name = h("span", { class: "grow cut strong" });
    const element = h("li", { class: "thing" }, number, color, name, button("×", () => remove(at), "plain icon small", { class: "button plain icon small gone" }));
    element.show = () => {
      const { object, color: chosen } = now();
      const colors = [...(context.facts?.colors ?? [])];
      if (chosen && !colors.includes(chosen)) colors.unshift(chosen);
      if (color.options.length !== colors.length + 1) fill(color, h("option", { value: "" }, words.anyColor), colors.map((c) => h("option", { value: c }, c)));
      color.value = chosen;
      name.textContent = spoken(object);
      number.setAttribute("aria-label", words.numberOf(spoken(object)));
      color.setAttribute("aria-label", words.colorOf(spoken(object)));
      element.lastChild.setAttribute("aria-label", words.remove(spoken(object)));
    };
    return element;
  };
  const show = () => {
    const { things, floor: material, background_lora: lora, count_style } = store.state;
    while (list.children.length > things.length) list.lastChild.remove();
    while (list.children.length < things.length) list.append(row(list.children.length));
    for (const one of list.children) one.show();
    for (const chip of chips.children) chip.disabled = things.length >= MOST_THINGS;
    style.value = count_style;
    badge.textContent = words.badge(things.map((t) => ({ ...t, object: spoken(t.object) })), material, Boolean(lora));
    badge.hidden = !badge.textContent;
    compile();
  };

  // the tags as the server makes them: plurals and spellings are its own
  let asked = "";
  const ask = later(async () => {
    const { things, floor: material, count_style } = store.state;
    if (things.length === 0 && !material.trim()) return void fill(adds);
    const body = { things, floor: material, count_style };
    const key = (asked = JSON.stringify(body));
    try {
      const made = await api.post("compile", body);
      if (key === asked) fill(adds, h("span", { class: "hint" }, words.adds), " ", h("span", { class: "mono" }, made.prompt));
    } catch {
      if (key === asked) fill(adds); // the preview below says what is wrong
    }
  }, 250);
  let compiled = "";
  const compile = () => {
    const { things, floor: material, count_style } = store.state;
    const key = JSON.stringify([things, material, count_style]);
    if (key !== compiled) ask();
    compiled = key;
  };

  const learn = () => {
    const { objects, floors: materials, count_styles: styles } = context.facts;
    fill(suggestions, objects.map((o) => h("option", { value: spoken(o) })));
    fill(floors, materials.map((m) => h("option", { value: spoken(m) })));
    const common = words.chips.filter((c) => objects.includes(c)).concat(objects).slice(0, CHIPS);
    fill(chips, [...new Set(common)].map((o) => h("button", { type: "button", class: "chip", on: { click: () => add(spoken(o)) } }, `+ ${spoken(o)}`)));
    for (const one of style.options) one.hidden = !styles.includes(one.value);
    for (const one of list.children) one.show();
  };
  const outside = placedLoras(context, {
    get: () => store.state.loras,
    set: (loras) => store.change({ loras }),
    label: words.loras,
  });
  store.on("facts", learn);
  store.on("change", ({ live }) => !live && show());
  show();
  return h(
    "details",
    { class: "fold background-fold" },
    h("summary", {}, h("span", {}, words.title), badge),
    h(
      "div",
      { class: "inside" },
      loraField(context, "background"),
      h("div", { class: "field", role: "group", "aria-label": words.loras }, h("span", { class: "label" }, words.loras), outside),
      h(
        "div",
        { class: "field", role: "group", "aria-label": words.things },
        h("span", { class: "label" }, words.things),
        list,
        h("div", { class: "row" }, h("div", { class: "grow" }, typed), button(words.add, take, "small")),
        chips,
      ),
      h("div", { class: "pair" }, labelled(words.floor, floor), labelled(words.style, style)),
      adds,
      suggestions,
      floors,
    ),
  );
}

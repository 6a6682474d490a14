// How texts are expanded: when, with which model, how far; and what was added to the WebUI's own prompt.

import { api } from "../api.mjs";
import { fill, h, uid } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { ask } from "../parts/dialog.mjs";
import { bytes } from "../texts.mjs";
import { additions, joined } from "./additions.mjs";
import { amount, check, labelled } from "./fields.mjs";
import { prompt, setPrompt } from "./host.mjs";
import { blankExpansion, LENGTHS, LONGEST, PLACES, WANTED, WHENS } from "./state.mjs";
import { texts } from "./texts.mjs";

const words = texts.expand;

export function expandSection(context) {
  const { store, tab, drawing } = context;
  const now = () => store.state.expansion ?? blankExpansion();
  const follow = (element, show) => {
    store.on("change", ({ live }) => !live && show());
    show();
    return element;
  };
  const choice = (name, options, names) => {
    const select = h("select", { on: { change: () => store.expand({ [name]: select.value }) } }, options.map((value) => h("option", { value }, names[value])));
    return labelled(words.fields[name], follow(select, () => (select.value = now()[name])));
  };
  const number = (name, low, high, step) =>
    labelled(words.fields[name], amount(store, { get: () => now()[name], set: (value) => store.expand({ [name]: name === "top_k" ? Math.round(value) : value }), low, high, step }));

  const group = uid("when");
  const whens = WHENS.map((when) => h("input", { type: "radio", name: group, value: when, on: { change: () => store.expand({ when }) } }));
  const explained = h("span", { class: "hint" });
  const all = button(words.all, () => drawing.draw(), "", { title: words.allHint });
  const boxes = PLACES.map((place) =>
    check(store, {
      get: () => now().places.includes(place),
      set: (on) => store.expand({ places: PLACES.filter((p) => (p === place ? on : now().places.includes(p))) }),
      label: words.places[place],
    }),
  );
  const places = h("div", { class: "row", role: "group", "aria-label": words.placesOf }, boxes);
  const badge = h("span", { class: "badge cut" });
  const ban = h("input", { type: "text", maxLength: LONGEST.text, spellcheck: false, placeholder: words.banExample, on: { input: () => store.expand({ ban: ban.value }) } });
  follow(ban, () => {
    if (ban.value !== now().ban) ban.value = now().ban;
  });

  const show = () => {
    const { when } = now();
    for (const input of whens) input.checked = input.value === when;
    explained.textContent = words.whens[when][1];
    places.hidden = when !== "generation";
    all.hidden = when === "generation";
    all.disabled = drawing.busy;
    const tags = [store.state.main_added, store.state.scene_added, ...store.state.characters.map((c) => c.added)].reduce((sum, a) => sum + a.tags.length, 0);
    badge.textContent = when === "generation" ? words.badge.generation : words.badge.shown(tags);
    badge.hidden = when !== "generation" && tags === 0;
  };
  store.on("change", ({ live }) => !live && show());
  store.on("drawing", show);
  show();
  const fold = h("details", { class: "fold expand-fold" });
  fold.append(
    h("summary", {}, h("span", {}, words.title), badge),
    h(
      "div",
      { class: "inside" },
      h(
        "div",
        { class: "field", role: "group", "aria-labelledby": `${group}-label` },
        h("span", { class: "label", id: `${group}-label` }, words.when),
        h("div", { class: "segments", role: "radiogroup", "aria-labelledby": `${group}-label` }, whens.map((input) => h("label", {}, input, words.whens[input.value][0]))),
        explained,
      ),
      places,
      h("div", {}, all),
      h(
        "div",
        { class: "field" },
        h("span", { class: "label" }, words.mainTitle),
        additions(context, { place: "prompt", label: words.mainTitle, keep: (more) => setPrompt(tab, joined(prompt(tab), more)) }),
      ),
      h("div", { class: "pair" }, labelled(words.fields.expander, expanderField(context, fold), { hint: words.expanderHint }), choice("length", LENGTHS, words.lengths), choice("to", WANTED, words.wanted), labelled(words.fields.ban, ban, { hint: words.banHint })),
      h("details", {}, h("summary", { class: "hint" }, words.more), h("div", { class: "sides" }, number("temperature", 0.01, 10, 0.05), number("top_p", 0.01, 1, 0.05), number("top_k", 0, 1000, 5), number("min_p", 0, 0.99, 0.05))),
    ),
  );
  return fold;
}

/** The expanders by name, those that are here first; any other name, folder, file or address behind "Another". */
function expanderField({ store, place }, fold) {
  const now = () => (store.state.expansion ?? blankExpansion()).expander;
  let models = null;
  const select = h("select", { on: { change: () => choose(select.value) } });
  const choose = async (value) => {
    const expander = value || (await ask(place, words.another, words.anotherHint, now()))?.trim();
    if (expander) store.expand({ expander });
    else show();
  };
  const show = () => {
    const option = (one) => h("option", { value: one.name }, one.here ? one.name : `${one.name} (${bytes(one.bytes)})`);
    const group = (title, list) => list.length > 0 && h("optgroup", { label: title }, list.map(option));
    const known = models ?? [];
    fill(
      select,
      !known.some((one) => one.name === now()) && h("option", { value: now() }, now()),
      group(words.here, known.filter((one) => one.here)),
      group(words.download, known.filter((one) => !one.here)),
      h("option", { value: "" }, words.another),
    );
    select.value = now();
    select.title = known.find((one) => one.name === now())?.note ?? "";
  };
  fold.addEventListener("toggle", async () => {
    if (!fold.open || models) return;
    models = await api.get("models").then((found) => found.expanders, () => null);
    show();
  });
  store.on("change", ({ live }) => !live && show());
  show();
  return select;
}

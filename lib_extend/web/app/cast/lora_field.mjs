// Choosing a LoRA and its weight: those made for the purpose first, all others behind "Show all".

import { fill, h } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { note } from "../parts/states.mjs";
import { labelled, slider } from "./fields.mjs";
import { getLora } from "./get_lora.mjs";
import { texts } from "./texts.mjs";

const words = texts.lora;

/** `role`: background or separation; the state's field is `<role>_lora`. */
export function loraField(context, role) {
  const { store } = context;
  const name = `${role}_lora`;
  const now = () => store.state[name];
  let all = false;
  const select = h("select", { on: { change: () => choose(select.value) } });
  const more = button(words.all, () => ((all = !all), show()), "plain small", { hidden: true });
  const get = button(words.get, () => getLora(context, role), "small");
  const told = h("div", { class: "told" });
  const weight = slider(store, {
    get: () => now()?.weight ?? 1,
    set: (value) => now() && store.change({ [name]: { ...now(), weight: value } }),
    low: 0,
    high: 2,
    least: -5,
    most: 5,
    step: 0.05,
    label: words.weight,
  });
  const choose = (value) => {
    if (!value) return store.change({ [name]: null });
    const found = context.loras?.loras.find((l) => l.name === value);
    const values = { [name]: { name: value, weight: now()?.weight ?? 1 } };
    if (role === "background" && found?.count_style) values.count_style = found.count_style;
    return store.change(values);
  };

  const option = (lora) => h("option", { value: lora.name }, lora.fits ? words.unfit(lora.name) : lora.name);
  const show = () => {
    const loras = context.loras?.loras ?? [];
    const own = loras.filter((l) => l.role === role);
    const others = loras.filter((l) => l.role !== role);
    const chosen = now()?.name ?? "";
    const shown = all ? others : others.filter((l) => l.name === chosen);
    const gone = chosen && context.loras && !loras.some((l) => l.name === chosen);
    const group = (title, list) => list.length > 0 && h("optgroup", { label: title }, list.map(option));
    fill(
      select,
      h("option", { value: "" }, words.none),
      (gone || (chosen && !context.loras)) && h("option", { value: chosen }, gone ? words.gone(chosen) : chosen),
      group(words.made[role], own),
      group(words.others, shown),
    );
    select.value = chosen;
    more.hidden = others.length === 0;
    more.textContent = all ? words.fewer : words.all(others.length);
    weight.hidden = !chosen;
    tell(own, chosen, gone);
  };
  const tell = (own, chosen, gone) => {
    const found = context.loras?.loras.find((l) => l.name === chosen);
    if (context.lorasError) fill(told, note("bad", h("span", {}, context.lorasError), button(texts.again, context.refreshLoras, "small")));
    else if (gone) fill(told, note("bad", h("span", {}, words.isGone(chosen))));
    else if (found?.fits || found?.problem) fill(told, note("warn", h("span", {}, found.fits || found.problem)));
    else if (chosen || !context.loras) fill(told);
    else if (own.length) {
      const first = own.find((l) => !l.fits) ?? own[0];
      fill(told, h("p", { class: "hint" }, words.found(own.length), " ", h("button", { type: "button", class: "link", on: { click: () => choose(first.name) } }, words.use(first.name))));
    } else fill(told, h("p", { class: "hint" }, words.missing[role]));
  };
  store.on("loras", show);
  store.on("change", ({ live }) => !live && show());
  show();
  const field = labelled(words.title[role], select, { aside: more });
  const row = h("div", { class: "row lora-row" }, h("div", { class: "grow" }, select), get);
  field.querySelector(".head").after(row);
  return h("div", { class: "stack close" }, field, told, weight);
}

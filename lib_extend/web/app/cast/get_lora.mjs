// Getting a LoRA: what GitHub or Civitai offer at the moment, or a file of one's own.

import { api } from "../api.mjs";
import { fill, h, uid } from "../dom.mjs";
import { button } from "../parts/button.mjs";
import { dialog } from "../parts/dialog.mjs";
import { empty, note, progress, shown } from "../parts/states.mjs";
import { bytes, duration } from "../texts.mjs";
import { texts } from "./texts.mjs";

const words = texts.get;
const POLL = 700;
const FAMILIES = { sd1: "SD 1.5", sd2: "SD 2", sdxl: "SDXL", sd3: "SD 3", flux: "Flux" };

/** The dialog; what was got is chosen for `role`. */
export function getLora(context, role) {
  const { store, say } = context;
  const body = h("div", { class: "stack" });
  const sources = ["github", "civitai", "file"];
  const group = uid("source");
  const tabs = h(
    "div",
    { class: "segments", role: "radiogroup", "aria-label": words.title },
    sources.map((s, i) => h("label", {}, h("input", { type: "radio", name: group, value: s, checked: i === 0, on: { change: () => show(s) } }), words.sources[s])),
  );
  const box = dialog(context.place, words.title, [h("p", { class: "hint" }, words.hint), tabs, body]);
  let open = true;
  box.closed.then(() => (open = false));

  const got = async (name) => {
    await context.refreshLoras();
    const found = context.loras?.loras.find((l) => l.name === name);
    const takes = found?.role || role;
    const values = { [`${takes}_lora`]: { name, weight: 1 } };
    if (takes === "background" && found?.count_style) values.count_style = found.count_style;
    if (!store.state[`${takes}_lora`]) store.change(values);
    say(words.got(name), "good");
  };

  const offer = (one, source, model) => {
    const state = h("div", { class: "download", hidden: true });
    const start = button(words.download, () => run(), "small");
    const about = [one.size ? bytes(one.size) : "", FAMILIES[one.family] ?? one.base, one.version].filter(Boolean).join(" · ");
    const element = h(
      "li",
      { class: "offer" },
      h(
        "div",
        { class: "row" },
        h("div", { class: "grow" }, h("div", { class: "strong wrap" }, one.file), h("div", { class: "hint" }, about, one.role && ` · ${words.roles[one.role]}`)),
        start,
      ),
      state,
    );
    const run = async () => {
      const bar = progress(one.file);
      const line = h("span", { class: "hint grow", role: "status" }, words.starting);
      const token = tokenField?.value.trim() ?? "";
      state.hidden = false;
      fill(state, bar);
      let now;
      try {
        now = await api.post("loras/get", { source, id: one.id, ...(model ? { model } : {}), ...(token ? { token } : {}) });
        fill(state, bar, h("div", { class: "row" }, line, button(words.stop, () => api.post(`loras/get/${now.id}/stop`).catch(() => {}), "small")));
        while (now.state === "running" && open) {
          bar.set(now);
          line.textContent = [now.total ? words.of(bytes(now.done), bytes(now.total)) : bytes(now.done), now.seconds_left ? words.left(duration(now.seconds_left)) : ""].filter(Boolean).join(", ");
          await new Promise((done) => setTimeout(done, POLL));
          now = await api.get(`loras/get/${now.id}`);
        }
      } catch (error) {
        return void fill(state, note("bad", h("span", { role: "alert" }, error.message)));
      }
      if (now.state === "failed") return void fill(state, note("bad", h("span", { role: "alert" }, now.error)));
      if (now.state === "stopped") return void fill(state, h("p", { class: "hint" }, words.stopped));
      if (now.state !== "done") return undefined; // it goes on without the dialog
      fill(state, note("good", h("span", { role: "status" }, words.got(now.name))));
      return got(now.name);
    };
    return element;
  };

  let tokenField = null;
  const offers = async (source, model) => {
    const { offers: found } = await api.get("loras/offers", { source, model });
    return found.length ? h("ul", { class: "stack offers" }, found.map((o) => offer(o, source, model))) : empty(words.none);
  };
  const show = (source) => {
    tokenField = null;
    if (source === "github") return shown(body, () => offers(source), 160);
    if (source === "file") return fill(body, fromFile());
    const list = h("div");
    const page = h("input", { type: "text", id: uid("page"), placeholder: words.pageHint, autocomplete: "off", spellcheck: false });
    tokenField = h("input", { type: "text", id: uid("token"), autocomplete: "off", spellcheck: false });
    const look = () => {
      const [, number] = page.value.match(/models\/(\d+)/) ?? page.value.match(/^\s*(\d+)\s*$/) ?? [];
      if (page.value.trim() && !number) return void fill(list, note("bad", h("span", {}, words.noPage)));
      return void shown(list, () => offers(source, number ? Number(number) : undefined), 160);
    };
    page.addEventListener("keydown", (event) => event.key === "Enter" && look());
    fill(
      body,
      h("div", { class: "field" }, h("label", { for: page.id }, words.page), h("div", { class: "row" }, h("div", { class: "grow" }, page), button(words.look, look, "small"))),
      list,
      h("details", {}, h("summary", { class: "hint" }, words.login), h("div", { class: "field" }, h("label", { for: tokenField.id }, words.token), tokenField, h("span", { class: "hint" }, words.tokenHint))),
    );
    return look();
  };
  const fromFile = () => {
    const path = h("input", { type: "text", id: uid("path"), placeholder: words.pathHint, autocomplete: "off", spellcheck: false });
    const told = h("div");
    const take = async () => {
      fill(told);
      try {
        const { name } = await api.post("loras/import", { path: path.value.trim() });
        fill(told, note("good", h("span", { role: "status" }, words.got(name))));
        await got(name);
      } catch (error) {
        fill(told, note("bad", h("span", { role: "alert" }, error.message)));
      }
    };
    path.addEventListener("keydown", (event) => event.key === "Enter" && take());
    return h("div", { class: "field" }, h("label", { for: path.id }, words.path), h("div", { class: "row" }, h("div", { class: "grow" }, path), button(words.import, take, "small primary")), h("span", { class: "hint" }, words.importHint), told);
  };
  show("github");
}

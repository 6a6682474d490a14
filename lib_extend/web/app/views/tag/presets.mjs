// Presets: settings under a name, kept by the server as files a person owns and shares.

import { api, url } from "../../api.mjs";
import { fill, h } from "../../dom.mjs";
import { menu } from "../../parts/button.mjs";
import { ask, confirm } from "../../parts/dialog.mjs";
import { texts } from "../../texts.mjs";

const words = texts.presets;
const MOST_BYTES = 1_000_000;

export function presets(app) {
  let names = [];
  let chosen = "";
  const select = h("select", { "aria-label": words.label });
  const file = h("input", { type: "file", accept: ".json,application/json", hidden: true });
  const place = h("div");
  const element = h("div", { class: "row presets" }, h("div", { class: "grow" }, select), place, file);
  const path = (name, tail = "") => `presets/${encodeURIComponent(name)}${tail}`;
  const fail = (error) => app.say(error.message, "bad");

  const draw = () => {
    fill(
      select,
      h("option", { value: "" }, words.none),
      names.map((n) => h("option", { value: n }, n)),
    );
    select.value = names.includes(chosen) ? chosen : "";
    select.disabled = names.length === 0;
    fill(
      place,
      menu(
        "⋯",
        [
          [words.save, save],
          [words.import, () => file.click()],
          chosen && [words.export, download],
          chosen && [words.remove, remove, "danger"],
          [texts.settings.reset, () => ((chosen = ""), app.replaceConfig({}), draw())],
        ],
        { kind: "icon" },
      ),
    );
  };
  const load = async () => {
    names = (await api.get("presets").catch((error) => (fail(error), []))).map((p) => p.name);
    draw();
  };
  const use = async (name) => {
    try {
      const preset = await api.get(path(name));
      app.replaceConfig(preset.config);
      chosen = name;
      app.say(words.loaded(name), "good");
      draw();
    } catch (error) {
      fail(error);
    }
  };
  const save = async () => {
    const name = await ask(app.place, words.saveTitle, words.name, chosen);
    if (!name) return;
    if (names.includes(name) && !(await confirm(app.place, words.replaceAsk(name), "", words.replace))) return;
    try {
      await api.put(path(name), { config: app.config() });
      chosen = name;
      app.say(words.saved(name), "good");
      await load();
    } catch (error) {
      fail(error);
    }
  };
  const remove = async () => {
    if (!(await confirm(app.place, words.removeAsk(chosen), "", texts.common.remove, "danger"))) return;
    try {
      await api.remove(path(chosen));
      app.say(words.removed(chosen), "good");
      chosen = "";
      await load();
    } catch (error) {
      fail(error);
    }
  };
  const download = () => h("a", { href: url(path(chosen, "/file")), download: `${chosen}.json` }).click();

  select.addEventListener("change", () => (select.value ? use(select.value) : ((chosen = ""), draw())));
  file.addEventListener("change", async () => {
    const [given] = file.files;
    file.value = "";
    if (!given) return;
    try {
      if (given.size > MOST_BYTES) throw new Error(words.notPreset(given.name));
      const preset = await given.text().then(JSON.parse).catch(() => { throw new Error(words.notPreset(given.name)); });
      const stem = given.name.replace(/\.json$/i, "");
      const body = preset.config ? { name: preset.name || stem, config: preset.config } : { name: stem, config: preset };
      const saved = await api.post("presets/import", body);
      await load();
      await use(saved.name ?? body.name);
    } catch (error) {
      fail(error);
    }
  });
  draw();
  load();
  return element;
}

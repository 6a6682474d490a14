// What the machine holds: models in memory, their environment, the WebUI's checkpoint. A button and its dialog.

import { api } from "../api.mjs";
import { copy } from "../bridge.mjs";
import { fill, h } from "../dom.mjs";
import { ago, bytes, texts } from "../texts.mjs";
import { button } from "./button.mjs";
import { confirm, dialog } from "./dialog.mjs";
import { languageChoice } from "./language.mjs";
import { environmentProgress } from "./environment.mjs";

const words = texts.machine;

/** The names of the models that are in memory, "" for none. */
function loaded(worker) {
  if (!worker?.running) return "";
  return [worker.tagger, worker.vlm].filter((m) => m && m !== "none").join(" + ") || words.loaded;
}

/** Shows at a glance what is in memory; opens the dialog. */
export function machineButton(app) {
  const label = h("span", { class: "words cut" }, words.title);
  const element = button(label, () => open(app), "plain small machine", { title: words.title, "aria-haspopup": "dialog" });
  const draw = () => {
    if (!app.state) return;
    const models = loaded(app.state.worker);
    const ready = app.state.environment?.ready !== false;
    element.dataset.state = !ready ? "missing" : models ? "loaded" : "idle";
    label.textContent = ready ? models || words.idle : `${words.environment}: ${words.notReady}`;
    element.setAttribute("aria-label", `${words.title}: ${label.textContent}`);
  };
  app.on("state", draw);
  return element;
}

async function open(app) {
  const inside = h("div", { class: "stack wide" });
  const box = dialog(app.place, words.title, inside);
  const act = async (path, body, done) => {
    try {
      await api.post(path, body);
      if (done) app.say(done, "good");
      await app.refresh();
    } catch (error) {
      app.say(error.message, "bad");
    }
  };
  let drawn = "";
  const draw = () => {
    const now = JSON.stringify([app.state.environment, app.state.worker, app.state.host_model]);
    if (now === drawn) return;
    drawn = now;
    fill(inside, worker(app, act), environment(app, act, box), app.state.host_model.can_unload && host(act), about(app), report(app), section(texts.language.label, languageChoice(app)));
  };
  const end = app.on("state", draw);
  box.closed.then(end);
  draw();
  await app.refresh().catch((error) => app.say(error.message, "bad"));
}

function facts(rows) {
  return h(
    "dl",
    { class: "facts" },
    rows.filter((r) => r[1]).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

function section(title, action, ...content) {
  return h("section", { class: "stack close" }, h("div", { class: "row" }, h("h3", { class: "grow" }, title), action), content);
}

function worker(app, act) {
  const now = app.state.worker;
  if (!now?.running) return section(words.worker, null, h("p", { class: "muted" }, words.idle));
  return section(
    words.worker,
    button(words.unload, () => act("worker", { action: "unload" }, words.unloaded), "small"),
    facts([
      [words.loaded, loaded(now)],
      [words.device, now.device],
      [words.pid, now.pid && `${now.pid}${now.since ? `, ${words.since(ago(now.since))}` : ""}`],
    ]),
  );
}

function environment(app, act, box) {
  const env = app.state.environment;
  const made = Boolean(env.path) && !env.doing;
  const remove = async () => {
    box.close("");
    if (!(await confirm(app.place, texts.environment.removeAsk, texts.environment.removeExplain, texts.environment.remove, "danger"))) return;
    await act("environment", { action: "remove" });
  };
  const packages = Object.entries(env.packages ?? {})
    .map(([name, version]) => `${name} ${version}`)
    .join(" · ");
  return section(
    words.environment,
    made &&
      h(
        "div",
        { class: "row" },
        button(texts.environment.repair, () => act("environment", { action: "repair" }), "small"),
        button(texts.environment.remove, remove, "small danger"),
      ),
    h("div", { class: "row" }, h("span", { class: `badge ${env.ready ? "good" : "warn"}` }, env.ready ? words.ready : words.notReady)),
    env.problem && h("p", { class: "hint" }, env.problem),
    environmentProgress(app),
    facts([
      [words.size, env.bytes ? bytes(env.bytes) : ""],
      [words.python, env.python && h("code", {}, env.python)],
      [words.packages, packages],
    ]),
  );
}

function host(act) {
  return section(
    words.host,
    h(
      "div",
      { class: "row" },
      button(words.hostUnload, () => act("host", { action: "unload" }, words.hostUnloaded), "small"),
      button(words.hostReload, () => act("host", { action: "reload" }, words.hostReloaded), "small"),
    ),
  );
}

/** What a bug report needs, made when it is asked for: it looks at cards and packages for a second. */
function report(app) {
  const place = h("div");
  const show = async () => {
    try {
      const { text } = await api.get("report");
      fill(place, h("pre", { class: "report", tabIndex: 0, "aria-label": words.report }, text));
      await copy(text, app.place);
      app.say(texts.common.copied, "good");
    } catch (error) {
      app.say(error.message, "bad");
    }
  };
  return section(words.report, button(words.reportCopy, show, "small"), h("p", { class: "hint" }, words.reportHint), place);
}

function about(app) {
  const { version, host: name, host_version: release, gradio, roots } = app.state;
  return section(
    words.version,
    null,
    facts([
      [texts.title, version],
      ["WebUI", `${name} ${release}`.trim()],
      ["Gradio", gradio],
      [words.folders, app.state.free === false && (roots ?? []).join(", ")],
    ]),
  );
}

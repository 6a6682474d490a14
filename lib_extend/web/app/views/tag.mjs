// View 10: Tag a folder
// "Tag a folder": choose it, choose settings, look at what would happen, start, watch, stop, continue.

import { api } from "../api.mjs";
import { fill, h } from "../dom.mjs";
import { button, menu } from "../parts/button.mjs";
import { confirm } from "../parts/dialog.mjs";
import { environmentCard } from "../parts/environment.mjs";
import { folderBar } from "../parts/folder_bar.mjs";
import { note } from "../parts/states.mjs";
import { texts } from "../texts.mjs";
import { jobPanel } from "./tag/job_panel.mjs";
import { sampleCard } from "./tag/sample.mjs";
import { settingsPanel } from "./tag/settings.mjs";
import { Tracker } from "./tag/tracker.mjs";
import { whose } from "./tag/whose.mjs";

const words = texts.job;
const SAMPLE = 8;

export function view(app) {
  const settings = settingsPanel(app);
  const sample = sampleCard(app);
  const start = h("section", { class: "card stack start" });
  const job = h("div");
  const work = h("div", { class: "work stack wide" }, start, job, sample);
  const grid = h("div", { class: "tag-grid", hidden: true }, settings, work);
  const element = h("div", { class: "stack wide" }, environmentCard(app), folderBar(app), grid);
  let tracker = null;
  let opened = "";
  const canUnload = () => app.state.host_model.can_unload;
  const unloads = () => canUnload() && app.session.get("unloadHost", app.state.host_model.unload);

  // what is running

  const attach = (id) => {
    if (tracker?.id === id) return;
    detach();
    const mine = new Tracker(id);
    tracker = mine;
    app.session.set("job", id);
    fill(job, jobPanel(app, mine, app.folder.id, acts));
    drawStart();
    mine.watch().then(async () => {
      if (tracker !== mine) return;
      drawStart();
      await app.again();
      app.tell("written");
      app.refresh().catch(() => {});
    });
  };
  const detach = () => {
    tracker?.close();
    tracker = null;
    fill(job);
    drawStart();
  };
  /** The job this window watched last, when it ended while the page was away (a reload): its result is still wanted. */
  const recall = async (folder) => {
    const id = app.session.get("job");
    // among those that are there: one of before the WebUI's restart is not, and asking for it would be an error
    const known = id && (await api.get("jobs").catch(() => [])).find((job) => job.id === id);
    if (known && known.folder === folder.id && app.folder?.id === folder.id && tracker === null) attach(id);
  };
  const begin = async (request) => {
    settings.fail(null);
    try {
      const { id } = await api.post("jobs", { folder: app.folder.id, unload_host: unloads(), ...request });
      attach(id);
      work.scrollIntoView({ block: "nearest", behavior: "smooth" });
    } catch (error) {
      // somebody else's job, of another window: show that one
      if (error.body?.job) attach(error.body.job);
      if (!settings.fail(error)) app.say(error.message, "bad");
      else app.say(error.message, "bad");
    }
  };
  const before = whose(app, () => drawStart());
  const config = () => ({ ...app.config(), ...before.config() });
  const tag = () => begin({ kind: "tag", config: config() });
  const preview = async (all) => begin({ kind: "preview", config: config(), ...(all ? {} : { names: await some() }) });
  /** Names of a few pictures, spread over the folder. */
  const some = async () => {
    const { id, images } = app.folder;
    const most = Math.min(SAMPLE, images);
    const picks = Array.from({ length: most }, (_, n) => Math.floor((n * images) / most));
    const rows = await Promise.all(
      picks.map((offset) => api.get(`datasets/${id}/images`, { offset, limit: 1, sort: "name" }).then((answer) => answer.rows[0]?.name)),
    ).catch(() => []);
    const names = [...new Set(rows.filter(Boolean))];
    return names.length ? names : undefined;
  };
  // with the settings it was begun with, whatever they are now
  const resume = async () => {
    await app.again();
    if (app.folder.job) return;
    const open = app.folder.unfinished;
    await begin({ kind: "tag", config: open ? open.config : config() });
  };
  const acts = {
    again: resume,
    tag,
    dismiss: () => {
      app.session.set("job", null);
      detach();
    },
    changes: (run) => {
      app.session.set("run", run);
      app.openView("runs");
    },
    undo: async (run, written) => {
      if (!(await confirm(app.place, texts.undo.ask(run), texts.undo.explain(written), texts.undo.do))) return;
      await begin({ kind: "undo", run, config: {} });
    },
  };

  // the card with the big buttons

  const drawStart = () => {
    const folder = app.folder;
    const busy = tracker !== null && !tracker.over;
    grid.toggleAttribute("data-job", tracker !== null);
    start.hidden = busy || !folder || folder.images === 0;
    sample.hidden = tracker !== null || !folder || folder.images === 0;
    if (start.hidden) return;
    const unready = app.state.environment?.ready === false;
    const unload = h("input", { type: "checkbox", checked: unloads() });
    unload.addEventListener("change", () => app.session.set("unloadHost", unload.checked));
    const open = folder.unfinished;
    fill(
      start,
      open &&
        tracker === null &&
        note(
          "warn",
          h("span", {}, words.unfinished(open.run, open.done, open.images)),
          button(words.continue, resume, "small primary", { disabled: unready }),
        ),
      before.element(),
      h(
        "div",
        { class: "row" },
        h("span", { class: "grow strong" }, texts.folder.pictures(folder.images)),
        folder.images > SAMPLE
          ? menu(
              `${words.preview} ▾`,
              [
                [words.previewSome(SAMPLE), () => preview(false)],
                [words.previewAll, () => preview(true)],
              ],
              { label: words.preview },
            )
          : button(words.preview, () => preview(true), "", { disabled: unready }),
        button(words.start, tag, "primary", { disabled: unready, "data-act": "start" }),
      ),
      canUnload() && h("label", { class: "check" }, unload, h("span", {}, texts.settings.unloadHost)),
    );
  };

  const drawFolder = () => {
    const folder = app.folder;
    grid.hidden = !folder || folder.images === 0;
    if (app.opening) return;
    const fresh = folder?.id !== opened;
    if (fresh) {
      opened = folder?.id ?? "";
      detach();
      sample.reset();
    }
    if (!folder) return;
    if (folder.job && tracker?.id !== folder.job) attach(folder.job);
    else if (fresh && !folder.job) recall(folder);
    drawStart();
    if (element.isConnected && !folder.job) sample.look();
  };
  app.on("folder", drawFolder);
  let ready = app.state.environment.ready;
  app.on("state", () => {
    if (app.state.environment.ready === ready) return;
    ready = app.state.environment.ready;
    drawStart();
    app.refreshModels();
  });
  return {
    element,
    show: () => drawFolder(),
    hide: () => {},
  };
}


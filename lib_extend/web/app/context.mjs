// What all views share: the server's state, the settings and their values, the folder that is open.

import { nameSettings } from "./texts.mjs";
import { api } from "./api.mjs";
import { same } from "./parts/field.mjs";

/** Events: "state", "config" (detail: names that changed, null for all), "folder", "jobs", "written". */
export class Context extends EventTarget {
  state = null;
  settings = [];
  groups = [];
  formats = { names: [], lettered: [], fields: [] }; // what the setting `format` may be
  models = null; // null until they are known
  modelsError = "";
  questions = [];
  ownQuestions = []; // written in the page, each with its `file`
  recent = [];
  jobs = [];
  folder = null;
  folderError = null;
  opening = false;

  constructor(session, place, say, open) {
    super();
    this.session = session;
    this.place = place; // where dialogs go
    this.say = say; // short messages
    this.openView = open;
  }

  /** Fetch what never changes while the page is open. Raises ApiError. */
  async begin() {
    const [state, settings, questions, own] = await Promise.all(["state", "settings", "questions", "questions/own"].map((path) => api.get(path)));
    this.ownQuestions = own;
    this.state = state;
    this.settings = settings.settings;
    nameSettings(this.settings);
    this.groups = settings.groups;
    this.formats = settings.formats;
    this.questions = questions;
    this.refreshModels(); // takes a second or two: the page does not wait for it
    await this.recall();
  }

  /** Whether a person can see the page: it may be in another tab of the WebUI's. */
  get visible() {
    return !document.hidden && this.place.host.offsetParent !== null;
  }

  /** Whether a WebUI is around the page. */
  get hosted() {
    return Boolean(this.state?.host);
  }

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Listen; returns a function that ends it. */
  on(name, listener) {
    const call = (event) => listener(event.detail);
    this.addEventListener(name, call);
    return () => this.removeEventListener(name, call);
  }

  async refresh() {
    this.state = await api.get("state");
    this.tell("state");
  }

  /** The questions of one's own, after one was saved or removed. */
  async refreshQuestions() {
    this.ownQuestions = await api.get("questions/own");
    this.tell("config", ["question_file"]);
  }

  async refreshModels() {
    try {
      this.models = await api.get("models");
      this.modelsError = "";
    } catch (error) {
      this.modelsError = error.message;
    }
    this.tell("models");
  }

  // settings: only what differs from the defaults is kept

  setting(name) {
    return this.settings.find((s) => s.name === name);
  }

  value(name) {
    const changed = this.session.get("config", {});
    return name in changed ? changed[name] : this.setting(name)?.default;
  }

  /** All that differs from the defaults, for a request. */
  config() {
    const changed = this.session.get("config", {});
    return Object.fromEntries(Object.entries(changed).filter(([name]) => this.setting(name)));
  }

  /** Change settings; what cannot go together is mended at once. */
  change(values) {
    const next = { ...this.config() };
    const put = (name, value) => {
      if (same(value, this.setting(name)?.default)) delete next[name];
      else next[name] = value;
    };
    for (const [name, value] of Object.entries(values)) put(name, value);
    const now = (name) => next[name] ?? this.setting(name)?.default;
    const names = Object.keys(values);
    if (this.formats.lettered.includes(now("format")) && !now("people")) {
      const [name, value] = "people" in values && !("format" in values) ? ["format", "plain"] : ["people", true];
      put(name, value);
      names.push(name);
    }
    this.session.set("config", next);
    this.tell("config", names);
  }

  /** Take over a whole config (a preset, a run's). Unknown settings are left out. */
  replaceConfig(config) {
    const known = Object.entries(config).filter(([name]) => this.setting(name));
    this.session.set("config", {});
    this.change(Object.fromEntries(known));
    this.tell("config", null);
  }

  changedIn(names) {
    const changed = this.config();
    return names.filter((name) => name in changed).length;
  }

  // the folder

  async recall() {
    this.recent = await api.get("folders/recent").catch(() => []);
  }

  /** Open a folder; its facts are then in `folder`, or a sentence in `folderError`. */
  async openFolder(path, recursive = this.value("recursive")) {
    this.opening = true;
    this.folderError = null;
    this.tell("folder");
    try {
      this.folder = await api.post("folders/open", { path, recursive });
      this.session.set("folder", this.folder.path);
    } catch (error) {
      if (!this.folder || this.folder.path !== path) this.folder = null;
      this.folderError = error;
    }
    this.opening = false;
    this.tell("folder");
    this.recall().then(() => this.tell("recent"));
    return this.folder;
  }

  /** Look at the open folder again (its captions were written). */
  async again() {
    if (!this.folder) return;
    try {
      this.folder = await api.post("folders/open", { path: this.folder.path, recursive: this.value("recursive") });
      this.tell("folder");
    } catch {
      // gone meanwhile: the next thing the person does says so
    }
  }

  async refreshJobs() {
    this.jobs = await api.get("jobs");
    this.tell("jobs");
  }
}

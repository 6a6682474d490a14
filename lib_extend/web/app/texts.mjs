// Every word the page shows, apart from what the server says (its sentences and the settings' help).

const numbers = new Intl.NumberFormat("en");
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const number = (n) => numbers.format(n);
export const percent = (p) => `${Math.round(p * 100)}%`;

/** "1 picture", "12 pictures". */
export const many = (n, word, plural = `${word}s`) => `${number(n)} ${n === 1 ? word : plural}`;

export function bytes(n) {
  if (n >= 1e9) return `${one.format(n / 1e9)} GB`;
  if (n >= 1e6) return `${one.format(n / 1e6)} MB`;
  return `${one.format(Math.max(n, 0) / 1e3)} kB`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** `moment` in seconds since 1970, as a person says it. */
export function ago(moment, now = Date.now() / 1000) {
  const s = now - moment;
  if (s < 60) return "just now";
  if (s < 3600) return `${many(Math.floor(s / 60), "minute")} ago`;
  if (s < 86400) return `${many(Math.floor(s / 3600), "hour")} ago`;
  return new Date(moment * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

const LABELS = {
  tagger: "Tagger",
  vlm: "Vision-language model",
  vlm_model: "Model on that server",
  models_dir: "Folder for models",
  offline: "Never use the network",
  ask: "Questions",
  question: "Questions of your own",
  question_file: "Question files",
  question_threshold: "Ask about tags above",
  answer_threshold: "Accept answers above",
  max_pixels: "Pixels a question sees",
  people: "Say whose tag is whose",
  person_threshold: "Person score",
  person_tag_threshold: "Tag score on a person",
  person_min_tags: "Tags a person needs",
  person_max_overlap: "Largest overlap",
  person_min_size: "Smallest person",
  person_tags: "Tags of a person",
  shared_tags: "Tags all persons have",
  letters: "Letters",
  letter_separator: "Between letter and tag",
  pair_characters: "Pair named characters",
  positions: "Write positions",
  detector: "Person detector",
  threshold: "General tags above",
  character_threshold: "Character tags above",
  mcut: "Find thresholds by MCut",
  rating: "Write the rating",
  exclude: "Never write",
  keep: "Always write",
  replace: "Replace",
  prefix_tags: "Put first",
  suffix_tags: "Put last",
  max_tags: "Most tags",
  existing: "Captions already there",
  format: "Format",
  sort: "Order of tags",
  separator: "Between tags",
  underscores: "Keep underscores",
  escape_brackets: "Escape brackets",
  count_style: "Plurals of counts",
  recursive: "Subfolders too",
  include: "Only files that match",
  limit: "Most pictures",
  batch_size: "Pictures a tagger call",
};

/** A setting's name as a person reads it. */
export const label = (name) => LABELS[name] ?? (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** A setting's help without the words of the command line. */
export const help = (text) =>
  text
    .replace(/`?--([a-z][a-z-]*)`?/g, (_, flag) => `“${label(flag.replaceAll("-", "_"))}”`)
    .replace(/`prompt-extend models`/g, "the list")
    .replace(/, separated by commas/g, "")
    .replace(/^./, (c) => c.toUpperCase());

export const labelled = Object.keys(LABELS);

export const choices = {
  existing: {
    merge: ["Merge", "What people wrote stays; new tags are added."],
    skip: ["Skip", "Pictures that have a caption are left alone."],
    append: ["Add after", "New tags go behind what is there."],
    prepend: ["Add before", "New tags go in front of what is there."],
    overwrite: ["Overwrite", "What is there is replaced. Undo brings it back."],
  },
  format: {
    plain: ["Plain", "Tags, separated; people first."],
    greek: ["Greek", "Whose tag is whose: 2girls, α black hair, β white hair."],
    background: ["Background", "The published background LoRA's order."],
    separation: ["Separation", "The published separation LoRA's order."],
    template: ["My own …", "Fields in an order of your own."],
  },
};

export const kinds = { tag: "Tagging", preview: "Preview", undo: "Undo", review: "Review", edit: "Edit" };
export const sources = {
  human: "written by a person",
  tagger: "from the tagger",
  question: "from a question",
  person: "told of one person",
  option: "from your settings",
};

export const texts = {
  title: "Prompt Extend",
  views: {
    tag: ["Tag a folder", "Tag"],
    review: ["Review", "Review"],
    browse: ["Browse", "Browse"],
    one: ["One picture", "Picture"],
    runs: ["Runs", "Runs"],
    label: "Views",
  },
  errors: {
    unreachable: "The server does not answer. It may be restarting; this page tries again.",
    notJson: (path) => `${path} answered with something else than expected: restart the WebUI to finish an update.`,
    status: (status) =>
      status === 401
        ? "You are not logged in: reload the page and log in."
        : status === 403
          ? "This is not allowed here."
          : `The server answered with error ${status}; its log says why.`,
    noApi: "This page's server part did not start: look for “Prompt Extend” in the WebUI's log.",
    retry: "Try again",
  },
  common: {
    cancel: "Cancel",
    close: "Close",
    save: "Save",
    remove: "Delete",
    loading: "Loading …",
    more: (n) => `Show ${number(n)} more`,
    nothing: "Nothing here yet.",
    reset: "Back to the default",
    add: "Add",
    own: "model's own",
    none: "no limit",
    copy: "Copy",
    copied: "Copied.",
    yes: "Yes",
    menu: "More",
  },
  folder: {
    label: "Dataset folder",
    placeholder: "Folder with pictures",
    browse: "Browse …",
    recent: "Recent folders",
    recursive: "Subfolders too",
    opening: "Looking into the folder …",
    empty: "This folder holds no pictures. Choose another one, or tick “Subfolders too”.",
    first: "Choose a folder with pictures",
    firstHint: "Prompt Extend writes a caption beside each picture: what is there, how many, in which color.",
    pictures: (n) => many(n, "picture"),
    captions: (n, of) => (n === 0 ? "no captions yet" : n === of ? "all with captions" : many(n, "caption")),
    open: "Open",
    change: "Change",
  },
  browse: {
    title: "Choose a folder",
    up: "Up",
    choose: "Choose this folder",
    empty: "No folders in here.",
    images: (n) => (n ? many(n, "picture") : ""),
    path: "Path",
    go: "Go",
  },
  settings: {
    title: "Settings",
    more: "More settings",
    changed: (n) => `${number(n)} changed`,
    reset: "Reset all",
    here: "here",
    download: "downloaded on first use",
    downloadSize: (size) => `${size} to download on first use`,
    gated: "needs a Hugging Face login",
    onThisMachine: "On this machine",
    toDownload: "Downloaded on first use",
    other: "Other …",
    none: "None",
    noTagger: "None: start from the captions",
    noVlm: "None: no questions asked",
    otherTagger: "Folder with model.onnx",
    otherVlm: "Folder, or http://…/v1 of a server",
    template: "Template",
    field: "Insert a field",
    range: (low, high, whole) =>
      `${whole ? "A whole number" : "A number"}${low === null ? "" : ` from ${low}`}${high === null ? "" : ` to ${high}`}, please.`,
    listHint: "Type and press Enter",
    removeItem: (item) => `Remove ${item}`,
    sectionModels: "Models",
    sectionQuestions: "Questions",
    sectionTags: "Tags",
    sectionCaption: "Captions",
    peopleHelp: "Finds the persons and tags each alone.",
    unloadHost: "Unload the WebUI's model while tagging",
  },
  questions: {
    hint: "Asked about each picture by the vision-language model.",
    noVlm: "Choose a vision-language model above to have questions asked.",
    add: "Add a question",
    placeholder: "What season is it? [spring, summer, autumn, winter]",
    example: "Answers in brackets are optional; “-> rain” behind them names the tag to write.",
    kind: {
      count: "a number",
      color: "a color",
      yes_no: "yes or no",
      one_of: "one of some answers",
      some_of: "each by yes or no",
      free: "free text",
    },
  },
  presets: {
    label: "Preset",
    none: "Choose a preset …",
    save: "Save as preset …",
    saveTitle: "Save these settings",
    name: "Name",
    saved: (name) => `Saved as “${name}”.`,
    loaded: (name) => `Settings of “${name}” loaded.`,
    export: "Download as file",
    import: "Load from file …",
    remove: "Delete preset",
    removeAsk: (name) => `Delete the preset “${name}”?`,
    removed: (name) => `“${name}” deleted.`,
    replaceAsk: (name) => `There is a preset “${name}” already. Replace it?`,
    replace: "Replace",
    notPreset: (name) => `${name} is not a preset: choose a file that was downloaded here.`,
  },
  sample: {
    title: "On one picture",
    now: "Now",
    then: "With these settings",
    noCaption: "no caption",
    try: "Try on this picture",
    trying: "Looking at the picture …",
    notYet: "The models have not looked at this picture with these settings yet.",
    next: "Next picture",
    previous: "Previous picture",
    of: (n, total) => `${number(n)} of ${number(total)}`,
    dropped: (n) => `${many(n, "tag")} left out`,
    unchanged: "Nothing would change.",
  },
  job: {
    start: "Start tagging",
    preview: "Preview",
    previewSome: (n) => `Preview ${number(n)} pictures`,
    previewAll: "Preview all",
    pause: "Pause",
    resume: "Resume",
    stop: "Stop",
    continue: "Continue",
    dismiss: "Close",
    stopping: "Stopping …",
    preparing: "Getting ready …",
    loadingModels: "Loading the models …",
    state: {
      running: "Tagging",
      paused: "Paused",
      stopped: "Stopped",
      done: "Done",
      failed: "Failed",
    },
    previewing: "Previewing",
    previewed: "Preview",
    undoing: "Taking back",
    of: (done, all) => `${number(done)} of ${number(all)}`,
    rate: (rate) => (rate >= 10 ? `${number(Math.round(rate))} pictures a second` : `${one.format(rate)} pictures a second`),
    eta: (seconds) => `about ${duration(seconds)} left`,
    took: (seconds) => `in ${duration(seconds)}`,
    failed: (n) => `${number(n)} failed`,
    written: (n) => `${many(n, "caption")} written`,
    wouldChange: (n) => `${many(n, "caption")} would change`,
    unchanged: "unchanged",
    wouldNot: "would not change",
    new: "new",
    failures: "Could not be done",
    latest: "Last pictures",
    changes: "What would change",
    shown: (n, of) => `The last ${number(n)} of ${number(of)} are shown.`,
    waiting: "The first pictures appear here in a moment.",
    unfinished: (run, done, all) => `Run ${run} on this folder was not finished: ${number(done)} of ${number(all)} pictures done.`,
    seeChanges: "What changed",
    undo: "Undo this run",
    busy: "A job is running on this folder.",
    elsewhere: (name, done, all) => `${name}: ${number(done)} of ${number(all)}`,
    show: "Show",
    downloading: (done, total) => `${bytes(done)} of ${bytes(total)}`,
    lost: "The server has restarted and no longer knows this job. Open the folder again to continue.",
    nothing: "There was nothing to do: every picture is done with these settings already.",
    noChange: "No caption would change.",
    persons: (n) => many(n, "person"),
    notSeparated: "not separated",
  },
  undo: {
    ask: (run) => `Take back run ${run}?`,
    explain: (n) => `${many(n, "caption")} go back to what they were before. Captions edited since stay as they are.`,
    explainOne: "Captions go back to what they were before. Captions edited since stay as they are.",
    do: "Undo this run",
    done: (n) => `${many(n, "caption")} restored.`,
    failed: (n) => `${many(n, "caption")} could not be restored.`,
  },
  runs: {
    title: "Runs",
    first: "Runs of a folder",
    firstHint: "Choose a folder to see what was done to its captions, and to take it back.",
    empty: "Nothing was run on this folder yet",
    emptyHint: "Start in “Tag a folder”. Every run is listed here and can be taken back.",
    run: (n) => `Run ${n}`,
    pictures: (n) => many(n, "picture"),
    changed: (n) => `${number(n)} changed`,
    failed: (n) => `${number(n)} failed`,
    undoes: (n) => `takes back run ${n}`,
    status: { running: "running", stopped: "stopped", done: "done", undone: "taken back", failed: "failed" },
    report: "Report",
    changes: "What changed",
    noChanges: "This run changed no caption.",
    failures: "Could not be done",
    settings: "Settings that differ from the defaults",
    allDefault: "All settings at their defaults.",
    started: "Started",
    took: "Took",
    useSettings: "Use these settings",
    used: "Settings taken over in “Tag a folder”.",
    deleted: "deleted",
    filter: "Find a picture or tag",
    choose: "Choose a run to see what it changed.",
  },
  one: {
    title: "One picture",
    drop: "Drop a picture here",
    or: "or paste one, or",
    choose: "choose a file",
    again: "Another picture",
    looking: "Looking at the picture …",
    first: "The first picture takes longer: models are loaded, and downloaded if need be.",
    stop: "Stop",
    caption: "Caption",
    answers: "Answers",
    tags: "Tags",
    persons: "Persons",
    dropped: "Left out, and why",
    noAnswers: "No question applied to this picture.",
    noVlm: "No questions were asked: choose a vision-language model.",
    noTags: "No tag is above the thresholds.",
    seconds: (s) => `${one.format(s)} s`,
    send: "Send to txt2img",
    sent: "Sent to txt2img.",
    notImage: (name) => `${name} is not a picture.`,
    settings: "Thresholds, format and questions are those of “Tag a folder”.",
    rerun: "Look again",
    unsure: "unsure",
    hint: "Tags with scores, answers with probabilities, and who has which.",
    shared: "For all",
    noPersons: "Persons were not looked for. Turn on “Say whose tag is whose”.",
  },
  answer: {
    unsure: "unsure: not written",
    locked: "locked",
    about: (question, object) => (object ? `${question}: ${object}` : question),
  },
  environment: {
    title: "One more step: set up the models' own environment",
    why: "Models run in a Python of their own, so that nothing in the WebUI is changed.",
    size: (size) => `About ${size} on the disk, once.`,
    make: "Set up",
    making: "Setting up …",
    made: "Ready: models can run.",
    repair: "Repair",
    remove: "Remove",
    removeAsk: "Remove the models' environment?",
    removeExplain: "Captions, presets and downloaded models stay. It can be set up again at any time.",
    broken: "Models cannot run at the moment",
    log: "What is happening",
    stop: "Stop",
  },
  machine: {
    title: "Machine",
    idle: "No model in memory",
    loaded: "In memory",
    environment: "Models' environment",
    ready: "ready",
    notReady: "not set up",
    size: "Size",
    python: "Python",
    packages: "Packages",
    worker: "Models in memory",
    unload: "Unload",
    unloaded: "Models unloaded.",
    host: "WebUI's checkpoint",
    hostUnload: "Unload",
    hostReload: "Load again",
    hostUnloaded: "The WebUI's checkpoint was unloaded.",
    hostReloaded: "The WebUI's checkpoint is loaded again.",
    since: (when) => `since ${when}`,
    device: "Device",
    version: "Version",
    folders: "Folders that may be used",
    notRunning: "none",
    pid: "Process",
  },
};

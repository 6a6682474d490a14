// Names that Python and the browser must agree on: the same as in ui/ids.py, which a test compares.

export const ELEMENT = "prompt-extend-cast";
export const panelValue = (tab) => `prompt_extend_${tab}_value`;

/** Dispatched on the document: detail {tab, cast}. */
export const SEND = "prompt-extend-send-cast";

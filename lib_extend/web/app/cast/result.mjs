// The result of a check, out of a picture's infotext.

const KEY = /Prompt Extend check: ("(?:\\.|[^"\\])+"|[^,\n]+)/;

/** {score 0…1, characters: [{letter, found: [], missing: []}]}, or null where there is none that can be read. */
export function readResult(infotext) {
  const [, written] = infotext.match(KEY) ?? [];
  if (!written) return null;
  try {
    // the WebUI puts a text with commas in quotes
    const value = JSON.parse(written);
    const data = typeof value === "string" ? JSON.parse(value) : value;
    if (!Number.isFinite(data?.score) || !Array.isArray(data.characters)) return null;
    const tags = (list) => (Array.isArray(list) ? list.map(String) : []);
    return {
      score: Math.min(1, Math.max(0, data.score)),
      characters: data.characters.map((c) => ({ letter: String(c?.letter ?? ""), found: tags(c?.found), missing: tags(c?.missing) })),
    };
  } catch {
    return null;
  }
}

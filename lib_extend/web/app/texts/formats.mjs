// Numbers, sizes and times as the page's language writes them.

let numbers = new Intl.NumberFormat("en");
let decimals = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
let words = { language: "en", units: { second: "s", minute: "min", hour: "h" }, ago: null };

/** Write in this language from now on; `units` and `ago` are those of its file. */
export function speak(language, units, ago) {
  numbers = new Intl.NumberFormat(language);
  decimals = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  words = { language, units, ago };
}

export const number = (n) => numbers.format(n);
export const decimal = (n) => decimals.format(n);
export const percent = (p) => `${Math.round(p * 100)}%`;

export function bytes(n) {
  if (n >= 1e9) return `${decimal(n / 1e9)} GB`;
  if (n >= 1e6) return `${decimal(n / 1e6)} MB`;
  return `${decimal(Math.max(n, 0) / 1e3)} kB`;
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  const { second, minute, hour } = words.units;
  if (s < 60) return `${s} ${second}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${minute} ${s % 60} ${second}`;
  return `${Math.floor(s / 3600)} ${hour} ${Math.floor((s % 3600) / 60)} ${minute}`;
}

/** `moment` in seconds since 1970, as a person says it. */
export function ago(moment, now = Date.now() / 1000) {
  const s = now - moment;
  if (s < 60) return words.ago.now;
  if (s < 3600) return words.ago.minutes(Math.floor(s / 60));
  if (s < 86400) return words.ago.hours(Math.floor(s / 3600));
  return new Date(moment * 1000).toLocaleString(words.language, { dateStyle: "medium", timeStyle: "short" });
}

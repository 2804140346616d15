// Format figures for people.

const MISSING = "–";

/** Format milliseconds. */
export function duration(ms) {
  if (ms === null || ms === undefined) return MISSING;
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
}

export function percent(value) {
  return value === null || value === undefined ? MISSING : `${value} %`;
}

export function celsius(value) {
  return value === null || value === undefined ? MISSING : `${value} °C`;
}

export function watts(value) {
  return value === null || value === undefined ? MISSING : `${value.toFixed(value < 100 ? 1 : 0)} W`;
}

/** Format used and total bytes in GB of 2^30 bytes, as for memory modules. */
export function gigabytes(used, total) {
  if (used === null || used === undefined) return MISSING;
  const gb = (bytes) => (bytes / 2 ** 30).toFixed(bytes < 100 * 2 ** 30 ? 1 : 0);
  return total ? `${gb(used)} of ${gb(total)} GB` : `${gb(used)} GB`;
}

/** Format the time of day of an RFC 3339 timestamp, in the local time zone. */
export function timeOfDay(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** Format how long ago a moment was; both in milliseconds since 1970. */
export function ago(then, now) {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}

/** Format a model's name and its server; of a path, which llama.cpp has for a name, its last part. */
export function modelName(label) {
  if (!label) return "";
  if (label.api_base === "built-in") return "Built-in describer";
  const isPath = /^(\/|\.|[A-Za-z]:\\)/.test(label.name);
  const name = (isPath && label.name.split(/[\\/]/).findLast(Boolean)) || label.name;
  return label.server && label.server !== name ? `${name} · ${label.server}` : name;
}

/** Format tokens per second; meaningless if the answer arrived all at once. */
function speed({ tokens_per_second: tokens, total, first_token: first }) {
  return tokens && total - first > 50 ? tokens.toFixed(1) : MISSING;
}

/** Return the timings of an answer as [name, value] pairs, the most important first. */
export function numbersOf(numbers) {
  return [
    ["Total", duration(numbers.total)],
    ["First token", duration(numbers.first_token)],
    ["Tokens per second", speed(numbers)],
    ["Tokens", numbers.tokens ?? MISSING],
    ["Frame age", duration(numbers.capture_age)],
    ["Queue", duration(numbers.queue)],
    ["Scale and compress", duration(numbers.encode)],
    ["Overhead", duration(numbers.overhead)],
    ["Frames skipped", numbers.frames_skipped],
  ].map(([name, value]) => [name, String(value)]);
}

/** Return the timings of an answer on one line. */
export function numbersLine(numbers) {
  const words = [duration(numbers.total)];
  if (speed(numbers) !== MISSING) words.push(`first token ${duration(numbers.first_token)}`, `${speed(numbers)} tokens/s`);
  return words.join(" · ");
}

// Format figures for people.

import { languageNow, number, say } from "./words.js";

const MISSING = "–";

/** Format milliseconds. */
export function duration(ms) {
  if (ms === null || ms === undefined) return MISSING;
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${number(Math.round(ms))} ms`;
  return `${number(ms / 1000, ms < 10000 ? 2 : 1)} s`;
}

export function percent(value) {
  return value === null || value === undefined ? MISSING : `${number(value)} %`;
}

export function celsius(value) {
  return value === null || value === undefined ? MISSING : `${number(value)} °C`;
}

export function watts(value) {
  return value === null || value === undefined ? MISSING : `${number(value, value < 100 ? 1 : 0)} W`;
}

/** Format used and total bytes in GB of 2^30 bytes, as for memory modules. */
export function gigabytes(used, total) {
  if (used === null || used === undefined) return MISSING;
  const gb = (bytes) => number(bytes / 2 ** 30, bytes < 100 * 2 ** 30 ? 1 : 0);
  return total ? say("machine.of-gigabytes", { used: gb(used), total: gb(total) }) : `${gb(used)} GB`;
}

/** Format the time of day of an RFC 3339 timestamp, in the local time zone. */
export function timeOfDay(at) {
  return new Date(at).toLocaleTimeString(languageNow(), { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** Format how long ago a moment was; both in milliseconds since 1970. */
export function ago(then, now) {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 60) return say("ago.seconds", { count: seconds });
  return seconds < 3600 ? say("ago.minutes", { count: Math.floor(seconds / 60) }) : say("ago.hours", { count: Math.floor(seconds / 3600) });
}

/** Format a model's name and its server; of a path, which llama.cpp has for a name, its last part. */
export function modelName(label) {
  if (!label) return "";
  if (label.api_base === "built-in") return say("model.describer");
  const isPath = /^(\/|\.|[A-Za-z]:\\)/.test(label.name);
  const name = (isPath && label.name.split(/[\\/]/).findLast(Boolean)) || label.name;
  return label.server && label.server !== name ? `${name} · ${label.server}` : name;
}

const speed = ({ tokens_per_second: tokens }) => (tokens ? number(tokens, 1) : MISSING);

/** Return the timings of an answer as [name, value] pairs, the most important first. */
export function numbersOf(numbers) {
  return [
    [say("numbers.total"), duration(numbers.total)],
    [say("numbers.first-token"), duration(numbers.first_token)],
    [say("numbers.speed"), speed(numbers)],
    [say("numbers.tokens"), numbers.tokens === null ? MISSING : number(numbers.tokens)],
    [say("numbers.frame-age"), duration(numbers.capture_age)],
    [say("numbers.queue"), duration(numbers.queue)],
    [say("numbers.encode"), duration(numbers.encode)],
    [say("numbers.overhead"), duration(numbers.overhead)],
    [say("numbers.frames-skipped"), number(numbers.frames_skipped)],
  ];
}

/** Return the timings of an answer on one line. */
export function numbersLine(numbers) {
  const words = [duration(numbers.total)];
  if (speed(numbers) !== MISSING) words.push(say("numbers.first-token.short", { time: duration(numbers.first_token) }), say("numbers.speed.short", { speed: speed(numbers) }));
  return words.join(" · ");
}

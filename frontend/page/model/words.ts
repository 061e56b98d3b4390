/** Numbers and moments as people read them. */

const whole = new Intl.NumberFormat('en-GB');

export const numberText = (value: number): string => whole.format(value);

/** "3 ms", "1.2 s", "4 min", "2 h", "13 days". */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 60) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}

/** The time of day, to the millisecond where that matters. */
export const clockText = (iso: string, withMs = false): string => {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return withMs ? `${seconds}.${String(at.getMilliseconds()).padStart(3, '0')}` : seconds;
};

/** How long ago that was. */
export const agoText = (iso: string, nowMs: number): string => {
  const ms = nowMs - Date.parse(iso);
  return ms < 1000 ? 'just now' : `${durationText(ms)} ago`;
};

export const shortId = (uuid: string): string => uuid.slice(0, 8);

/** "1 order", "2 orders". */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${numberText(count)} ${count === 1 ? one : many}`;

/** A status or reason as words: "INSUFFICIENT_CREDIT" is "insufficient credit". */
export const spoken = (word: string): string => word.toLowerCase().replaceAll('_', ' ');

/** With a capital letter, as a sentence begins. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

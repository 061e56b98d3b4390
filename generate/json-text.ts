/** The line width of biome.json, so that the formatter changes nothing. */
const COLUMNS_MAX = 110;

/** A value as JSON for people: what fits into one line is on one line. */
export const jsonText = (value: unknown): string => `${linesOf(value, 0, 0)}\n`;

/** @param taken how many columns of the first line are taken by what is before and after the value. */
function linesOf(value: unknown, indent: number, taken: number): string {
  const inline = inlineOf(value);
  if (indent > 0 && taken + inline.length <= COLUMNS_MAX) return inline;
  if (typeof value !== 'object' || value === null) return inline;
  const pad = ' '.repeat(indent + 2);
  const isList = Array.isArray(value);
  const members = Object.entries(value).map(([key, member], index, { length }) => {
    const name = isList ? '' : `${JSON.stringify(key)}: `;
    const comma = index < length - 1 ? 1 : 0;
    return name + linesOf(member, indent + 2, pad.length + name.length + comma);
  });
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return `${open}\n${members.map((member) => pad + member).join(',\n')}\n${' '.repeat(indent)}${close}`;
}

function inlineOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inlineOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${inlineOf(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Reads the literals of a Go program in which it declares something, such as the schemas of a Terraform provider: what
 * stands in braces, through variables and functions that return it. No program is run, so what is computed is not seen.
 */

/** A place in the source: a package, by its folder; in a function, also its body and what it was called with. */
export interface Place {
  readonly folder: string;
  readonly body?: string;
  readonly given?: ReadonlyMap<string, Expression>;
}

/** An expression, and where it stands. */
export type Expression = readonly [text: string, place: Place];

/** What stands between the braces of a literal, by name, each member as it is written. */
export interface Literal {
  readonly members: ReadonlyMap<string, string>;
  readonly place: Place;
}

const sources = new Map<string, string>();

/** The source of a package, without comments and tests. */
export function sourceOf(folder: string): string {
  const read =
    sources.get(folder) ??
    readdirSync(folder)
      .filter((name) => name.endsWith('.go') && !name.endsWith('_test.go'))
      .map((name) => withoutComments(readFileSync(join(folder, name), 'utf8')))
      .join('\n');
  sources.set(folder, read);
  return read;
}

const TEXT = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y;

const withoutComments = (text: string): string =>
  text.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')|\/\/.*|\/\*[\s\S]*?\*\//g,
    (_, kept: string | undefined) => kept ?? '',
  );

/** From a place on, where something ends: outside all brackets and strings, or at a bracket that closes none of them. */
function walk(text: string, start: number, isEnd: (character: string, index: number) => boolean): number {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const character = text[index] ?? '';
    TEXT.lastIndex = index;
    const [quoted] = TEXT.exec(text) ?? [];
    if (depth === 0 && isEnd(character, index)) return index;
    if (quoted !== undefined) index += quoted.length - 1;
    else if ('([{'.includes(character)) depth++;
    else if (')]}'.includes(character)) depth--;
    if (depth < 0) return index;
  }
  return text.length;
}

/** The parts of a list, at its outermost commas. */
export function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = walk(text, start, (character) => character === ',');
    parts.push(text.slice(start, end).trim());
    start = end + 1;
  }
  return parts.filter(Boolean);
}

/** From an opening bracket to the one that closes it, without both. */
const within = (text: string, open: number): string =>
  text.slice(
    open + 1,
    walk(text, open + 1, () => false),
  );

/** An expression that begins here ends with the line in which its last bracket closes. */
const expressionAt = (text: string, start: number): string =>
  text
    .slice(
      start,
      walk(text, start, (character) => character === '\n'),
    )
    .trim();

/** What a function returns, at its end, where it is called with these expressions. */
export function returned(
  folder: string,
  name: string,
  call: { readonly expressions: readonly string[]; readonly place: Place },
): Expression {
  const source = sourceOf(folder);
  const start = source.search(new RegExp(`^func ${name}\\(`, 'm'));
  if (start === -1) throw new Error(`There is no function ${name} in ${folder}`);
  const open = source.indexOf('(', start);
  const parameters = partsOf(within(source, open)).map((one) => one.split(' ')[0] ?? '');
  const body = within(source, source.indexOf('{\n', open));
  const last = body.lastIndexOf('\n\treturn ');
  if (last === -1) throw new Error(`${name} in ${folder} returns nothing`);
  const given = new Map(
    call.expressions.map((one, index) => [parameters[index] ?? '', [one, call.place]] as const),
  );
  return [expressionAt(body, last + '\n\treturn '.length), { folder, body, given }];
}

/** What a name stands for: in the function, else in the package. */
export function assigned(name: string, place: Place): Expression {
  const { folder, body = '', given } = place;
  const argument = given?.get(name);
  if (argument !== undefined) return argument;
  for (const [text, pattern] of [
    [body, new RegExp(`\\b${name} :?= `)],
    [sourceOf(folder), new RegExp(`^(?:var )?\\t?${name} += `, 'm')],
  ] as const) {
    const found = pattern.exec(text);
    if (found !== null) return [expressionAt(text, found.index + found[0].length), place];
  }
  throw new Error(`There is no ${name} in ${folder}`);
}

/** A literal, or undefined where an expression is none. */
export function literal(expression: string, place: Place): Literal | undefined {
  const [head] = /^&?[\w.*[\]]*\{/.exec(expression) ?? [];
  if (head === undefined) return undefined;
  const members = partsOf(within(expression, head.length - 1)).map((part) => {
    const colon = walk(part, 0, (character) => character === ':');
    return [part.slice(0, colon).replaceAll('"', ''), part.slice(colon + 1).trim()] as const;
  });
  return { members: new Map(members), place };
}

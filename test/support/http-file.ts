/** A request of an .http file, with its variables still in it. */
export interface FileRequest {
  /** What stands behind the ###. */
  readonly title: string;
  /** By which later requests refer to its answer. */
  readonly name?: string | undefined;
  readonly expected?: number | undefined;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface HttpFile {
  readonly variables: Readonly<Record<string, string>>;
  readonly requests: readonly FileRequest[];
}

/**
 * Reads the part of the format that requests.http uses: `@name = value`, then requests that begin with `###`.
 * @throws Error that quotes a request that has none.
 */
export function parseHttpFile(text: string): HttpFile {
  const [head = '', ...blocks] = text.split(/^###/m);
  const variables = Object.fromEntries(
    [...head.matchAll(/^@(\w+) *= *(.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  return { variables, requests: blocks.map(parseRequest) };
}

function parseRequest(block: string): FileRequest {
  const [title = '', ...lines] = block.split('\n');
  const said = (what: string) => lines.flatMap((line) => line.match(`^# @${what} (\\S+)$`)?.[1] ?? [])[0];
  const [head = '', ...bodies] = lines
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trim()
    .split('\n\n');
  const [first = '', ...headers] = head.split('\n');
  const [, method, url] = /^([A-Z]+) (\S+)$/.exec(first) ?? [];
  if (method === undefined || url === undefined) throw new Error(`This is no request: ###${block}`);
  const expected = said('expect');
  return {
    title: title.trim(),
    name: said('name'),
    expected: expected === undefined ? undefined : Number(expected),
    method,
    url,
    headers: Object.fromEntries(headers.map((line) => line.split(/: */, 2) as [string, string])),
    body: bodies.length > 0 ? bodies.join('\n\n') : undefined,
  };
}

/**
 * A text with its variables filled in: those of the file, and parts of earlier answers, as `{{name.response.body.$.a[0].b}}`.
 * @throws Error that names a variable that is unknown.
 */
export function filledIn(
  text: string,
  variables: Readonly<Record<string, string>>,
  answers: ReadonlyMap<string, unknown>,
): string {
  return text.replaceAll(/\{\{(.+?)\}\}/g, (_, variable: string) => {
    const [, name = '', path = ''] = /^(\w+)\.response\.body\.\$\.(.+)$/.exec(variable) ?? [];
    const value = name === '' ? variables[variable] : partOf(answers.get(name), path);
    if (value === undefined) throw new Error(`There is no ${variable}`);
    return String(value);
  });
}

const partOf = (value: unknown, path: string): unknown =>
  path
    .split(/[.[\]]+/)
    .filter((key) => key !== '')
    .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], value);

/** The same value with one thing changed, once for each thing that can be: a number, a text, an entry too few. */
export function falsified(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) {
    const changed = value.flatMap((entry, index) =>
      falsified(entry).map((other) => value.with(index, other)),
    );
    return [...changed, value.length > 0 ? value.slice(1) : ['another']];
  }
  if (value instanceof Date) return [new Date(value.getTime() + 1)];
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, member]) =>
      falsified(member).map((other) => ({ ...value, [name]: other })),
    );
  }
  if (typeof value === 'boolean') return [!value];
  return [typeof value === 'number' ? value + 1 : `${value}, but another`];
}

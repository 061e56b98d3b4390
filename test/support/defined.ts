/** The same without fields that are undefined: those are no fields, neither in JSON nor in a document. */
export function defined<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const given = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(given.map(([name, member]) => [name, defined(member)])) as T;
}

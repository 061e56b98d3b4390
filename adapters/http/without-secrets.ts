/**
 * Takes out of a text what would let its reader act as somebody else: bearer tokens and what looks like a signed token (JWT).
 * Nobody means to log one; an error of some library may quote the request that it failed at.
 */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\b(Bearer|Basic) +[\w.~+/=-]+/gi, '$1 [redacted]')
    .replaceAll(/\beyJ[\w-]+\.eyJ[\w-]+(\.[\w-]*)?/g, '[redacted]');
}

/**
 * Removes from a text what would let its reader act as somebody else: bearer tokens, anything that looks like a signed token
 * (JWT), and secrets of webhooks. We never log one on purpose, but a library's error may quote the request that failed.
 */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\b(Bearer|Basic) +[\w.~+/=-]+/gi, '$1 [redacted]')
    .replaceAll(/\beyJ[\w-]+\.eyJ[\w-]+(\.[\w-]*)?/g, '[redacted]')
    .replaceAll(/\bwhsec_[\w+/=-]+/g, '[redacted]');
}

/**
 * Options that Google's clients need to talk to an emulator. Without them they look for the metadata server of a Google
 * machine before their first call, which costs seconds elsewhere and prints warnings.
 * @param emulatorHost the emulator's host and port; undefined on Google, where no option is needed.
 */
export function emulatorOptions(emulatorHost: string | undefined): object {
  return emulatorHost ? { clientOptions: { universeDomain: 'googleapis.com' } } : {};
}

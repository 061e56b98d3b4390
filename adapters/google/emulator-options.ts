/**
 * What Google's clients must be told when they talk to an emulator: without it they look for the metadata server of
 * a Google machine before their first call, which elsewhere costs seconds and prints warnings.
 * @param emulatorHost the emulator's host and port; undefined on Google, where nothing is added.
 */
export function emulatorOptions(emulatorHost: string | undefined): object {
  return emulatorHost ? { clientOptions: { universeDomain: 'googleapis.com' } } : {};
}

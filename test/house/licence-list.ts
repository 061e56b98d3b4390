import { readFileSync } from 'node:fs';
import { packageRoot } from '../../programs/config.ts';

/** The licences of everything that runs in production, as package-lock.json knows them: no network is needed. */

export const LICENCES = new URL('docs/licences.md', packageRoot);

export interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** Every package that `npm ci --omit=dev` installs, each version once, by name. */
export function productionPackages(): Licensed[] {
  const lock = JSON.parse(readFileSync(new URL('package-lock.json', packageRoot), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const found = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version = '', license = 'unknown' }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license,
    }));
  const byKey = new Map(found.map((one) => [`${one.name}@${one.version}`, one]));
  return [...byKey.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, one]) => one);
}

/** docs/licences.md as it must be. */
export function licenceDocument(): string {
  const packages = productionPackages();
  const licences = [...new Set(packages.map(({ licence }) => licence))].sort();
  const countOf = (licence: string) => packages.filter((one) => one.licence === licence).length;
  return `# Licences

Of every package that runs in production, as \`package-lock.json\` names them. \`npm run docs\` writes this page, and a test holds
it to be current, and to name no licence that would ask more of us than to be named.

${licences.map((licence) => `- ${licence}: ${countOf(licence)}`).join('\n')}

| package | version | licence |
| --- | --- | --- |
${packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`).join('\n')}
`;
}

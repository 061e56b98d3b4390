import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pipeline } from '../../pipeline.ts';
import { packageRoot } from '../../programs/config.ts';
import { serviceNames } from '../../saga/deliver/service.ts';

const text = (path: string) => readFileSync(new URL(path, packageRoot), 'utf8');
/** Lines of the file that say something; what is continued is one line. */
const lines = (path: string) =>
  text(path)
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));

describe('The image', () => {
  const instructions = lines('infra/Dockerfile').map((line) => line.split(/\s+(.*)/s));
  const all = (name: string) =>
    instructions.flatMap(([instruction, rest = '']) => (instruction === name ? [rest] : []));
  const lastStage = instructions.slice(instructions.findLastIndex(([instruction]) => instruction === 'FROM'));

  it('has one base of one exact version, small, with the Node that is supported longest', () => {
    const bases = new Set(all('FROM').map((base) => base.replace(/ AS \w+$/, '')));
    expect([...bases]).to.have.length(1);
    // With a digest or without: infra/continuous-deployment.md.
    expect([...bases][0]).to.match(/^node:24\.\d+\.\d+-bookworm-slim(@sha256:[0-9a-f]{64})?$/);
  });

  it('holds what production needs and nothing that was installed or built elsewhere', () => {
    expect(all('RUN')).to.deep.equal([
      'npm ci --ignore-scripts',
      'npm run -s build',
      'npm ci --omit=dev --ignore-scripts',
    ]);
    expect(lastStage.filter(([instruction]) => ['RUN', 'ADD'].includes(instruction ?? ''))).to.deep.equal([]);
    expect(lines('.dockerignore')).to.include.members([
      '.git',
      '.env',
      '.env.*',
      'node_modules',
      'dist',
      'test',
    ]);
  });

  it('has every file that programs read, and no other', () => {
    const copied = lastStage.flatMap(([instruction, rest = '']) =>
      instruction === 'COPY' && !rest.startsWith('--from') ? [rest.split(' ')[0] ?? ''] : [],
    );
    // Whatever is read relative to the root of the package.
    const product = readdirSync(fileURLToPath(packageRoot), { recursive: true, encoding: 'utf8' }).filter(
      (path) =>
        path.endsWith('.ts') && !path.endsWith('.spec.ts') && !/^(node_modules|dist|test|bench)\//.test(path),
    );
    const read = product.flatMap((path) =>
      [...text(path).matchAll(/new URL\('([^']+)', packageRoot\)/g)].map(([, file = '']) => file),
    );
    expect(copied).to.have.members([...new Set(read)]);
  });

  it('runs the service where orders come in, unless it is told another program', () => {
    const [entry] = serviceNames(pipeline);
    expect(all('CMD')).to.deep.equal([
      JSON.stringify(['dist/programs/service.js', entry]).replace(',', ', '),
    ]);
    expect(existsSync(new URL('dist/programs/service.js', packageRoot))).to.equal(true);
  });

  it('leaves half of the memory that a service has to what is not on the heap', () => {
    const [, heapMiB] = /--max-old-space-size=(\d+)/.exec(all('ENV').join(' ')) ?? [];
    const memories = [...text('infra/terraform/services.tf').matchAll(/memory\s*=\s*"(\d+)Mi"/g)];
    expect(memories).not.to.deep.equal([]);
    for (const [, memoryMiB] of memories) expect(Number(heapMiB)).to.be.at.most(Number(memoryMiB) / 2);
  });

  it('runs as nobody in particular, with Node as the process that is told to end', () => {
    expect(all('USER')).to.deep.equal(['1000:1000']);
    expect(all('ENTRYPOINT')).to.deep.equal(['["node", "--enable-source-maps"]']);
    expect(all('ENV')).to.deep.equal([
      'NODE_ENV=production HOST=0.0.0.0 NODE_OPTIONS=--max-old-space-size=256',
    ]);
  });
});
